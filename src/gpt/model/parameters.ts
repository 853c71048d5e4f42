import { hasRelativeBias, mlpWidthOf, type ModelConfig, PRESETS } from "./config";
import { Layout } from "./layout";
import type { Floats, Ops, Tensor } from "./ops";
import type { Random } from "./random";

/** The matrices of a layer, or their gradients. */
export interface LayerWeights {
  /** wq, wk and wv, concatenated. */
  readonly wqkv: Tensor;
  readonly wo: Tensor;
  readonly w1: Tensor;
  readonly w2: Tensor;
  /** heads×B, if the model has it. */
  readonly bias: Tensor | undefined;
}

/** The matrices of a model, or their gradients, as the ops take them. */
export interface Weights {
  readonly wte: Tensor;
  readonly wpe: Tensor;
  readonly layers: readonly LayerWeights[];
  readonly wout: Tensor;
}

/** The layout of all parameters in one flat buffer; a weight is [in × out]. Biases, which start at zero, come last. */
export function parameterLayout(config: ModelConfig): Layout {
  const { nLayer, nEmbd, nHead, blockSize, vocabularySize } = config;
  const layout = new Layout();
  const hidden = mlpWidthOf(config);
  layout.add("wte", vocabularySize, nEmbd);
  layout.add("wpe", blockSize, nEmbd);
  for (let layer = 0; layer < nLayer; layer++) {
    for (const name of ["wq", "wk", "wv", "wo"]) layout.add(`layers.${layer}.${name}`, nEmbd, nEmbd);
    layout.add(`layers.${layer}.w1`, nEmbd, hidden);
    layout.add(`layers.${layer}.w2`, hidden, nEmbd);
  }
  layout.add("wout", nEmbd, vocabularySize);
  if (hasRelativeBias(config))
    for (let layer = 0; layer < nLayer; layer++) layout.add(`layers.${layer}.bias`, nHead, blockSize);
  return layout;
}

/** Views of the matrices in a flat buffer of parameters or gradients. */
export function viewWeights(ops: Ops, floats: Floats, config: ModelConfig): Weights {
  const layout = parameterLayout(config);
  const hasBias = hasRelativeBias(config);
  const layers: LayerWeights[] = [];
  for (let i = 0; i < config.nLayer; i++) {
    layers.push({
      wqkv: layout.view(ops, floats, `layers.${i}.wq`, `layers.${i}.wv`),
      wo: layout.view(ops, floats, `layers.${i}.wo`),
      w1: layout.view(ops, floats, `layers.${i}.w1`),
      w2: layout.view(ops, floats, `layers.${i}.w2`),
      bias: hasBias ? layout.view(ops, floats, `layers.${i}.bias`) : undefined,
    });
  }
  return {
    wte: layout.view(ops, floats, "wte"),
    wpe: layout.view(ops, floats, "wpe"),
    layers,
    wout: layout.view(ops, floats, "wout"),
  };
}

/**
 * Draws the parameters of a new model, in buffer order, from a normal distribution with mean 0 and the
 * preset's standard deviation; a bias stays zero.
 */
export function drawParameters(parameters: Floats, random: Random, config: ModelConfig): void {
  const { initStd } = PRESETS[config.preset];
  const { offset, rows, columns } = parameterLayout(config).part("wout");
  for (let i = 0; i < offset + rows * columns; i++) parameters[i] = initStd * random.gaussian();
}
