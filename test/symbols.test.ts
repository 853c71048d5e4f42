import fc from "fast-check";
import {
  type Clock,
  createTrainer,
  Dataset,
  type Document,
  DocumentList,
  DocumentRing,
  type Dtype,
  evaluate,
  generate,
  i32Ops,
  InputError,
  loadCheckpoint,
  loadModel,
  type Loss,
  Predictor,
  Random,
  saveCheckpoint,
  type Schedule,
  train,
  Trainer,
  type TrainerOptions,
  typescriptOps,
  Vocabulary,
  type VocabularyOptions,
  Windows,
} from "../src/gpt/index";
import { areEqual } from "../src/gpt/data/vocabulary";
import type { DocumentSource } from "../src/gpt/data/document-source";
import { NodeStorage } from "../src/places/node/storage";
import { readFileSync } from "node:fs";
import { temporaryFolder } from "./support/cli";

/* The library for what is no list of texts: symbols with names, windows over a stream, documents that come one by one. */

const at = temporaryFolder();
const CLOCK: Clock = { now: () => performance.now(), schedule: (slice) => void setImmediate(slice) };
const DTYPES: readonly Dtype[] = ["f32", "f64", "i32"];
const STATES = ["idle", "start", "run", "stop"];
const CYCLES: readonly string[] = ["idle start run run stop", "idle start run stop", "idle start run run run stop"];

const machine = (options?: VocabularyOptions): Vocabulary => Vocabulary.ofSymbols(STATES, options);
const cycles = (): DocumentList => DocumentList.of(machine(), CYCLES);
const stream = { addEos: false };

function tokensOf(source: DocumentSource, i: number): number[] {
  const tokens = new Uint8Array(64);
  return [...tokens.subarray(0, source.tokens(i, tokens))];
}

function stepsOf(trainer: Trainer<DocumentSource>, count: number): Loss[] {
  return Array.from({ length: count }, () => trainer.step());
}

