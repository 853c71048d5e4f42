import { checkModelConfig, checkTrainingConfig, DEFAULT_MODEL, DEFAULT_TRAINING, PRESETS } from "../src/config";
import { InputError } from "../src/errors";
import { Random, siblingSeed } from "../src/model/random";
import { checkSettings, readPort, readSettings, SETTINGS } from "../src/program/settings";

const LARGEST_SEED = 2 ** 32 - 1;

test("the manifest's numbers, or the strings of mcconfig's command line", () => {
  const fromManifest = readSettings({
    steps: 10,
    seed: 3,
    temperature: "",
    ops: "native",
    transmit: -1,
    n_layer: 2,
    learning_rate: 0.005,
    holdout: 5,
  });
  const fromCommandLine = readSettings({
    steps: "10",
    seed: "3",
    temperature: "",
    ops: "native",
    transmit: "-1",
    n_layer: "2",
    learning_rate: "5e-3",
    holdout: "5",
  });
  expect(fromCommandLine).toEqual(fromManifest);
  expect(fromManifest).toEqual({
    version: "unknown",
    codename: "unknown",
    model: { nLayer: 2 },
    training: { steps: 10, learningRate: 0.005, holdout: 5 },
    seed: 3,
    isSeedRandom: false,
    samples: 20,
    temperature: 0.8,
    logEvery: 100,
    saveEvery: 30,
    ops: "native",
    port: "auto",
    transmit: -1,
    receive: -1,
  });
});

test("what is left out or empty is the default", () => {
  const empty = Object.fromEntries(SETTINGS.map(({ name }) => [name, ""]));
  expect(readSettings(empty)).toEqual(readSettings({}));
  expect(readSettings({ preset: "microgpt" }).temperature).toBe(0.5);
  expect(readSettings({ ops: "typescript", temperature: "0" })).toMatchObject({ ops: "typescript", temperature: 0 });
  const shape = { preset: "microgpt", n_layer: "2", n_embd: "24", n_head: "3", block_size: "8" };
  expect(readSettings(shape).model).toEqual({ preset: "microgpt", nLayer: 2, nEmbd: 24, nHead: 3, blockSize: 8 });
});

test.each<[Record<string, unknown>, string]>([
  [
    { step: "500" },
    "There is no setting step: there are version, codename, preset, n_layer, n_embd, n_head, block_size, mlp_width, relative_bias, batch_size, steps, " +
      "learning_rate, holdout, seed, samples, temperature, log_every, save_every, ops, port, transmit, receive.",
  ],
  [{ ops: "js" }, "ops must be native or typescript, not js."],
  [{ port: "com3" }, "port must be auto or uart or usb, not com3."],
  [{ preset: "gpt2" }, "preset must be esp32gpt or microgpt or tuned, not gpt2."],
  [
    { transmit: "tx" },
    "transmit must be a whole number from -1 to 54 (the number of a pin, -1 for the chip's own), not tx.",
  ],
  [{ steps: "abc" }, "steps must be a whole number from 1 to 1000000000, not abc."],
  [{ steps: "1.5" }, "steps must be a whole number from 1 to 1000000000, not 1.5."],
  [{ steps: "0x10" }, "steps must be a whole number from 1 to 1000000000, not 0x10."],
  [{ steps: " " }, "steps must be a whole number from 1 to 1000000000, not  ."],
  [{ steps: NaN }, "steps must be a whole number from 1 to 1000000000, not NaN."],
  [{ steps: null }, "steps must be a whole number from 1 to 1000000000, not null."],
  [{ seed: "0" }, "seed must be a whole number from 1 to 4294967295, or random, not 0."],
  [{ seed: "4294967296" }, "seed must be a whole number from 1 to 4294967295, or random, not 4294967296."],
  [{ temperature: "-1" }, "temperature must be a number from 0 to 100, not -1."],
  [{ temperature: "warm\x1b[2J" }, "temperature must be a number from 0 to 100, not warm\\u{1b}[2J."],
  [{ n_head: "3" }, "n_embd (16) must be a multiple of n_head (3): each head gets an equal share."],
  [{ version: {} }, "version must be text, not [object Object]."],
])("%j is refused by name, with what is allowed", (settings, message) => {
  expect(() => checkSettings(settings)).toThrow(new InputError(message));
  expect(() => readSettings(settings)).toThrow(InputError);
});

test("what the SDK and its boards put beside the settings is passed over", () => {
  expect(() => checkSettings({ format: "RGB565LE", rotation: 0, screen: "ili9341", led: { pin: 2 } })).not.toThrow();
});

test("the limits are those of the model and of the training", () => {
  const named = { n_layer: "nLayer", n_embd: "nEmbd", n_head: "nHead", block_size: "blockSize" } as const;
  const trained = { steps: "steps", learning_rate: "learningRate", holdout: "holdout" } as const;
  for (const { name, range } of SETTINGS) {
    if (!range) continue;
    const checkWith = (value: number): (() => void) => {
      // As many heads as the width, so that the one is a multiple of the other.
      if (name === "n_embd" || name === "n_head")
        return () => checkModelConfig({ ...DEFAULT_MODEL, nEmbd: value, nHead: value });
      if (name in named)
        return () => checkModelConfig({ ...DEFAULT_MODEL, [named[name as keyof typeof named]]: value });
      if (name in trained)
        return () => checkTrainingConfig({ ...DEFAULT_TRAINING, [trained[name as keyof typeof trained]]: value });
      return () => undefined;
    };
    for (const value of [range.least, range.most]) expect(checkWith(value)).not.toThrow();
    if (name in named || name in trained)
      for (const value of [range.least - 1, range.most + 1]) expect(checkWith(value)).toThrow(InputError);
  }
  expect(SETTINGS.find(({ name }) => name === "preset")?.choices).toEqual(Object.keys(PRESETS));
});

test("seed=random gives a seed that the generator takes, another each time", () => {
  const seeds = Array.from({ length: 20 }, () => readSettings({ seed: "random" }).seed);
  expect(new Set(seeds).size).toBeGreaterThan(1);
  expect(readSettings({ seed: "random" }).isSeedRandom).toBe(true);
  expect(readSettings({ seed: "random" }, () => 0).seed).toBe(1);
  expect(readSettings({ seed: "random" }, () => 1 - 2 ** -53).seed).toBe(LARGEST_SEED);
});

test.each([1, 42, 2 ** 31 - 1, 2 ** 31, 0x5bd1e995, LARGEST_SEED])(
  "seed %d has a second stream, which is another",
  (seed) => {
    expect(readSettings({ seed: String(seed) }).seed).toBe(seed);
    const second = siblingSeed(seed);
    expect(() => new Random(second)).not.toThrow();
    expect(second).not.toBe(seed);
  },
);

test("a port or pins that make no sense are the default, so that it can be said", () => {
  expect(readPort({ port: "usb", transmit: "17", receive: 16 })).toEqual({ port: "usb", transmit: 17, receive: 16 });
  expect(readPort({ port: "uart", transmit: "tx", receive: "99" })).toEqual({
    port: "uart",
    transmit: -1,
    receive: -1,
  });
  expect(readPort({ port: "com3" })).toEqual({ port: "auto", transmit: -1, receive: -1 });
  expect(readPort({})).toEqual({ port: "auto", transmit: -1, receive: -1 });
});
