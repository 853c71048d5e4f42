import { InputError } from "../../src/gpt/base/errors";
import { PRESETS } from "../../src/gpt/model/config";
import { forward } from "../../src/gpt/model/forward";
import type { Model } from "../../src/gpt/model/model";
import { maxSymbols } from "../../src/gpt/training/document-length";
import type { Trainer } from "../../src/gpt/training/trainer";
import type { Device } from "../../src/device/device";
import { doSteps } from "../../src/device/commands/training";
import type { DocumentInWork } from "./document-recorder";
import { recordWith, StepRecorder } from "./recording-ops";
import type { DocumentRecord, StepRecording } from "./step-recording";
import { lossesOf } from "./tensor-copies";

/* A step of the training with all that it computes, and a step that is undone again. */

/** How often a document that fits is looked for. */
const TRIES = 100;

/**
 * Does the next step of a paused training and records it.
 * @param layer the one that is kept if the model is too large for all
 * @throws InputError (as a rejection) if the training is over, or the step changes nothing
 */
export async function recordStep(device: Device, layer: number): Promise<StepRecording> {
  const { trainer } = device;
  // All documents of the step have to be seen; those of an unfinished batch are drawn again.
  await device.runBetweenSteps(() => {
    if (!trainer.isBetweenBatches) trainer.abandonBatch();
  });
  const recording = await recordUpdate(trainer, layer, () => doSteps(device, 1));
  if (recording) return { ...recording, isReal: true };
  throw new InputError("This step changed nothing: see the messages of the training, or go on to the next one.");
}

/**
 * Records what a step on one document would do; the training is the same as before. Call it between two steps.
 * @param word undefined for one of the dataset
 * @throws InputError (as a rejection) if the model cannot be trained on the word
 */
export async function recordWhatIf(trainer: Trainer, word: string | undefined, layer: number): Promise<StepRecording> {
  const { model, adam, state, lastLoss, learningRate } = trainer;
  const before = [model.parameters, adam.m, adam.v].map((numbers) => ({ numbers, copy: numbers.slice() }));
  try {
    const document = word ?? someWord(trainer);
    const recording = await recordUpdate(trainer, layer, () => void trainer.learn(document, nextRate(trainer)));
    if (!recording)
      throw new InputError("The model's numbers are not finite: train it again with a lower learning rate.");
    return recording;
  } finally {
    for (const { numbers, copy } of before) (numbers as Float32Array).set(copy);
    trainer.restore(state);
    [trainer.lastLoss, trainer.learningRate] = [lastLoss, learningRate];
  }
}

/**
 * Records the update that `work` makes; undefined if it makes none.
 * @param layer the one that is kept if the model is too large for all
 */
export async function recordUpdate(
  trainer: Trainer,
  layer: number,
  work: () => unknown,
): Promise<StepRecording | undefined> {
  const { model } = trainer;
  const recorder = new StepRecorder(model, trainer.config.batchSize, layer);
  await recordWith(model.ops, recorder, work);
  const { matrices, constants, documents, documentCount } = recorder;
  if (!matrices) return undefined;
  const { n, heads, hidden, vocabulary, rmsNorm } = model.shape;
  const { totalSteps, learningRate } = trainer;
  return {
    isReal: false,
    step: totalSteps - 1,
    shape: { dtype: model.ops.dtype, n, heads, hidden, vocabulary, layers: model.config.nLayer, rmsNorm },
    documentCount,
    weighs: PRESETS[model.config.preset].weighs,
    loss: trainer.lastLoss ?? NaN,
    documents: documents.map((document) => afterwards(model, document)),
    adam: { ...constants, t: totalSteps, learningRate, matrices },
  };
}

/** Adds what the model makes of a document now. */
function afterwards(model: Model, document: DocumentInWork): DocumentRecord {
  const { tokens, rows } = document;
  const { vocabulary } = model.shape;
  const { logits } = model.activations;
  forward(model, tokens, 0, rows);
  const lossesAfter = lossesOf(logits, tokens, rows, vocabulary);
  return { ...document, lossesAfter, lossAfter: model.ops.softmaxCrossEntropy(logits, tokens, rows, vocabulary, 0) };
}

/** The learning rate of the next step, or of the last one if there is no other. */
function nextRate({ config, stepsDone }: Trainer): number {
  const { steps, learningRate, schedule } = config;
  return schedule === "constant" ? learningRate : learningRate * (1 - Math.min(stepsDone, steps - 1) / steps);
}

/** A document of the dataset that fits, whatever the training will draw. */
function someWord({ model, dataset }: Trainer): string {
  const tokens = new Uint8Array(model.config.blockSize + 1);
  const most = Math.min(maxSymbols(model), model.config.blockSize - 1);
  for (let tries = 0; tries < TRIES; tries++) {
    const length = dataset.tokens(Math.floor(Math.random() * dataset.count), tokens) - 2;
    if (length > most) continue;
    return Array.from(tokens.subarray(1, length + 1), (token) => model.vocabulary.characterOf(token)).join("");
  }
  throw new InputError("No word of the list was found that fits block_size: type one.");
}
