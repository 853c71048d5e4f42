/* The library: docs/library.md begins with an example. */

export { InputError } from "./base/errors";
export type { Clock, MemoryBudget, NewFile, Storage, StoredFile } from "./base/platform";
export { type Ending, Runner, type Task } from "./base/runner";
export { createTrainer, type TrainerOptions } from "./create-trainer";
export { Dataset } from "./data/dataset";
export { DocumentList } from "./document-list";
export { DocumentRing, type RingOptions } from "./document-ring";
export type { DocumentSource } from "./data/document-source";
export { type Document, Vocabulary, type VocabularyOptions } from "./data/vocabulary";
export { type WindowOptions, Windows } from "./windows";
export { DEFAULT_MODEL, DEFAULT_TRAINING, PRESETS, trainingConfig } from "./model/config";
export type { ModelConfig, PresetName, SamplingLimits, Schedule, TrainingConfig } from "./model/config";
export { forward } from "./model/forward";
export { generate, type GenerateOptions, Generator } from "./model/generate";
export { i32Ops } from "./model/i32-ops";
export { Model } from "./model/model";
export type { Dtype, Ops } from "./model/ops";
export { drawParameters } from "./model/parameters";
export { Random } from "./model/random";
export { typescriptOps } from "./model/typescript-ops";
export { type MemoryPlan, planMemory } from "./plan";
export { type DocumentLoss, Predictor } from "./predictor";
export { evaluate, type EvaluateOptions, type Evaluation, train, type TrainOptions } from "./slices";
export { type CheckpointFile, loadCheckpoint, loadModel, type ModelFile, saveCheckpoint } from "./stored-training";
export type { Loss, StepEvent } from "./training/events";
export { Trainer } from "./training/trainer";
export { TrainingTask as Training } from "./training/training";
