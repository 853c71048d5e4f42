import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Clock,
  createTrainer,
  Dataset,
  evaluate,
  generate,
  i32Ops,
  InputError,
  type Loss,
  planMemory,
  Predictor,
  Random,
  type StepEvent,
  train,
  Trainer,
  type TrainerOptions,
  Vocabulary,
} from "../src/gpt/index";
import { Checkpoint } from "../src/gpt/checkpoint/reader";
import { restoreTraining, saveTraining } from "../src/gpt/checkpoint/training-checkpoint";
import { DEFAULT_TRAINING } from "../src/gpt/model/config";
import type { Dtype } from "../src/gpt/model/ops";
import { typescriptOps } from "../src/gpt/model/typescript-ops";
import { datasetOf, drawnModel, largestDifference, lossOf, mean, ROOT } from "./helpers";
import { MemoryStorage } from "./support/memory-storage";
import { realRunner } from "./support/runner";

/* The library as a program of one's own uses it: through src/gpt/index.ts alone. */

const DTYPES: readonly Dtype[] = ["f32", "f64", "i32"];
const NAMES = ["emma", "olivia", "ava", "mia", "lea", "anna", "lina", "nina", "ella", "lena"];

/** The event loop of Node. */
const CLOCK: Clock = { now: () => performance.now(), schedule: (slice) => void setImmediate(slice) };

/** Time passes as fast as documents are read: each is a slice. */
function slowClock(onSlice: () => void = () => undefined): Clock {
  let now = 0;
  const schedule = (slice: () => void): void => {
    setImmediate(() => {
      onSlice();
      slice();
    });
  };
  return { now: () => (now += 100), schedule };
}

function trainerOf(options: Partial<TrainerOptions<Dataset>> = {}): Trainer {
  return createTrainer({ dataset: Dataset.of(NAMES), ...options });
}

function stepsOf(trainer: Trainer, count: number): Loss[] {
  return Array.from({ length: count }, () => trainer.step());
}

describe("createTrainer", () => {
  test.each(DTYPES)("draws the weights and trains as the parts do, in %s", (dtype) => {
    const dataset = datasetOf(...NAMES);
    const training = { ...DEFAULT_TRAINING, steps: 20 };
    const model = drawnModel({}, dtype, 7);
    const random = new Random(7);
    // The stream goes on where the weights have left it.
    for (let i = 0; i < model.parameters.length; i++) random.gaussian(model.ops.functions);
    const expected = new Trainer(model, dataset, random, training);
    const trainer = createTrainer({
      dataset: datasetOf(...NAMES),
      training: { steps: 20 },
      seed: 7,
      ops: typescriptOps(dtype),
    });
    expect(stepsOf(trainer, 20)).toEqual(stepsOf(expected, 20));
    expect(trainer.model.parameters).toEqual(expected.model.parameters);
  });

  test("makes the vocabulary from the dataset, and takes what is left out from the preset", () => {
    const { model, config } = trainerOf({ preset: "tuned", model: { nEmbd: 8 }, training: { holdout: 20 } });
    expect(String(model.vocabulary)).toBe("aeilmnov");
    expect(model.config).toMatchObject({ preset: "tuned", nEmbd: 8, nHead: 4, vocabularySize: 9 });
    expect(config).toMatchObject({ batchSize: 8, steps: 250, holdout: 20, sampling: "random" });
  });

  test("asks for the memory before it allocates any, and says what would fit", () => {
    const memory = { total: 260_000, largestPiece: 100_000 };
    const allocating = jest.spyOn(globalThis, "Float32Array");
    expect(() => trainerOf({ model: { nEmbd: 64 }, memory })).toThrow(/n_embd \d+ would fit/);
    expect(allocating).not.toHaveBeenCalled();
    allocating.mockRestore();
    const { model } = trainerOf({ memory });
    expect(planMemory(model.config).total).toBeLessThanOrEqual(memory.total);
  });

  test.each<[RegExp, Partial<TrainerOptions<Dataset>>]>([
    [/n_head/, { model: { nEmbd: 10 } }],
    [/^learning-rate /, { training: { learningRate: -1 } }],
    [/^The seed /, { seed: 0 }],
    [/no name that fits block_size 2/, { model: { blockSize: 2 } }],
    [/^The dtype i32 needs its ops too: i32Ops from "esp32gpt", or opsFor\("i32"\) from /, { dtype: "i32" }],
  ])("throws an InputError: %s", (message, options) => {
    expect(() => trainerOf(options)).toThrow(InputError);
    expect(() => trainerOf(options)).toThrow(message);
  });

  test("takes other ops, but not in another dtype than is asked for", () => {
    const ops = typescriptOps("f64");
    expect(trainerOf({ ops }).model.ops).toBe(ops);
    expect(trainerOf({ ops: i32Ops, dtype: "i32" }).model.ops).toBe(i32Ops);
    expect(trainerOf({ dtype: "f64" }).model.ops.dtype).toBe("f64");
    expect(() => trainerOf({ ops, dtype: "i32" })).toThrow(RangeError);
  });
});

