import type { Host } from "../../host/xs/host";
import { createTrainer } from "../../src/gpt/create-trainer";
import { Vocabulary } from "../../src/gpt/data/vocabulary";
import { DocumentList } from "../../src/gpt/document-list";
import type { Numbers, Ops } from "../../src/gpt/model/ops";
import { Random } from "../../src/gpt/model/random";
import { nativeI32Ops, nativeOps } from "../../src/gpt/native/native-ops";
import type { Trainer } from "../../src/gpt/training/trainer";
import type { Differences, UpdatesQuestion } from "./updates-questions";

// Runs on XS: answers each line of updates.test.ts.

declare const host: Host;

host.setLineListener((line) => {
  if (line !== undefined) host.write(`${JSON.stringify(answer(JSON.parse(line) as UpdatesQuestion))}\n`);
});

/** Trains twice, once with a buffer of gradients, and compares all that is left. */
function answer(question: UpdatesQuestion): Differences {
  const ops = question.dtype === "i32" ? nativeI32Ops : nativeOps;
  const [at, kept] = [ops, { ...ops, canUpdate: () => false }].map((kernels) => trainerFor(question, kernels));
  const losses = [at, kept].map((trainer) => lossesOf(trainer, question));
  return {
    gradients: at.gradients.length,
    keptGradients: kept.gradients.length,
    isSame:
      JSON.stringify(losses[0]) === JSON.stringify(losses[1]) &&
      isSame(at.model.parameters, kept.model.parameters) &&
      isSame(at.adam.m, kept.adam.m),
    lastLoss: losses[0][losses[0].length - 1],
  };
}

function trainerFor(
  { preset, shape, vocabularySize, learningRate, seed }: UpdatesQuestion,
  ops: Ops,
): Trainer<DocumentList> {
  const names = Array.from({ length: vocabularySize - 1 }, (_, i) => `s${i}`);
  const random = new Random(seed);
  const documents = Array.from({ length: 20 }, () =>
    Uint8Array.from({ length: 1 + random.index(shape.blockSize - 1) }, () => random.index(names.length)),
  );
  const dataset = DocumentList.of(Vocabulary.ofSymbols(names), documents);
  const training = { batchSize: 1, moments: "bf16", steps: 40, learningRate } as const;
  return createTrainer({ dataset, ops, preset, model: shape, training, seed });
}

function lossesOf(trainer: Trainer<DocumentList>, { steps }: UpdatesQuestion): unknown[] {
  const losses: unknown[] = Array.from({ length: steps }, () => trainer.step());
  return [...losses, trainer.learn(Uint8Array.of(0)), trainer.step()];
}

function isSame(one: Numbers, other: Numbers): boolean {
  const [a, b] = [one, other].map(
    ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
  );
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
