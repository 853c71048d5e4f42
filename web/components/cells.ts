/** A square of a picture of numbers. */
export interface Cell {
  readonly row: number;
  readonly column: number;
}

/**
 * The square that a key goes to: arrow keys by one, Home and End within the row, Page Up and Page Down within the column;
 * undefined for other keys.
 * @param within the nearest square that there is
 */
export function cellAfter(
  key: string,
  { row, column }: Cell,
  within: (row: number, column: number) => Cell,
): Cell | undefined {
  return {
    ArrowUp: within(row - 1, column),
    ArrowDown: within(row + 1, column),
    ArrowLeft: within(row, column - 1),
    ArrowRight: within(row, column + 1),
    Home: within(row, 0),
    End: within(row, Infinity),
    PageUp: within(0, column),
    PageDown: within(Infinity, column),
  }[key];
}
