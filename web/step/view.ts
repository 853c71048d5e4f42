import type { Characters } from "../inside/characters";
import type { DocumentRecord, LayerRecord, StepRecording } from "../worker/step-recording";

/** What a picture shows: a recording, and what is chosen in it. */
export interface View {
  readonly recording: StepRecording;
  readonly document: DocumentRecord;
  readonly characters: Characters;
  readonly position: number;
  readonly layer: number;
  readonly head: number;
  /** The chosen weight; undefined is that with the largest gradient. */
  readonly weight: Weight | undefined;
  readonly chooseHead: (head: number) => void;
  readonly chooseWeight: (weight: Weight) => void;
}

export interface Weight {
  /** The matrix, by its name. */
  readonly matrix: string;
  readonly row: number;
  readonly column: number;
}

/** A copy of row `row` of a matrix that is `width` wide. */
export function rowOf(matrix: Float32Array | Float64Array, row: number, width: number): Float64Array {
  return Float64Array.from(matrix.subarray(row * width, (row + 1) * width));
}

/** a - b, element by element. */
export function difference(a: ArrayLike<number>, b: ArrayLike<number>): Float64Array {
  return Float64Array.from({ length: a.length }, (_, i) => (a[i] ?? NaN) - (b[i] ?? NaN));
}

export function layerOf({ document, layer }: View): LayerRecord | undefined {
  return document.layers[layer];
}

export function softmax(logits: ArrayLike<number>): Float64Array {
  const all = Float64Array.from(logits);
  const largest = all.reduce((a, b) => Math.max(a, b), -Infinity);
  const e = all.map((logit) => Math.exp(logit - largest));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((x) => x / sum);
}

/** A document as text. */
export function wordOf({ tokens, rows }: DocumentRecord, characters: Characters): string {
  return Array.from(tokens.subarray(1, tokens[rows] === 0 ? rows : rows + 1), (token) =>
    characters.symbolOf(token),
  ).join("");
}