describe("Dataset.of", () => {
  test("is a list of one document a line, whose blank ones are left out", () => {
    const dataset = Dataset.of(["zoé", "", " anna lea "]);
    expect([dataset.count, String(dataset.vocabulary)]).toEqual([2, " aelnozé"]);
  });

  test("refuses a line break and an empty list", () => {
    expect(() => Dataset.of(["ava", "a\nb"])).toThrow(/^Document 2 of the list has a line break/);
    expect(() => Dataset.of([], "sensors")).toThrow(/^sensors has no names/);
  });
});

describe("step", () => {
  test("throws once the schedule is over, and goes on with another", () => {
    const trainer = trainerOf({ training: { steps: 2 } });
    stepsOf(trainer, 2);
    expect(() => trainer.step()).toThrow(RangeError);
    trainer.beginSchedule(3, 0.005);
    stepsOf(trainer, 3);
    expect([trainer.stepsDone, trainer.totalSteps]).toEqual([3, 5]);
  });
});

describe("learn", () => {
  test.each(DTYPES)("is a step on that document, bit for bit, in %s", (dtype) => {
    for (const preset of ["esp32gpt", "microgpt", "tuned"] as const) {
      const training = { batchSize: 1, learningRate: 0.02, sampling: "sequential" as const };
      const options = { dataset: Dataset.of(["emma", "olivia"]), preset, ops: typescriptOps(dtype), training };
      const [drawing, learning] = [createTrainer(options), createTrainer(options)];
      expect(learning.learn("emma")).toBe(drawing.step());
      expect(learning.model.parameters).toEqual(drawing.model.parameters);
      expect(learning.adam.m).toEqual(drawing.adam.m);
      expect([learning.totalSteps, learning.stepsDone, learning.learningRate]).toEqual([1, 0, 0.02]);
    }
  });

  test.each(DTYPES)("goes on for ever, and learns the document by heart, in %s", (dtype) => {
    const trainer = trainerOf({ ops: typescriptOps(dtype), training: { steps: 50 } });
    stepsOf(trainer, 50);
    let loss: Loss = Infinity;
    for (let i = 0; i < 100; i++) loss = trainer.learn("vilma");
    expect(loss).toBeLessThan(0.1);
    expect([trainer.stepsDone, trainer.totalSteps]).toEqual([50, 150]);
    expect(generate(trainer.model, { random: new Random(1), temperature: 0 })).toBe("vilma");
  });

  test("leaves the schedule where it is, and draws the documents of an unfinished batch again", () => {
    const trainer = trainerOf({ preset: "tuned", training: { steps: 10, batchSize: 4 } });
    trainer.step();
    const { random, stepsDone } = trainer.state;
    trainer.trainDocument();
    trainer.trainDocument();
    trainer.learn("ella");
    expect(trainer.state).toEqual({ random, stepsDone, totalSteps: 2, nextName: 0 });
    expect(trainer.isBetweenBatches).toBe(true);
  });

  test.each(DTYPES)("goes on from a checkpoint bit for bit, in %s", async (dtype) => {
    const [trainer, resumed] = [0, 1].map(() => trainerOf({ ops: typescriptOps(dtype), training: { steps: 10 } }));
    stepsOf(trainer, 4);
    trainer.learn("lina");
    const [runner, storage] = [realRunner(), new MemoryStorage()];
    await saveTraining(runner, storage, "file", { trainer, seed: 42 });
    const checkpoint = await Checkpoint.open(storage, "file");
    const record = checkpoint.record();
    if (!record) throw new Error("It has no training.");
    await restoreTraining(runner, checkpoint, record, resumed);
    checkpoint.close();
    const goOn = (each: Trainer): Loss[] => [each.learn("ella"), ...stepsOf(each, 6), each.learn("nina")];
    expect(goOn(resumed)).toEqual(goOn(trainer));
    expect(resumed.model.parameters).toEqual(trainer.model.parameters);
    expect(resumed.state).toEqual(trainer.state);
  });

  test("takes another form of Unicode, and characters of two units", () => {
    const dataset = Dataset.of(["zoé", "😀z"]);
    const twice = (document: string): Loss => createTrainer({ dataset }).learn(document);
    expect(twice("zoe\u0301")).toBe(twice("zoé"));
    expect(twice("z😀")).toBeGreaterThan(0);
  });

  test("cuts a long document if the preset does", () => {
    const trainer = trainerOf({ preset: "microgpt", model: { blockSize: 4 } });
    expect(trainer.learn("olivia")).toBeGreaterThan(0);
  });

  test.each([
    ["", /at least one character/],
    ["bob", /"b" in "bob" is not in the model's vocabulary/],
    ["annaannaannaannaanna", /is too long: block_size 16 takes 15 letters, and it has 20/],
    ["ava\n", /is not in the model's vocabulary/],
  ])("refuses %j, and nothing has changed", (document, message) => {
    const trainer = trainerOf();
    trainer.step();
    const before = trainer.model.parameters.slice();
    expect(() => trainer.learn(document)).toThrow(InputError);
    expect(() => trainer.learn(document)).toThrow(message);
    expect(() => trainer.learn("ava", 11)).toThrow(/^learning-rate /);
    expect(trainer.model.parameters).toEqual(before);
    expect(trainer.totalSteps).toBe(1);
  });

  test("knows characters that are to come, if the dataset is given their vocabulary", () => {
    const dataset = Dataset.of(["ava"]);
    dataset.use(Vocabulary.of("abov"));
    expect(createTrainer({ dataset }).learn("bob")).toBeCloseTo(Math.log(5), 0);
  });
});

describe("train", () => {
  test.each(DTYPES)("takes the steps of the schedule, in %s", async (dtype) => {
    const options = { ops: typescriptOps(dtype), preset: "tuned" as const, training: { steps: 12, holdout: 20 } };
    const [whole, sliced] = [trainerOf(options), trainerOf(options)];
    const losses: Loss[] = [];
    const validations: number[] = [];
    const onStep = ({ step, loss, validationLoss }: StepEvent): void => {
      losses.push(loss);
      if (validationLoss !== undefined) validations.push(step);
    };
    expect(await train(sliced, { clock: slowClock(), onStep, validateEvery: 5 })).toBe("done");
    expect(losses).toEqual(stepsOf(whole, 12));
    expect(validations).toEqual([0, 5, 10, 11]);
    expect(sliced.model.parameters).toEqual(whole.model.parameters);
    expect(await train(sliced, { clock: CLOCK })).toBe("done");
    expect(sliced.stepsDone).toBe(12);
  });

  test("stops between two documents when it is aborted, and goes on to the same end", async () => {
    const options = { preset: "tuned" as const, training: { steps: 6 } };
    const [whole, cut] = [trainerOf(options), trainerOf(options)];
    stepsOf(whole, 6);
    for (const slices of [3, 13, 21]) {
      const controller = new AbortController();
      let left = slices;
      const clock = slowClock(() => {
        if (--left === 0) controller.abort();
      });
      expect(await train(cut, { clock, signal: controller.signal })).toBe("stopped");
    }
    expect(await train(cut, { clock: CLOCK, signal: { aborted: false } })).toBe("done");
    expect(cut.model.parameters).toEqual(whole.model.parameters);
  });

  test("leaves the event loop its turns", async () => {
    let turns = 0;
    const clock = slowClock(() => turns++);
    await train(trainerOf({ training: { steps: 30 } }), { clock });
    expect(turns).toBe(30);
  });

  test("tells that a model is not learning, and rejects if it has diverged", async () => {
    const remarks: string[] = [];
    const training = { steps: 250, learningRate: 2 };
    await train(trainerOf({ dtype: "f64", training }), {
      clock: CLOCK,
      onRemark: (remark) => void remarks.push(remark),
    });
    expect(remarks.join()).toMatch(/not learning/);
    const far = trainerOf({ ops: i32Ops, training: { steps: 50, learningRate: 10 } });
    await expect(train(far, { clock: CLOCK })).rejects.toThrow(InputError);
    await expect(train(far, { clock: CLOCK, validateEvery: 0 })).rejects.toThrow(/^validateEvery /);
  });
});

describe("a trained model", () => {
  const trained = new Map<Dtype, Trainer>(
    DTYPES.map((dtype) => {
      const trainer = trainerOf({ ops: typescriptOps(dtype), training: { steps: 120, holdout: 30 } });
      stepsOf(trainer, 120);
      return [dtype, trainer];
    }),
  );
  const of = (dtype: Dtype): Trainer => trained.get(dtype) ?? trainerOf();
  /** How far the loss of the ops is from that in doubles. */
  const TOLERANCE = { f32: 1e-5, f64: 1e-12, i32: 1e-3 };

  test.each(DTYPES)("has probabilities whose sum is 1, in %s", (dtype) => {
    const { model } = of(dtype);
    const predictor = new Predictor(model);
    const first = predictor.probabilities();
    expect(first).toHaveLength(model.vocabulary.size);
    expect(first.reduce((sum, p) => sum + p)).toBeCloseTo(1, 12);
    expect(Math.min(...first)).toBeGreaterThan(0);
    // No document is empty.
    expect(first[0]).toBeLessThan(0.1);
    const copy = first.slice();
    const second = predictor.probabilities("emm");
    expect(second).toBe(first);
    expect(largestDifference(second, copy)).toBeGreaterThan(0.1);
    const likeliest = second.indexOf(Math.max(...second));
    const [name] = [generate(model, { random: new Random(1), prefix: "emm", temperature: 0 })];
    expect(name.startsWith(`emm${model.vocabulary.characterOf(likeliest)}`)).toBe(true);
  });

  test.each(DTYPES)("has the negative log-likelihood of a document, each symbol and the mean, in %s", (dtype) => {
    const { model } = of(dtype);
    const predictor = new Predictor(model);
    for (const name of ["emma", "lena", "a", "vvvvv"]) {
      const { mean: total, each } = predictor.negativeLogLikelihood(name);
      const losses = [...each];
      expect(losses).toHaveLength(name.length + 1);
      expect(total).toBeCloseTo(mean(losses), 12);
      expect(Math.abs(total - lossOf(model, name))).toBeLessThan(TOLERANCE[dtype]);
      for (let i = 0; i <= name.length; i++) {
        const token = i < name.length ? model.vocabulary.tokenOf(name.charCodeAt(i)) : 0;
        const p = predictor.probabilities(name.slice(0, i))[token];
        // In i32 the positions of a longer text share an exponent.
        expect(Math.abs(losses[i] + Math.log(p))).toBeLessThan(dtype === "i32" ? 1e-3 : TOLERANCE[dtype]);
      }
    }
    expect(predictor.negativeLogLikelihood("emma").mean).toBeLessThan(predictor.negativeLogLikelihood("mmvae").mean);
  });

  test("refuses what it cannot read, and numbers that are not finite", () => {
    const model = drawnModel({ blockSize: 4 });
    const predictor = new Predictor(model);
    expect(predictor.probabilities("abc")).toHaveLength(27);
    expect(() => predictor.probabilities("abcd")).toThrow(/^The prefix has 4 symbols, and block_size 4 takes 3\.$/);
    expect(() => predictor.probabilities("É")).toThrow(/is not in the model's vocabulary/);
    expect(() => predictor.negativeLogLikelihood("abcd")).toThrow(/too long/);
    expect(() => predictor.negativeLogLikelihood("")).toThrow(InputError);
    model.parameters.fill(NaN);
    expect(() => predictor.probabilities("abc")).toThrow(/not finite/);
    expect(() => predictor.negativeLogLikelihood("abc")).toThrow(/not finite/);
  });

  test.each(DTYPES)("generates what the options say, in %s", (dtype) => {
    const { model } = of(dtype);
    const random = new Random(5);
    const names = Array.from({ length: 20 }, () => generate(model, { random, prefix: "l", topK: 5, topP: 0.9 }));
    expect(new Set(names).size).toBeGreaterThan(2);
    expect(names.every((name) => name.startsWith("l"))).toBe(true);
    expect(generate(model, { random: new Random(5), prefix: "l", topK: 5, topP: 0.9 })).toBe(names[0]);
    expect(() => generate(model, { random, temperature: -1 })).toThrow(InputError);
    expect(() => generate(model, { random, topK: 0.5 })).toThrow(/^top-k /);
  });

  test.each(DTYPES)("is evaluated on all documents, or on those held out, in %s", async (dtype) => {
    const { model, dataset, holdout } = of(dtype);
    const all = await evaluate(model, dataset, { clock: slowClock() });
    expect(all?.names).toBe(NAMES.length);
    expect(all?.loss).toBeCloseTo(mean(NAMES.map((name) => lossOf(model, name))), 12);
    const held = await evaluate(model, dataset, { clock: CLOCK, holdout });
    expect(held?.names).toBe(holdout?.sample.length);
    expect(held?.loss).toBeGreaterThan(all?.loss ?? 0);
  });

  test("is evaluated until it is aborted, and on documents that it can read", async () => {
    const { model, dataset } = of("f32");
    expect(await evaluate(model, dataset, { clock: CLOCK, signal: { aborted: true } })).toBeUndefined();
    await expect(evaluate(model, Dataset.of(["bob"]), { clock: CLOCK })).rejects.toThrow(InputError);
  });
});

test("a firmware of one's own finds each module of the library in its manifests, preloaded", () => {
  const folder = join(ROOT, "src", "gpt");
  const read = (file: string): { modules: Record<string, string>; preload: string[] } =>
    JSON.parse(readFileSync(join(folder, file), "utf8")) as ReturnType<typeof read>;
  const [base, own, inference] = ["manifest.json", "manifest-library.json", "manifest-inference.json"].map(read);
  const files = readdirSync(folder).filter((file) => file.endsWith(".ts"));
  expect(Object.values({ ...base.modules, ...own.modules, ...inference.modules })).toEqual(
    expect.arrayContaining(files.map((file) => `./${file.slice(0, -".ts".length)}`)),
  );
  expect(own.preload).toEqual(Object.keys(own.modules));
});
