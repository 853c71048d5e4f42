/** What scan-main.ts, which runs on XS, tells xs-scan.test.ts. */
export interface Answer {
  readonly refusals: readonly Refused[];
  /** For some lists, whether the C finds there what the TypeScript does. */
  readonly isSame: readonly boolean[];
  /** Where a skip over more documents than there are ends, and the size of that list. */
  readonly ends: readonly number[];
  readonly size: number;
}

export interface Refused {
  readonly wrong: string;
  /** The name of what was thrown; null when nothing was. */
  readonly error: string | null;
  /** Whether a buffer, or the memory beside it, was written to. */
  readonly isTouched: boolean;
}
