import type { SettingName } from "../workbench/address";

/** What the page calls a setting; its name in addresses, on the command line and on the chip stands beside it. */
export const PLAIN_NAMES: Readonly<Record<SettingName, string>> = Object.freeze({
  preset: "recipe",
  n_layer: "layers",
  n_embd: "width of the model",
  n_head: "attention heads",
  block_size: "how far it looks back",
  mlp_width: "width of the MLP",
  relative_bias: "bias by distance",
  batch_size: "words for each step",
  steps: "number of steps",
  learning_rate: "learning rate",
  holdout: "words held out, in %",
  moments: "precision of the moments",
  seed: "seed of the random numbers",
  dtype: "arithmetic",
});
