export { DEFAULT_MODEL, DEFAULT_TRAINING, PRESETS } from "./config";
export { Dataset } from "./dataset";
export { Generator } from "./generate";
export { Model } from "./model";
export { drawParameters } from "./parameters";
export { Random } from "./random";
export { Trainer } from "./trainer";
export { typescriptOps } from "./typescript-ops";
