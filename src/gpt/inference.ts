/* What a program needs that uses a trained model and trains none: docs/library.md, "Inference alone". */

export { InputError } from "./base/errors";
export { Vocabulary } from "./data/vocabulary";
export type { ModelConfig, SamplingLimits } from "./model/config";
export { generate, type GenerateOptions, Generator } from "./model/generate";
export { i32InferenceOps } from "./model/i32-forward";
export type { InferenceModel } from "./model/model";
export type { InferenceOps } from "./model/ops";
export { Random } from "./model/random";
export { f32InferenceOps } from "./model/typescript-forward";
export { type InferencePlan, planInference } from "./plan-inference";
export { type DocumentLoss, Predictor } from "./predictor";
export { modelFromFlash, type ResourceDtype } from "./resource";
