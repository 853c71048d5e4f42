import { InputError } from "../../src/gpt/base/errors";
import type { Clock } from "../../src/gpt/base/platform";
import { Runner } from "../../src/gpt/base/runner";
import { Generator } from "../../src/gpt/model/generate";
import { Model } from "../../src/gpt/model/model";
import { parameterLayout } from "../../src/gpt/model/parameters";
import { Random, siblingSeed } from "../../src/gpt/model/random";
import { EvaluationTask } from "../../src/gpt/training/evaluation";
import type { Trainer } from "../../src/gpt/training/trainer";
import type { Measured, Omission, WhatIf } from "./questions";

/** Documents that are measured where none are held out. */
const DOCUMENTS = 200;
const WORDS = 10;

/**
 * Measures a model with and without some parts, on a copy of its parameters: the training goes on untouched. Both
 * write their words from the same random numbers. It runs in slices; the copy is made at once, between two updates.
 * @throws InputError (as a rejection) if no document fits the block, or for a loss that is not finite
 */
export async function askWhatIf(
  { model, dataset, holdout, stepsDone }: Trainer,
  omission: Omission,
  { clock, seed, temperature }: { readonly clock: Clock; readonly seed: number; readonly temperature: number },
): Promise<WhatIf> {
  const { config, ops, vocabulary } = model;
  const copy = new Model(config, ops, vocabulary, model.parameters.slice());
  const heldOut = holdout?.sample;
  const isHeldOut = heldOut !== undefined && heldOut.length > 0;
  const documents = isHeldOut ? heldOut : spread(dataset.count);
  const runner = new Runner(clock);
  let count = 0;

  const measure = async (): Promise<Measured> => {
    const evaluation = new EvaluationTask(copy, dataset, documents);
    await runner.run(evaluation);
    const { loss, measured } = evaluation;
    if (loss === undefined) throw new InputError("None of the words that would be measured fits block_size.");
    const words: string[] = [];
    const random = new Random(siblingSeed(seed));
    const generator = new Generator(copy, random);
    await runner.run({
      work() {
        // Each word has a stretch of the numbers to itself: it is the same one in both models.
        const next = random.copy();
        for (let i = 0; i <= config.blockSize; i++) next.uint32();
        words.push(generator.name(temperature));
        random.goTo(next.position);
        return words.length < WORDS;
      },
    });
    count = measured;
    return { loss, words };
  };

  const whole = await measure();
  leaveOut(copy, omission);
  const without = await measure();
  return { step: stepsDone, documents: count, isHeldOut, whole, without };
}

/** Sets the weights to zero by which the parts reach the rest of the model. @throws RangeError for an unknown part */
export function leaveOut({ config, parameters }: Model, { heads, mlps, positions, distances }: Omission): void {
  const layout = parameterLayout(config);
  const clear = (name: string, part = 0, parts = 1): void => {
    const { offset, rows, columns } = layout.part(name);
    const size = (rows * columns) / parts;
    parameters.fill(0, offset + part * size, offset + (part + 1) * size);
  };
  const { nHead, nLayer } = config;
  for (const { layer, head } of heads) {
    if (!(head >= 0 && head < nHead)) throw new RangeError(`There is no head ${head}.`);
    clear(`layers.${layer}.wo`, head, nHead);
  }
  for (const layer of mlps) clear(`layers.${layer}.w2`);
  if (positions) clear("wpe");
  for (let layer = 0; distances && layer < nLayer; layer++) clear(`layers.${layer}.bias`);
}

/** Indices of up to DOCUMENTS documents, spread evenly. */
function spread(count: number): Uint32Array {
  const size = Math.min(count, DOCUMENTS);
  return Uint32Array.from({ length: size }, (_, i) => Math.floor((i * count) / size));
}
