import type { ModelConfig, PresetName } from "../../src/gpt/model/config";

/** A training to do twice. */
export interface UpdatesQuestion {
  readonly dtype: "f32" | "i32";
  readonly preset: PresetName;
  readonly shape: Pick<ModelConfig, "nLayer" | "nEmbd" | "nHead" | "blockSize"> &
    Required<Pick<ModelConfig, "mlpWidth" | "relativeBias">>;
  readonly vocabularySize: number;
  readonly learningRate: number;
  readonly steps: number;
  readonly seed: number;
}

export interface Differences {
  /** Numbers in the buffers of the gradients. */
  readonly gradients: number;
  readonly keptGradients: number;
  /** Whether losses, parameters and moments have the same bits. */
  readonly isSame: boolean;
  readonly lastLoss: unknown;
}
