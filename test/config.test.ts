import { activationLayout } from "../src/gpt/model/activations";
import {
  checkModelConfig,
  checkSetting,
  checkTrainingConfig,
  DEFAULT_MODEL,
  DEFAULT_TRAINING,
  type ModelConfig,
  type PresetName,
  PRESETS,
  type TrainingConfig,
  trainingConfig,
} from "../src/gpt/model/config";
import { checkInteger, InputError } from "../src/gpt/base/errors";
import { allocate } from "../src/gpt/model/layout";
import { Model } from "../src/gpt/model/model";
import { parameterLayout } from "../src/gpt/model/parameters";
import { typescriptOps } from "../src/gpt/model/typescript-ops";

test("the defaults are those of the published program", () => {
  expect(DEFAULT_MODEL).toEqual({
    preset: "esp32gpt",
    nLayer: 1,
    nEmbd: 16,
    nHead: 4,
    blockSize: 16,
    vocabularySize: 27,
  });
  expect(DEFAULT_TRAINING).toEqual({ steps: 1000, batchSize: 1, learningRate: 0.01, sampling: "random", holdout: 0 });
  checkModelConfig(DEFAULT_MODEL);
  checkTrainingConfig(DEFAULT_TRAINING);
});

test("the presets of the published programs are what these do differently", () => {
  const common = {
    relativeBias: false,
    weighs: "names",
    batchSize: 1,
    steps: 1000,
    moments: "f32",
    learningRate: expect.any(Function) as () => number,
  };
  expect(PRESETS.esp32gpt).toEqual({
    ...common,
    rmsNorm: false,
    initStd: 0.1,
    temperature: 0.8,
    sampling: "random",
    cutsLongNames: false,
    generationMargin: 1,
  });
  expect(PRESETS.microgpt).toEqual({
    ...common,
    rmsNorm: true,
    initStd: 0.08,
    temperature: 0.5,
    sampling: "sequential",
    cutsLongNames: true,
    generationMargin: 0,
  });
  for (const preset of ["esp32gpt", "microgpt"] as const)
    expect(trainingConfig(preset, {}, 5000)).toMatchObject({ batchSize: 1, steps: 5000, learningRate: 0.01 });
});

test("the preset tuned takes its rate from the budget, and its steps from the names", () => {
  expect(trainingConfig("tuned", {})).toEqual({
    steps: 250,
    batchSize: 8,
    learningRate: 0.03,
    sampling: "random",
    holdout: 0,
    moments: "bf16",
  });
  const rates = [100, 2000, 20_000, 120_000].map((names) => trainingConfig("tuned", {}, names).learningRate);
  expect(rates.map((rate) => rate.toFixed(4))).toEqual(["0.0300", "0.0300", "0.0139", "0.0077"]);
  expect(trainingConfig("tuned", { batchSize: 16 }, 1000)).toMatchObject({ batchSize: 16, steps: 63 });
  expect(trainingConfig("tuned", { learningRate: 0.5, steps: 7 })).toMatchObject({ learningRate: 0.5, steps: 7 });
});

test("an MLP of any width, and a bias behind the weights that are drawn", () => {
  const { parts } = parameterLayout({ ...DEFAULT_MODEL, preset: "tuned", nLayer: 2, mlpWidth: 10 });
  const shapes = new Map(parts.map(({ name, rows, columns }) => [name, [rows, columns]]));
  expect([shapes.get("layers.1.w1"), shapes.get("layers.1.w2")]).toEqual([
    [16, 10],
    [10, 16],
  ]);
  expect(parts.slice(-3).map(({ name, rows, columns }) => [name, rows, columns])).toEqual([
    ["wout", 16, 27],
    ["layers.0.bias", 4, 16],
    ["layers.1.bias", 4, 16],
  ]);
  expect(parameterLayout({ ...DEFAULT_MODEL, preset: "tuned", relativeBias: false }).length).toBe(4192);
});

