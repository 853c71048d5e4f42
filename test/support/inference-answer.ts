import { Generator, type InferenceOps, modelFromFlash, Predictor, Random } from "../../src/gpt/inference";

/** All that the model of a resource says, as text. */
export function inferenceAnswer(resource: Uint8Array, ops: InferenceOps, crc?: (bytes: Uint8Array) => number): string {
  const model = modelFromFlash(resource, ops, crc);
  const predictor = new Predictor(model);
  const generator = new Generator(model, new Random(7));
  const probabilities = [...predictor.probabilities("an")];
  const { mean, each } = predictor.negativeLogLikelihood("anna");
  const losses = [...each];
  const names = ["", "b", "zo"].map((prefix) => generator.name(0.7, prefix));
  return JSON.stringify({ probabilities, mean, losses, names });
}
