import { OwnWords } from "../src/gpt/data/own-words";
import { Generator } from "../src/gpt/model/generate";
import { Random } from "../src/gpt/model/random";
import { Trainer } from "../src/gpt/training/trainer";
import { TrainingTask } from "../src/gpt/training/training";
import { datasetOf, drawnModel } from "./helpers";

/* What events say of the steps between them, and what a training leaves behind. */

const CONFIG = { nEmbd: 8, nHead: 2, blockSize: 4 };

function trainerOf(steps: number, ...names: string[]): Trainer {
  const training = { steps, batchSize: 1, learningRate: 0.02, sampling: "sequential" as const, holdout: 0 };
  return new Trainer(drawnModel(CONFIG), datasetOf(...names), new Random(1), training);
}

test("an event has the mean of the losses since the last one, without those of names that were passed over", () => {
  // The third name does not fit.
  const names = ["ab", "ba", "abcdef", "abc"];
  const alone = trainerOf(40, ...names);
  const losses = Array.from({ length: 40 }, () => alone.step());
  const told: { step: number; mean: number | undefined }[] = [];
  const task = new TrainingTask(trainerOf(40, ...names), 1_000_000, 65, (event) => {
    if (event.type === "step") told.push({ step: event.step, mean: event.mean });
  });
  for (let now = 0; !task.isOver; now += 10) task.work(now);
  expect(told.length).toBeGreaterThan(4);
  let from = 0;
  for (const { step, mean } of told) {
    const since = losses.slice(from, step + 1).filter((loss) => typeof loss === "number");
    if (since.length > 0) expect(mean).toBeCloseTo(since.reduce((sum, loss) => sum + loss, 0) / since.length, 10);
    from = step + 1;
  }
});

test("an event for every step has no mean", () => {
  const means: unknown[] = [];
  const task = new TrainingTask(trainerOf(5, "ab"), 1_000_000, 0, (event) => {
    if (event.type === "step") means.push(event.mean);
  });
  for (let now = 0; !task.isOver; now += 10) task.work(now);
  expect(means).toEqual(new Array(5).fill(undefined));
});

test("at temperature 0 the likeliest name is written", () => {
  const trainer = trainerOf(300, "ab");
  for (let step = 0; step < 300; step++) trainer.step();
  for (const seed of [1, 2, 3])
    expect(new Generator(trainer.model, new Random(seed)).name(0, "", { topK: 0, topP: 1 })).toBe("ab");
});

test("a list of words has those that were added", () => {
  const own = new OwnWords();
  for (const word of ["zoe", "rex"]) own.add(word);
  expect(["zoe", "rex", "ze", "zoerex"].map((word) => own.has(word))).toEqual([true, true, false, false]);
});

test("a word of random numbers is the state, as a signed integer", () => {
  const random = new Random(0x9000_0000);
  expect(random.word).toBe(0x9000_0000 | 0);
  random.uniform();
  expect(random.word).toBe(random.position.state | 0);
});