test("the parameters lie in one buffer, in the published order", () => {
  const { parts, length } = parameterLayout(DEFAULT_MODEL);
  expect(length).toBe(4192);
  expect(parts.map(({ name, offset, rows, columns }) => [name, offset, rows, columns])).toEqual([
    ["wte", 0, 27, 16],
    ["wpe", 432, 16, 16],
    ["layers.0.wq", 688, 16, 16],
    ["layers.0.wk", 944, 16, 16],
    ["layers.0.wv", 1200, 16, 16],
    ["layers.0.wo", 1456, 16, 16],
    ["layers.0.w1", 1712, 16, 64],
    ["layers.0.w2", 2736, 64, 16],
    ["wout", 3760, 16, 27],
  ]);
});

test("further layers lie before wout", () => {
  const names = parameterLayout({ ...DEFAULT_MODEL, nLayer: 3 }).parts.map(({ name }) => name);
  expect(names.slice(7, 10)).toEqual(["layers.0.w2", "layers.1.wq", "layers.1.wk"]);
  expect(names).toHaveLength(3 + 3 * 6);
  expect(names.at(-1)).toBe("wout");
});

test("the parts of a layout touch and do not overlap", () => {
  for (const preset of ["esp32gpt", "microgpt"] as const) {
    const { parts, length } = activationLayout({ ...DEFAULT_MODEL, nLayer: 2, preset }, "f32");
    let at = 0;
    for (const { offset, rows, columns } of parts) {
      expect(offset).toBe(at);
      at += rows * columns;
    }
    expect(at).toBe(length);
  }
});

test.each<[Partial<ModelConfig>, RegExp]>([
  [{ nLayer: 0 }, /^n_layer must be .* not 0\.$/],
  [{ nLayer: 1.5 }, /^n_layer .*1\.5/],
  [{ nEmbd: 0 }, /^n_embd/],
  [{ nEmbd: NaN }, /^n_embd .*NaN/],
  [{ nHead: -4 }, /^n_head .*-4/],
  [{ nHead: 3 }, /^n_embd \(16\) must be a multiple of n_head \(3\)/],
  [{ blockSize: 1 }, /^block_size/],
  [{ blockSize: Infinity }, /^block_size .*Infinity/],
  [{ preset: "gpt5" as PresetName }, /^The preset must be one of esp32gpt, microgpt, tuned, not "gpt5"/],
  [{ preset: "toString" as PresetName }, /^The preset must be one of/],
])("there is no model with %j", (config, message) => {
  const create = (): Model => new Model({ ...DEFAULT_MODEL, ...config }, typescriptOps("f32"));
  expect(create).toThrow(InputError);
  expect(create).toThrow(message);
});

test("a model that no memory holds is the user's to make smaller", () => {
  const create = (): unknown => allocate("f64", Number.MAX_SAFE_INTEGER);
  expect(create).toThrow(InputError);
  expect(create).toThrow(/no memory .* smaller n_embd, n_layer or block_size/);
});

test.each<[Partial<TrainingConfig>, RegExp]>([
  [{ steps: 0 }, /^steps/],
  [{ steps: 0.5 }, /^steps/],
  [{ learningRate: -0.01 }, /^learning-rate/],
  [{ learningRate: NaN }, /^learning-rate/],
  [{ holdout: -1 }, /^holdout/],
  [{ holdout: 100 }, /^holdout/],
])("there is no training with %j", (config, message) => {
  const check = (): void => checkTrainingConfig({ ...DEFAULT_TRAINING, ...config });
  expect(check).toThrow(InputError);
  expect(check).toThrow(message);
});

test("messages say what was wanted and what came", () => {
  expect(() => checkInteger("samples", -1, 0, 9)).toThrow("samples must be a whole number from 0 to 9, not -1.");
  expect(() => checkSetting("temperature", -1)).toThrow("temperature must be 0 or a number from 0.01 to 100, not -1.");
  for (const temperature of [0, 0.01, 1, 100]) checkSetting("temperature", temperature);
  expect(() => checkModelConfig({ ...DEFAULT_MODEL, preset: "\x1b[31m" as PresetName })).toThrow('not "\\u{1b}[31m".');
});
