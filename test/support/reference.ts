import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ModelConfig } from "../../src/gpt/model/config";
import { parameterLayout } from "../../src/gpt/model/parameters";

/** What the Rust program printed: which name each step drew, and its loss. */
export interface Esp32gptTrace {
  readonly seed: number;
  readonly steps: number;
  readonly learning_rate: number;
  readonly name_index: readonly number[];
  readonly loss: readonly number[];
}

/** Matrices by microgpt.py's names, each [out × in]. */
export type MicrogptParameters = Readonly<Record<string, readonly (readonly number[])[]>>;

/** What microgpt.py computed. */
export interface MicrogptTrace {
  readonly config: { readonly steps: number };
  readonly docs: readonly string[];
  readonly losses: readonly number[];
  readonly init: MicrogptParameters;
  readonly grad_step0: MicrogptParameters;
  readonly final: MicrogptParameters;
}

export function readTrace(folder: string, name: string): unknown {
  return JSON.parse(readFileSync(join(folder, name), "utf8"));
}

const MICROGPT_NAMES: Readonly<Record<string, string>> = {
  wte: "wte",
  wpe: "wpe",
  "layers.0.wq": "layer0.attn_wq",
  "layers.0.wk": "layer0.attn_wk",
  "layers.0.wv": "layer0.attn_wv",
  "layers.0.wo": "layer0.attn_wo",
  "layers.0.w1": "layer0.mlp_fc1",
  "layers.0.w2": "layer0.mlp_fc2",
  wout: "lm_head",
};

const MICROGPT_BOS = 26;

/**
 * microgpt.py's parameters, or their gradients, in this program's order. Its matrices are [out × in],
 * ours [in × out]; its BOS is the last token, ours the first; its embeddings have a row a token, as
 * have ours.
 */
export function inBufferOrder(parameters: MicrogptParameters, config: ModelConfig): number[] {
  const theirToken = (token: number): number => (token === 0 ? MICROGPT_BOS : token - 1);
  return parameterLayout(config).parts.flatMap(({ name, rows, columns }) => {
    const theirs = parameters[MICROGPT_NAMES[name]];
    const at = (row: number, column: number): number => {
      if (name === "wte") return theirs[theirToken(row)][column];
      if (name === "wpe") return theirs[row][column];
      if (name === "wout") return theirs[theirToken(column)][row];
      return theirs[column][row];
    };
    return Array.from({ length: rows * columns }, (_, i) => at(Math.floor(i / columns), i % columns));
  });
}
