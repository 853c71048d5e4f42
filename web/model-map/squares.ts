import type { ModelConfig } from "../../src/gpt/model/config";
import { BOS } from "../../src/gpt/data/vocabulary";

/** A number of a matrix. */
export interface Square {
  /** The matrix's name, in its layer. */
  readonly name: string;
  /** The layer, from 0 on, if the model has several and the matrix belongs to one. */
  readonly layer: number | undefined;
  readonly row: number;
  readonly column: number;
  /** In the parameters. */
  readonly index: number;
}

/** What the squares of a model are called by. */
export interface Names {
  readonly config: ModelConfig;
  /** The name of a token as a letter of a word, and as the one to come. */
  readonly nameOf: (token: number) => string;
  readonly nextOf: (token: number) => string;
}

/** The purpose of each matrix. */
export const PURPOSES: Readonly<Record<string, string>> = {
  wte: "a row for each letter",
  wpe: "a row for each position",
  wq: "query: what a letter looks for",
  wk: "key: what it is found by",
  wv: "value: what it hands on",
  wo: "joins the heads",
  w1: "to more units",
  w2: "and back from them",
  wout: "a column for each next letter",
  bias: "how far each head looks back",
};

/** The meaning of a square's row and column; they count from 0, as in the formulas of the walk: wte[13] + wpe[0]. */
export function meaningOf({ name, row, column }: Square, { config, nameOf, nextOf }: Names): [string, string] {
  const dimension = (i: number): string => `dimension ${i}`;
  const width = config.nEmbd / config.nHead;
  const head = (i: number, part: string): string => `head ${Math.floor(i / width) + 1}, ${part} ${i % width}`;
  switch (name) {
    case "wte":
      return [row === BOS ? "start of the word" : nameOf(row), dimension(column)];
    case "wpe":
      return [row === 0 ? "position 0, the start" : `position ${row}`, dimension(column)];
    case "wq":
      return [dimension(row), head(column, "query")];
    case "wk":
      return [dimension(row), head(column, "key")];
    case "wv":
      return [dimension(row), head(column, "value")];
    case "wo":
      return [head(row, "value"), dimension(column)];
    case "w1":
      return [dimension(row), `unit ${column}`];
    case "w2":
      return [`unit ${row}`, dimension(column)];
    case "wout":
      return [dimension(row), nextOf(column)];
    default:
      return [`head ${row + 1}`, column === 0 ? "the letter itself" : `${column} back`];
  }
}

/** What a square's matrix is called. */
export function matrixOf({ name, layer }: Square): string {
  return layer === undefined ? name : `${name} of layer ${layer + 1}`;
}

/** A number with four digits, such as −0.01234, or fewer if it is small. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size === 0 || size >= 1e-3) return signed(Number(value.toPrecision(4)).toString());
  if (size < 1e-7) return signed(Number(value.toPrecision(3)).toString());
  return decimals(value, 2 - Math.floor(Math.log10(size))).replace(/0+$/, "");
}

/** Two numbers, with as many decimals as it takes to see how they differ. */
export function distinctNumbers(a: number, b: number): [string, string] {
  const difference = Math.abs(a - b);
  const places = difference > 0 ? Math.min(10, Math.max(4, 1 - Math.floor(Math.log10(difference)))) : 4;
  return [decimals(a, places), decimals(b, places)];
}

function decimals(value: number, places: number): string {
  return signed(value.toFixed(places));
}

/** With a minus sign. */
function signed(text: string): string {
  return text.replaceAll("-", "−");
}
