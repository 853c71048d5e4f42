import { MLP_RATIO, type ModelConfig } from "../config";
import { Layout } from "./layout";
import type { Floats, Ops, Tensor } from "./ops";
import type { Random } from "./random";

export interface LayerWeights {
  /** wq, wk and wv, one behind the other. */
  readonly wqkv: Tensor;
  readonly wo: Tensor;
  readonly w1: Tensor;
  readonly w2: Tensor;
}

/** The matrices of a model, or their gradients, as the ops take them. */
export interface Weights {
  readonly wte: Tensor;
  readonly wpe: Tensor;
  readonly layers: readonly LayerWeights[];
  readonly wout: Tensor;
}

/** All parameters in one flat buffer; a weight is [in × out]. */
export function parameterLayout({ nLayer, nEmbd, blockSize, vocabularySize }: ModelConfig): Layout {
  const layout = new Layout();
  const hidden = MLP_RATIO * nEmbd;
  layout.add("wte", vocabularySize, nEmbd);
  layout.add("wpe", blockSize, nEmbd);
  for (let layer = 0; layer < nLayer; layer++) {
    for (const name of ["wq", "wk", "wv", "wo"]) layout.add(`layers.${layer}.${name}`, nEmbd, nEmbd);
    layout.add(`layers.${layer}.w1`, nEmbd, hidden);
    layout.add(`layers.${layer}.w2`, hidden, nEmbd);
  }
  layout.add("wout", nEmbd, vocabularySize);
  return layout;
}

/** Views of the matrices in a flat buffer of parameters or gradients. */
export function viewWeights(ops: Ops, floats: Floats, config: ModelConfig): Weights {
  const layout = parameterLayout(config);
  const layers: LayerWeights[] = [];
  for (let i = 0; i < config.nLayer; i++) {
    layers.push({
      wqkv: layout.view(ops, floats, `layers.${i}.wq`, `layers.${i}.wv`),
      wo: layout.view(ops, floats, `layers.${i}.wo`),
      w1: layout.view(ops, floats, `layers.${i}.w1`),
      w2: layout.view(ops, floats, `layers.${i}.w2`),
    });
  }
  return {
    wte: layout.view(ops, floats, "wte"),
    wpe: layout.view(ops, floats, "wpe"),
    layers,
    wout: layout.view(ops, floats, "wout"),
  };
}

/** Draws every parameter, in buffer order, from a normal distribution with mean 0. */
export function drawParameters(parameters: Floats, random: Random, standardDeviation: number): void {
  for (let i = 0; i < parameters.length; i++) parameters[i] = standardDeviation * random.gaussian();
}
