/** How the heads of a layer share the attention of one position. */
export interface Shares {
  readonly least: number;
  readonly most: number;
  /** The share of each, if all had the same. */
  readonly even: number;
  /** Whether no share differs from that by more than a third of it. */
  readonly isNearlyEven: boolean;
}

const NEARLY = 1 / 3;

/** @param heads for each head and position its shares; undefined at the first position, which has only itself */
export function sharesOf(heads: readonly (readonly ArrayLike<number>[])[], position: number): Shares | undefined {
  const shares = heads.flatMap((rows) => Array.from(rows[position] ?? []));
  if (position === 0 || shares.length === 0) return undefined;
  const even = 1 / (position + 1);
  const [least, most] = [Math.min(...shares), Math.max(...shares)];
  return { least, most, even, isNearlyEven: Math.max(most - even, even - least) <= NEARLY * even };
}