describe("named symbols", () => {
  test("have the tokens 1 to n in the order given, and are words in a text", () => {
    const tokens = new Uint8Array(8);
    expect(machine().encode("  stop idle run ", tokens, 1)).toBe(4);
    expect([...tokens]).toEqual([0, 4, 1, 3, 0, 0, 0, 0]);
    expect([1, 2, 3, 4].map((token) => machine().characterOf(token))).toEqual(STATES);
    expect([...machine().symbolsOf("run idle")]).toEqual([2, 0]);
    expect(machine().check(Uint8Array.of(3, 2, 1, 0))).toBe(4);
  });

  test("are up to 255, whatever their names", () => {
    const word = fc
      .string({ unit: "binary", minLength: 1, maxLength: 8 })
      .filter((name) => /^[\p{L}\p{N}\p{S}]+$/u.test(name));
    fc.assert(
      fc.property(fc.uniqueArray(word, { minLength: 1, maxLength: 255 }), (names) => {
        const vocabulary = Vocabulary.ofSymbols(names);
        expect([...vocabulary.symbolsOf(names.join(" "))]).toEqual(names.map((_, i) => i));
      }),
    );
  });

  test.each([
    [[], /1 to 255 symbols, not 0/],
    [Array.from({ length: 256 }, (_, i) => `s${i}`), /1 to 255 symbols, not 256/],
    [["a", ""], /Symbol 1 has the name ""/],
    [["two words"], /one word/],
    [["a\n"], /one word/],
    [["\u001b[31m"], /one word/],
    [["on", "off", "on"], /Two symbols have the name "on"/],
    [Array.from({ length: 255 }, (_, i) => `${i}`.padStart(13, "x")), /take 3570 bytes.*room for 3072/],
  ])("refuses the names %#", (names, message) => {
    expect(() => Vocabulary.ofSymbols(names)).toThrow(InputError);
    expect(() => Vocabulary.ofSymbols(names)).toThrow(message);
  });

  test.each<[Document, RegExp]>([
    ["idle wait", /"wait" in "idle wait" is not in the model's vocabulary/],
    ["idlestart", /"idlestart" in/],
    [Uint8Array.of(0, 4), /Symbol 4, at index 1, is not in the model's vocabulary, which has 0 to 3/],
  ])("refuses the document %j", (document, message) => {
    expect(() => machine().check(document)).toThrow(InputError);
    expect(() => machine().check(document)).toThrow(message);
  });
});

describe("an unknown symbol", () => {
  const tokens = new Uint8Array(8);

  test("is mapped if the app names one that stands for it", () => {
    const named = machine({ unknown: "idle" });
    expect([named.encode("run wait stop", tokens, 0), ...tokens.subarray(0, 3)]).toEqual([3, 3, 1, 4]);
    expect([named.encode(Uint8Array.of(9, 1), tokens, 0), ...tokens.subarray(0, 2)]).toEqual([2, 1, 2]);
    const letters = Vocabulary.of("?abé", { unknown: "?" });
    expect([letters.encode("aXé 字", tokens, 0), ...tokens.subarray(0, 5)]).toEqual([5, 2, 1, 4, 1, 1]);
  });

  test("keeps what is known in another form of Unicode", () => {
    const letters = Vocabulary.of("?eé", { unknown: "?" });
    expect(letters.respell("e\u0301")).toBe("é");
  });

  test("of a list is mapped as well", () => {
    const dataset = Dataset.of(["ab!", "字b a"]);
    dataset.use(Vocabulary.of("?ab", { unknown: "?" }));
    expect([0, 1].map((i) => tokensOf(dataset, i))).toEqual([
      [0, 2, 3, 1, 0],
      [0, 1, 3, 1, 2, 0],
    ]);
  });

  test.each(["wait", "idle run", ""])("cannot be mapped to %j, which is not in the vocabulary", (unknown) => {
    expect(() => machine({ unknown })).toThrow(/for unknown symbols, is not in the vocabulary/);
    expect(() => Vocabulary.of("ab", { unknown })).toThrow(InputError);
  });
});

describe("a list of documents", () => {
  test("has them as tokens, in texts and in numbers", () => {
    const list = DocumentList.of(machine(), ["idle run", "", Uint8Array.of(3), "stop"]);
    expect([list.count, list.longest, list.meanTokens]).toEqual([3, 2, 1 + 4 / 3]);
    expect([0, 1, 2].map((i) => tokensOf(list, i))).toEqual([
      [0, 1, 3, 0],
      [0, 4, 0],
      [0, 4, 0],
    ]);
    expect(list.hash(1)).toBe(list.hash(2));
    expect(list.hash(0)).not.toBe(list.hash(1));
    expect(() => list.tokens(3, new Uint8Array(4))).toThrow(RangeError);
  });

  test("trains as the same documents in letters do", () => {
    const letters = Dataset.of(
      CYCLES.map((cycle) =>
        cycle
          .split(" ")
          .map((name) => "isrx"["idle start run stop".split(" ").indexOf(name)])
          .join(""),
      ),
    );
    // In the order of the named symbols: i < r < s < x are 0, 2, 1, 3 of them.
    const named = DocumentList.of(Vocabulary.ofSymbols(["idle", "run", "start", "stop"]), CYCLES);
    const [a, b] = [createTrainer({ dataset: letters }), createTrainer({ dataset: named })];
    expect(stepsOf(b, 30)).toEqual(stepsOf(a, 30));
    expect(b.model.parameters).toEqual(a.model.parameters);
  });

  test("refuses none, unknown symbols, and none that fits", () => {
    expect(() => DocumentList.of(machine(), [""])).toThrow("the list has no documents.");
    expect(() => DocumentList.of(machine(), ["idle", "wait"])).toThrow(InputError);
    expect(() => createTrainer({ dataset: DocumentList.of(machine(), [CYCLES[0]]), model: { blockSize: 4 } })).toThrow(
      "the list has no document that fits blockSize 4, which takes 3 symbols: the shortest has 5, which fit model: { blockSize: 6 }.",
    );
  });

  test("holds documents out, and measures them", async () => {
    const documents = Array.from({ length: 60 }, (_, i) =>
      Uint8Array.from({ length: 3 + (i % 4) }, (_, j) => (i >> j) & 3),
    );
    const dataset = DocumentList.of(machine(), documents);
    const trainer = createTrainer({ dataset, training: { steps: 40, holdout: 30 } });
    expect(await train(trainer, { clock: CLOCK })).toBe("done");
    const all = await evaluate(trainer.model, dataset, { clock: CLOCK });
    const held = await evaluate(trainer.model, dataset, { clock: CLOCK, holdout: trainer.holdout });
    expect([all?.names, (held?.names ?? 0) > 5, (held?.names ?? 60) < 40]).toEqual([60, true, true]);
  });
});

describe("windows over a stream", () => {
  const numbers = Uint8Array.from({ length: 23 }, (_, i) => i % 4);

  test.each([
    [{ length: 8 }, true, [0, 8]],
    [{ length: 8, overlap: 5 }, false, [0, 3, 6, 9, 12, 15]],
    [{ length: 23 }, true, [0]],
  ])("are cut as %j says, with BOS: %s", (options, addBos, begins) => {
    const windows = new Windows(machine({ addBos, addEos: false }), numbers, options);
    expect(windows.count).toBe(begins.length);
    const wanted = begins.map((begin) => [
      ...(addBos ? [0] : []),
      ...numbers.slice(begin, begin + options.length).map((symbol) => symbol + 1),
    ]);
    expect(begins.map((_, i) => tokensOf(windows, i))).toEqual(wanted);
  });

  test.each(DTYPES)("train, are measured and predict, with and without BOS, in %s", async (dtype) => {
    for (const addBos of [true, false]) {
      const vocabulary = machine({ addBos, addEos: false });
      const dataset = new Windows(vocabulary, numbers, { length: 8, overlap: 4 });
      const trainer = createTrainer({
        dataset,
        ops: typescriptOps(dtype),
        model: { blockSize: 8, nEmbd: 8 },
        training: { steps: 120 },
      });
      stepsOf(trainer, 120);
      const predictor = new Predictor(trainer.model);
      const usual = predictor.negativeLogLikelihood(numbers.subarray(0, 8));
      expect(usual.each).toHaveLength(addBos ? 8 : 7);
      expect(usual.mean).toBeLessThan(0.5);
      expect(predictor.negativeLogLikelihood(Uint8Array.of(0, 1, 2, 3, 0, 3, 2, 1)).mean).toBeGreaterThan(2);
      const after = predictor.probabilities("run stop");
      expect(after.indexOf(Math.max(...after))).toBe(1);
      const measured = await evaluate(trainer.model, dataset, { clock: CLOCK });
      expect(measured?.loss).toBeLessThan(0.5);
      const text = generate(trainer.model, { random: new Random(1), prefix: "idle start", temperature: 0 });
      expect(text).toBe(`idle start run stop idle start run${addBos ? "" : " stop"}`);
      expect(generate(trainer.model, { random: new Random(1), prefix: Uint8Array.of(0, 1), temperature: 0 })).toBe(
        text,
      );
      if (addBos) expect(predictor.probabilities("")).toHaveLength(5);
      else {
        expect(() => predictor.probabilities("")).toThrow(/no BOS to begin with/);
        expect(() => generate(trainer.model, { random: new Random(1) })).toThrow(/no BOS to begin with/);
        expect(() => trainer.learn("idle")).toThrow(/has one symbol/);
      }
      expect(trainer.learn("idle start run stop idle start run stop")).toBeLessThan(0.5);
      expect(() => trainer.learn(Uint8Array.from({ length: 12 }))).toThrow(
        `The document is too long: block_size 8 takes ${addBos ? 8 : 9} symbols, and it has 12.`,
      );
    }
  });

  test("of a text have characters as symbols", () => {
    const vocabulary = Vocabulary.of(" .abé", stream);
    const windows = new Windows(vocabulary, vocabulary.symbolsOf("ab. bae\u0301. ab."), { length: 5, overlap: 3 });
    expect(windows.count).toBe(4);
    expect(tokensOf(windows, 1)).toEqual([0, 2, 1, 4, 3, 5]);
  });

  test.each<[VocabularyOptions, Uint8Array, { length: number; overlap?: number }, RegExp]>([
    [{}, numbers, { length: 4 }, /addEos: false/],
    [stream, numbers, { length: 1 }, /length of a window must be a whole number from 2/],
    [stream, numbers, { length: 8, overlap: 8 }, /overlap of windows must be a whole number from 0 to 7, not 8/],
    [stream, numbers, { length: 24 }, /the stream has 23 symbols, and a window has 24/],
    [stream, Uint8Array.of(1, 2, 4, 0), { length: 4 }, /Symbol 4, at index 2/],
  ])("refuse %j", (options, symbols, size, message) => {
    expect(() => new Windows(machine(options), symbols, size)).toThrow(InputError);
    expect(() => new Windows(machine(options), symbols, size)).toThrow(message);
  });

  test("are no documents of a list of texts", () => {
    const dataset = Dataset.of(["ab"]);
    expect(() => dataset.use(machine())).toThrow(
      /the list is a list of texts, and the model knows the symbols idle start/,
    );
    expect(() => dataset.use(Vocabulary.of("ab", stream))).toThrow(/pieces of a stream/);
  });
});

describe("a ring of documents", () => {
  test("has the last that came", () => {
    const ring = new DocumentRing(machine(), { documents: 2, length: 3 });
    expect([ring.count, ring.checksum]).toEqual([0, undefined]);
    expect(() => ring.tokens(0, new Uint8Array(4))).toThrow(InputError);
    ring.add("idle");
    ring.add("run stop");
    expect([ring.count, tokensOf(ring, 0), tokensOf(ring, 1)]).toEqual([2, [0, 1, 0], [0, 3, 4, 0]]);
    ring.add(Uint8Array.of(3, 3, 3));
    expect([ring.count, tokensOf(ring, 0), tokensOf(ring, 1)]).toEqual([2, [0, 4, 4, 4, 0], [0, 3, 4, 0]]);
    for (const wrong of ["", "idle idle idle idle", "wait", Uint8Array.of(7)])
      expect(() => ring.add(wrong)).toThrow(InputError);
    expect(tokensOf(ring, 1)).toEqual([0, 3, 4, 0]);
  });

  test("is learnt from while it fills, and for ever", () => {
    const ring = new DocumentRing(machine(), { documents: 3, length: 8 });
    const trainer = createTrainer({
      dataset: ring,
      model: { blockSize: 12 },
      training: { steps: 5, schedule: "constant" },
    });
    expect(() => trainer.step()).toThrow("the ring has no document yet: add one before the first step.");
    for (let i = 0; i < 200; i++) {
      ring.add(CYCLES[i % 3]);
      trainer.step();
    }
    expect(trainer.totalSteps).toBe(200);
    expect(new Predictor(trainer.model).negativeLogLikelihood(CYCLES[0]).mean).toBeLessThan(0.6);
    expect(() => createTrainer({ dataset: ring, model: { blockSize: 8 } })).toThrow(
      /the ring takes documents of 8 symbols, and blockSize 8 takes 7: set model: \{ blockSize: 9 \}/,
    );
    expect(() =>
      createTrainer({ dataset: new DocumentRing(machine(), { documents: 2, length: 4 }), training: { holdout: 10 } }),
    ).toThrow(InputError);
  });
});

describe("a schedule", () => {
  const ratesOf = (schedule: Schedule, count: number): number[] => {
    const trainer = createTrainer({ dataset: cycles(), training: { steps: 4, learningRate: 0.08, schedule } });
    return Array.from({ length: count }, () => {
      trainer.step();
      return trainer.learningRate;
    });
  };

  test("is linear and ends, begins again, or is constant", () => {
    expect(() => ratesOf("linear", 5)).toThrow(/All 4 steps of the schedule are done/);
    expect(ratesOf("restart", 6).map((rate) => rate.toFixed(2))).toEqual([
      "0.08",
      "0.06",
      "0.04",
      "0.02",
      "0.08",
      "0.06",
    ]);
    expect(ratesOf("constant", 6)).toEqual([0.08, 0.08, 0.08, 0.08, 0.08, 0.08]);
    expect(() => ratesOf("cosine" as Schedule, 1)).toThrow(/one of linear, restart, constant, not "cosine"/);
  });

  test.each<Schedule>(["restart", "constant"])("%s has no end in train() either", async (schedule) => {
    const training = { steps: 4, schedule };
    const [whole, sliced] = [1, 2].map(() => createTrainer({ dataset: cycles(), training }));
    stepsOf(whole, 11);
    const signal = { aborted: false };
    const onStep = (): void => void (signal.aborted = sliced.totalSteps === 11);
    expect(await train(sliced, { clock: CLOCK, signal, onStep })).toBe("stopped");
    expect([sliced.totalSteps, sliced.stepsDone]).toEqual([11, 3]);
    expect(sliced.model.parameters).toEqual(whole.model.parameters);
  });
});

describe("a checkpoint of an app", () => {
  const file = (name: string) => ({ storage: new NodeStorage(at), name, clock: CLOCK });
  const metadataOf = (name: string): Record<string, string> => {
    const bytes = readFileSync(at(name));
    const header = bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString("utf8");
    return (JSON.parse(header) as { __metadata__: Record<string, string> }).__metadata__;
  };

  test.each(DTYPES)("brings a training back, bit for bit, in %s", async (dtype) => {
    const options: TrainerOptions<DocumentList> = {
      dataset: cycles(),
      ops: typescriptOps(dtype),
      preset: "tuned",
      training: { steps: 4, schedule: "restart" },
    };
    const [whole, resumed] = [createTrainer(options), createTrainer({ ...options, dataset: cycles() })];
    stepsOf(whole, 5);
    whole.learn("idle stop");
    await saveCheckpoint(whole, file(`machine-${dtype}`));
    expect(await loadCheckpoint(resumed, file(`machine-${dtype}`))).toBe(true);
    expect(stepsOf(resumed, 4)).toEqual(stepsOf(whole, 4));
    expect(resumed.model.parameters).toEqual(whole.model.parameters);
    expect(resumed.state).toEqual(whole.state);
    const ops = dtype === "i32" ? i32Ops : undefined;
    const model = await loadModel({ ...file(`machine-${dtype}`), ...(ops && { ops }) });
    expect([model.ops.dtype, model.vocabulary.names]).toEqual([dtype, STATES]);
  });

  test("says of its vocabulary what is not as by default, and only then is of another format", async () => {
    const vocabulary = machine({ addBos: false, addEos: false, unknown: "run" });
    const windows = new Windows(vocabulary, Uint8Array.of(0, 1, 2, 3, 0, 1), { length: 4 });
    await saveCheckpoint(createTrainer({ dataset: windows, training: { schedule: "constant" } }), file("stream"), 7);
    const { format_version, symbols, add_bos, add_eos, unknown, schedule, vocabulary: none } = metadataOf("stream");
    expect({ format_version, symbols, add_bos, add_eos, unknown, schedule, none }).toEqual({
      format_version: "4",
      symbols: "idle start run stop",
      add_bos: "false",
      add_eos: "false",
      unknown: "run",
      schedule: "constant",
      none: undefined,
    });
    const model = await loadModel(file("stream"));
    expect(areEqual(model.vocabulary, vocabulary)).toBe(true);
    await saveCheckpoint(createTrainer({ dataset: Dataset.of(["anna", "bob"]) }), file("names"));
    expect(Object.keys(metadataOf("names")).filter((key) => /symbols|add_|unknown|schedule$/.test(key))).toEqual([]);
    expect(metadataOf("names").format_version).toBe("3");
  });

  test("of a ring brings back all but its documents", async () => {
    const ring = new DocumentRing(machine(), { documents: 4, length: 6 });
    for (const cycle of CYCLES) ring.add(cycle);
    const options = { dataset: ring, training: { steps: 9, schedule: "constant", sampling: "sequential" } } as const;
    const trainer = createTrainer(options);
    stepsOf(trainer, 5);
    await saveCheckpoint(trainer, file("ring"));
    const fresh = new DocumentRing(machine(), { documents: 4, length: 6 });
    const resumed = createTrainer({ ...options, dataset: fresh });
    await loadCheckpoint(resumed, file("ring"));
    expect([resumed.totalSteps, fresh.count]).toEqual([5, 0]);
    expect(resumed.model.parameters).toEqual(trainer.model.parameters);
    fresh.add(CYCLES[1]);
    expect(resumed.step()).toBeGreaterThan(0);
  });

  test("in i32 needs its ops, or is loaded in floats", async () => {
    const trainer = createTrainer({ dataset: cycles(), ops: i32Ops });
    await saveCheckpoint(trainer, file("integers"));
    await expect(loadModel(file("integers"))).rejects.toThrow(InputError);
    await expect(loadModel(file("integers"))).rejects.toThrow(/^The dtype i32 needs its ops too/);
    expect((await loadModel({ ...file("integers"), dtype: "f32" })).ops.dtype).toBe("f32");
  });

  test("that is of something else is refused, and nothing has changed", async () => {
    const base = (options: Partial<TrainerOptions> = {}): Trainer<DocumentSource> =>
      createTrainer<DocumentSource>({ dataset: cycles(), ...options });
    expect(await loadCheckpoint(base(), file("none"))).toBe(false);
    await expect(loadModel(file("none"))).rejects.toThrow(InputError);
    const trained = base();
    stepsOf(trained, 3);
    await saveCheckpoint(trained, file("base"));
    const others: readonly [Partial<TrainerOptions>, RegExp][] = [
      [{ model: { nEmbd: 8 } }, /n_embd 16, not 8/],
      [{ ops: i32Ops }, /was trained in f32, not in i32/],
      [{ dtype: "f64" }, /was trained in f32, not in f64/],
      [{ dataset: DocumentList.of(machine(), ["idle"]) }, /trained on another dataset than the list/],
      [{ dataset: DocumentList.of(machine({ unknown: "idle" }), CYCLES) }, /another vocabulary/],
      [{ dataset: DocumentList.of(Vocabulary.ofSymbols(STATES.toReversed()), CYCLES) }, /another vocabulary/],
      [{ training: { batchSize: 2 } }, /with batchSize 1, not 2/],
      [{ training: { schedule: "restart" } }, /with schedule linear, not restart/],
    ];
    for (const [options, message] of others) {
      const trainer = base(options);
      const before = trainer.model.parameters.slice();
      await expect(loadCheckpoint(trainer, file("base"))).rejects.toThrow(message);
      await expect(loadCheckpoint(trainer, file("base"))).rejects.toThrow(InputError);
      expect(trainer.model.parameters).toEqual(before);
    }
  });
});

test("mistakes of a program in JavaScript are refused in a sentence", () => {
  const dataset = cycles();
  const create = (options: object) => () => createTrainer({ dataset, ...options });
  expect(create({ block_size: 8 })).toThrow("createTrainer() has no option block_size: it has dataset, preset, model,");
  expect(create({ model: { block_size: 8 } })).toThrow("model has no option block_size: it has nLayer, nEmbd, nHead,");
  expect(create({ training: { learning_rate: 8 } })).toThrow(/^training has no option learning_rate: it has steps,/);
  for (const wrong of [3, undefined, ["idle"]])
    expect(() => machine().check(wrong as unknown as string)).toThrow(
      "A document is a text or a Uint8Array of symbols.",
    );
  expect(() => new Windows(machine(stream), "idle run" as unknown as Uint8Array, { length: 2 })).toThrow(
    "A stream is a Uint8Array of symbols: vocabulary.symbolsOf() makes it of a text.",
  );
});

test.each(DTYPES)("two models in one program do not meet, in %s", (dtype) => {
  const first = (): Trainer<DocumentSource> =>
    createTrainer<DocumentSource>({ dataset: cycles(), ops: typescriptOps(dtype), seed: 1 });
  const second = (): Trainer<DocumentSource> =>
    createTrainer<DocumentSource>({
      dataset: Dataset.of(["anna", "bob", "eve"]),
      ops: typescriptOps(dtype),
      seed: 2,
      preset: "tuned",
    });
  const [a, b, c, d] = [first(), second(), first(), second()];
  stepsOf(a, 4);
  stepsOf(b, 4);
  for (let i = 0; i < 4; i++) {
    c.step();
    d.step();
  }
  expect([c.model.parameters, d.model.parameters]).toEqual([a.model.parameters, b.model.parameters]);
});
