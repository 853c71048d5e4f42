import {
  checkModelConfig,
  checkTrainingConfig,
  DEFAULT_MODEL,
  DEFAULT_TRAINING,
  PRESETS,
} from "../src/gpt/model/config";
import { InputError } from "../src/gpt/base/errors";
import { Random, siblingSeed } from "../src/gpt/model/random";
import { keyOf, type Setting, SETTINGS } from "../src/gpt/base/settings";
import { isInRange } from "../src/gpt/base/ranges";
import type { Dtype, OpsName } from "../src/gpt/model/ops";
import { formatRecord, readRecord } from "../src/gpt/checkpoint/record";
import { checkSettings, firmwareNames, readPort, readSettings, settingsIn } from "../src/device/settings";
import { finished } from "./support/test-device";

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
  const empty = Object.fromEntries(firmwareNames().map((name) => [name, ""]));
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
      "learning_rate, holdout, moments, seed, samples, temperature, log_every, save_every, dtype, ops, port, transmit, receive.",
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
  [{ temperature: "-1" }, "temperature must be 0 or a number from 0.01 to 100, not -1."],
  [{ temperature: "warm\x1b[2J" }, "temperature must be 0 or a number from 0.01 to 100, not warm\\u{1b}[2J."],
  [{ temperature: 0.005 }, "temperature must be 0 or a number from 0.01 to 100, not 0.005."],
  [{ n_head: "3" }, "n_embd (16) must be a multiple of n_head (3): each head gets an equal share."],
  [{ version: {} }, "version must be text of at most 60 characters, not [object Object]."],
])("%j is refused by name, with what is allowed", (settings, message) => {
  expect(() => checkSettings(settings)).toThrow(new InputError(message));
  expect(() => readSettings(settings)).toThrow(InputError);
});

test("in mc/config ours have a key of their own, mcconfig's strings win, and what else is there is anybody's", () => {
  const others = { format: "RGB565LE", rotation: 0, led: { pin: 2 }, seed: { of: "tomatoes" }, port: 8080, step: "5" };
  const esp32gpt = Object.freeze({ steps: 500, seed: 7, holdout: "" });
  expect(readSettings(settingsIn({ ...others, esp32gpt, steps: "20", samples: "", version: "9" }))).toEqual(
    readSettings({ steps: 20, seed: 7, version: "9" }),
  );
  for (const none of [undefined, null, "x", 7])
    expect(readSettings(settingsIn({ ...others, esp32gpt: none }))).toEqual(readSettings({}));
  expect(() => readSettings(settingsIn({ esp32gpt: { step: 5 } }))).toThrow("There is no setting step:");
});

test("what can be set stands once: each has a line of doc, and values that its own default is one of", () => {
  for (const [name, setting] of Object.entries<Setting>(SETTINGS)) {
    expect(name).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(setting.doc).toMatch(/^[^A-Z\n].{4,90}[^.]$/);
    const isNumber = setting.type === "whole" || setting.type === "number";
    expect([name, isNumber, setting.choices !== undefined]).toEqual([
      name,
      setting.least !== undefined && setting.most !== undefined,
      setting.type === "choice" || setting.type === "switch",
    ]);
    if (typeof setting.default === "number") expect([name, isInRange(setting.default, setting)]).toEqual([name, true]);
  }
  expect(SETTINGS.preset.choices).toEqual(Object.keys(PRESETS));
  const { ops, dtype } = SETTINGS;
  const kernels: Record<OpsName, true> = { native: true, typescript: true };
  const precisions: Record<Dtype, true> = { f32: true, f64: true, i32: true };
  expect([ops.choices, dtype.choices]).toEqual([Object.keys(kernels), Object.keys(precisions)]);
});

const numbers = (kept: Setting["kept"]): [string, number, number][] =>
  Object.entries<Setting>(SETTINGS)
    .filter(([name, setting]) => setting.kept === kept && setting.least !== undefined && name !== "seed")
    .map(([name, { least = NaN, most = NaN }]) => [name, least, most]);

test.each(numbers("model"))("a model has its range of %s, which is from %d to %d", (name, least, most) => {
  const checkWith = (value: number) => (): void => {
    // As many heads as the width, so that the one is a multiple of the other.
    const both = name === "n_embd" || name === "n_head" ? { nEmbd: value, nHead: value } : {};
    checkModelConfig({ ...DEFAULT_MODEL, ...both, [keyOf(name)]: value });
  };
  for (const value of [least, most]) expect(checkWith(value)).not.toThrow();
  for (const value of [least - 1, most + 1, least + 0.5]) expect(checkWith(value)).toThrow(InputError);
});

test.each(numbers("record").filter(([name]) => name !== "own_share"))(
  "a training has its range of %s, and so has its record: from %d to %d",
  (name, least, most) => {
    const checkWith = (value: number) => (): void => checkTrainingConfig({ ...DEFAULT_TRAINING, [keyOf(name)]: value });
    const readWith = (value: number) => (): unknown => readRecord(new Map([...RECORD, [name, String(value)]]));
    for (const value of [least, most]) for (const use of [checkWith, readWith]) expect(use(value)).not.toThrow();
    for (const value of [least - 1, most + 1])
      for (const use of [checkWith, readWith]) expect(use(value)).toThrow(InputError);
  },
);

const RECORD = new Map<string, string>([
  ...formatRecord({
    config: DEFAULT_TRAINING,
    state: { totalSteps: 0, stepsDone: 0, random: { state: 1, spare: undefined }, nextName: 0 },
    seed: 1,
    dataset: 0,
    ownWords: "",
    ownShare: 0.5,
    build: "",
  }),
  ["step", "0"],
]);

test.each(numbers("console"))("the console has its range of %s, which is from %d to %d", async (name, least, most) => {
  const device = await finished();
  for (const value of [least, most]) expect(await device.answer(`set ${name} ${value}`)).toBe(`${name} ${value}\n`);
  for (const value of [least - 1, most + 1])
    expect(await device.answer(`set ${name} ${value}`)).toMatch(new RegExp(`^${name} must be .* not ${value}\\.\n$`));
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
