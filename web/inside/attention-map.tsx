import { type Cell, cellAfter } from "../components/cells";

/** Maximum number of rows with labels. */
const MAX_LETTERS = 24;

interface Props {
  /** The attention weights of each row, one for each position up to the row's own. */
  readonly rows: readonly ArrayLike<number>[];
  readonly symbols: readonly string[];
  /** The framed row. */
  readonly position: number;
  readonly label: string;
  /** The cell under the pointer or the keyboard focus. */
  readonly cell: Cell | undefined;
  readonly touch: (cell: Cell) => void;
  readonly choose: (row: number) => void;
}

/** The attention of a head as a lower triangle, scaled so that rows of any length are comparable. */
export function AttentionMap({ rows, symbols, position, label, cell, touch, choose }: Props) {
  const size = rows.length;
  const within = (row: number, column: number): Cell => {
    const r = Math.min(size - 1, Math.max(0, row));
    return { row: r, column: Math.min(r, Math.max(0, column)) };
  };
  const at = (event: MouseEvent & { readonly currentTarget: SVGSVGElement }): Cell => {
    const { left, top, width } = event.currentTarget.getBoundingClientRect();
    const cellOf = (length: number): number => Math.floor((length / width) * (size + 1));
    return within(cellOf(event.clientY - top), cellOf(event.clientX - left) - 1);
  };
  const follow = (event: KeyboardEvent): void => {
    const to = cellAfter(event.key, cell ?? { row: position, column: 0 }, within);
    if (!to) return;
    event.preventDefault();
    touch(to);
  };
  return (
    <svg
      class="triangle"
      viewBox={`0 0 ${size + 1} ${size + 1}`}
      style={{ maxWidth: `${1.4 * (size + 1)}rem` }}
      role="img"
      aria-label={label}
      tabIndex={0}
      onPointerMove={(event) => touch(at(event))}
      onClick={(event) => choose(at(event).row)}
      onFocus={() => touch(within(position, 0))}
      onKeyDown={follow}
    >
      {rows.flatMap((shares, row) =>
        Array.from(shares, (share, column) => (
          <rect
            key={`${row} ${column}`}
            x={column + 1}
            y={row}
            width={1}
            height={1}
            fill-opacity={strengthOf(share, row)}
          />
        )),
      )}
      {size <= MAX_LETTERS &&
        symbols.map((symbol, i) => (
          <g key={i}>
            <text x={0.5} y={i + 0.7} {...fitted(symbol)}>
              {symbol}
            </text>
            <text x={i + 1.5} y={size + 0.7} {...fitted(symbol)}>
              {symbol}
            </text>
          </g>
        ))}
      <rect class="frame" x={1} y={position} width={position + 1} height={1} />
      {cell && cell.row < size && <rect class="cell" x={cell.column + 1} y={cell.row} width={1} height={1} />}
    </svg>
  );
}

/** The sign of an invisible character is an abbreviation, squeezed to the width of a square. */
function fitted(symbol: string) {
  return symbol.length > 2 ? ({ textLength: 0.9, lengthAdjust: "spacingAndGlyphs" } as const) : {};
}

/** Colour strength: 0.5 for a uniform share of the row, 1 for twice as much. */
function strengthOf(share: number, row: number): number {
  return Math.min(1, (share * (row + 1)) / 2);
}
