import { Adam } from "../src/adam";
import { Checkpoint, loadModel, saveCheckpoint } from "../src/checkpoint";
import { DEFAULT_MODEL, type ModelConfig } from "../src/config";
import { InputError } from "../src/errors";
import { Model } from "../src/model";
import type { Dtype } from "../src/ops";
import { parameterLayout } from "../src/parameters";
import { Random } from "../src/random";
import { Trainer } from "../src/trainer";
import { typescriptOps } from "../src/typescript-ops";
import { datasetOf, drawnModel } from "./helpers";
import { MemoryStorage } from "./support/memory-storage";
import { headerOf, safetensors, type TensorToWrite } from "./support/safetensors-file";

const SMALL: ModelConfig = { preset: "esp32gpt", nLayer: 1, nEmbd: 2, nHead: 2, blockSize: 3 };

function trained(config: ModelConfig, dtype: Dtype): Trainer {
  const training = { steps: 10, learningRate: 0.01, sampling: "sequential" as const, holdout: 0 };
  const trainer = new Trainer(drawnModel(config, dtype), datasetOf("al", "bo"), new Random(1), training);
  for (let step = 0; step < 5; step++) trainer.step();
  return trainer;
}

/** A model with Adam's state, as it must still be after a load that failed. */
function untouched(config: ModelConfig, dtype: Dtype): { model: Model; adam: Adam } {
  const model = new Model(config, typescriptOps(dtype));
  const adam = new Adam(model.ops, model.parameters, model.parameters.slice());
  for (const buffer of [model.parameters, adam.m, adam.v]) buffer.fill(7);
  return { model, adam };
}

/** The tensors of a model, as another program would write them. */
function tensorsOf(model: Model, dtype: "F32" | "F64"): TensorToWrite[] {
  return parameterLayout(model.config).parts.map(({ name, offset, rows, columns }) => ({
    name,
    dtype,
    shape: [rows, columns],
    values: model.parameters.subarray(offset, offset + rows * columns),
  }));
}

function load(bytes: Uint8Array, wanted: Partial<ModelConfig> = {}, dtype: Dtype = "f64"): Model {
  const storage = new MemoryStorage({ "m.safetensors": bytes });
  try {
    return loadModel(storage, "m.safetensors", wanted, typescriptOps(dtype));
  } finally {
    expect(storage.openFiles).toBe(0);
  }
}

function expectRefusal(bytes: Uint8Array, message: RegExp, wanted: Partial<ModelConfig> = {}): void {
  expect(() => load(bytes, wanted)).toThrow(InputError);
  expect(() => load(bytes, wanted)).toThrow(message);
}

describe.each<[Dtype]>([["f32"], ["f64"]])("%s", (dtype) => {
  test.each<[string, ModelConfig]>([
    ["the default", DEFAULT_MODEL],
    ["two layers", { ...SMALL, nLayer: 2 }],
    ["microgpt", { ...SMALL, preset: "microgpt", nHead: 1 }],
  ])("%s model and its training state come back as they were", (_title, config) => {
    const trainer = trained(config, dtype);
    const storage = new MemoryStorage();
    saveCheckpoint(storage, "m", trainer.model, trainer.stepsDone, trainer.adam);
    const checkpoint = Checkpoint.open(storage, "m");
    const { model, adam } = untouched(checkpoint.modelConfig({}), checkpoint.dtype);
    checkpoint.load(model, adam);
    checkpoint.close();
    expect(model.config).toEqual(config);
    expect([checkpoint.dtype, checkpoint.step]).toEqual([dtype, 5]);
    expect([...model.parameters]).toEqual([...trainer.model.parameters]);
    expect([...adam.m]).toEqual([...trainer.adam.m]);
    expect([...adam.v]).toEqual([...trainer.adam.v]);
    expect(storage.openFiles).toBe(0);
  });

  test("without training state there is none to load", () => {
    const { model } = trained(SMALL, dtype);
    const storage = new MemoryStorage();
    saveCheckpoint(storage, "m", model, 5);
    expect([...loadModel(storage, "m", {}, model.ops).parameters]).toEqual([...model.parameters]);
    const checkpoint = Checkpoint.open(storage, "m");
    const { model: other, adam } = untouched(SMALL, dtype);
    expect(() => checkpoint.load(other, adam)).toThrow(/no tensor adam\.m/);
    expect(other.parameters.every((value) => value === 7)).toBe(true);
  });

  test("the file has the tensors by their names, in buffer order, one behind the other", () => {
    const { model, adam } = trained(SMALL, dtype);
    const storage = new MemoryStorage();
    saveCheckpoint(storage, "m", model, 5, adam);
    const file = storage.file("m");
    const { metadata, tensors, start } = headerOf(file);
    const size = dtype === "f32" ? 4 : 8;
    expect(start % 8).toBe(0);
    expect(tensors.map(({ name, shape }) => [name, ...shape])).toEqual([
      ["wte", 27, 2],
      ["wpe", 3, 2],
      ["layers.0.wq", 2, 2],
      ["layers.0.wk", 2, 2],
      ["layers.0.wv", 2, 2],
      ["layers.0.wo", 2, 2],
      ["layers.0.w1", 2, 8],
      ["layers.0.w2", 8, 2],
      ["wout", 2, 27],
      ["adam.m", model.parameters.length],
      ["adam.v", model.parameters.length],
    ]);
    let at = 0;
    for (const { dtype: type, shape, offsets } of tensors) {
      expect(type).toBe(dtype.toUpperCase());
      const end = at + size * shape.reduce((a, b) => a * b);
      expect(offsets).toEqual([at, end]);
      at = end;
    }
    expect(file.length).toBe(start + at);
    expect(metadata).toMatchObject({ preset: "esp32gpt", n_layer: "1", n_embd: "2", n_head: "2", block_size: "3" });
    expect(metadata.step).toBe("5");
    const view = new DataView(file.buffer);
    const number = (i: number): number =>
      size === 4 ? view.getFloat32(start + 4 * i, true) : view.getFloat64(start + 8 * i, true);
    const all = [...model.parameters, ...adam.m, ...adam.v];
    expect(all.map((_, i) => number(i))).toEqual(all);
  });
});

describe("an altered checkpoint", () => {
  const { model, adam, stepsDone } = trained(SMALL, "f32");
  const storage = new MemoryStorage();
  saveCheckpoint(storage, "m", model, stepsDone, adam);
  const sound = storage.file("m");
  const target = untouched(SMALL, "f32");

  /** Loads it all, or throws an InputError and changes nothing. */
  function isAccepted(bytes: Uint8Array): boolean {
    for (const buffer of [target.model.parameters, target.adam.m, target.adam.v]) buffer.fill(7);
    const storage = new MemoryStorage({ m: bytes });
    const loaded = (): boolean => {
      let checkpoint: Checkpoint | undefined;
      try {
        checkpoint = Checkpoint.open(storage, "m");
        const config = checkpoint.modelConfig({});
        checkpoint.load(target.model, target.adam);
        if (JSON.stringify(config) !== JSON.stringify(SMALL)) throw new Error("This is another configuration.");
        if (checkpoint.step !== 5) throw new Error("This is another step.");
        return true;
      } catch (error) {
        if (error instanceof InputError) return false;
        throw error;
      } finally {
        checkpoint?.close();
      }
    };
    const isLoaded = loaded();
    const pairs = [
      [target.model.parameters, model.parameters],
      [target.adam.m, adam.m],
      [target.adam.v, adam.v],
    ];
    for (const [is, was] of pairs)
      if (!is.every((value, i) => value === (isLoaded ? was[i] : 7))) throw new Error("The model is half loaded.");
    if (storage.openFiles !== 0) throw new Error("A file is still open.");
    return isLoaded;
  }

  test("unaltered it is accepted", () => expect(isAccepted(sound)).toBe(true));

  test("with any bit flipped it is refused, or means the same", () => {
    const { start } = headerOf(sound);
    const bytes = sound.slice();
    const accepted: number[] = [];
    for (let at = 0; at < bytes.length; at++) {
      // Of the data a bit a byte is enough: the checksum finds each of them in the same way.
      const masks = at < start ? [1, 2, 4, 32, 255] : [1 << (at % 8)];
      for (const mask of masks) {
        bytes[at] ^= mask;
        if (isAccepted(bytes)) accepted.push(at);
        bytes[at] ^= mask;
      }
    }
    // Only a space of the padding may turn into other white space.
    const padding = new TextDecoder().decode(sound.subarray(0, start)).trimEnd().length;
    expect(accepted.filter((at) => at < padding || at >= start)).toEqual([]);
  });

  test("cut off anywhere it is refused", () => {
    for (let length = 0; length < sound.length; length++) {
      if (isAccepted(sound.slice(0, length))) throw new Error(`Accepted with ${length} bytes.`);
    }
  });

  test("with bytes behind its end it is refused", () => {
    expect(isAccepted(Uint8Array.of(...sound, 0))).toBe(false);
  });

  test("another tool may reorder it, but not leave out its checksum", () => {
    const { metadata, tensors, start } = headerOf(sound);
    const view = new DataView(sound.buffer);
    const sorted: TensorToWrite[] = tensors
      .map(({ name, dtype, shape, offsets: [begin, end] }) => ({
        name,
        dtype,
        shape,
        values: Array.from({ length: (end - begin) / 4 }, (_, i) => view.getFloat32(start + begin + 4 * i, true)),
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    expect(isAccepted(safetensors(sorted, metadata))).toBe(true);
    const others = Object.fromEntries(Object.entries(metadata).filter(([key]) => key !== "crc32"));
    expect(isAccepted(safetensors(sorted, others))).toBe(false);
    expect(isAccepted(safetensors(sorted, { ...metadata, step: "6" }))).toBe(false);
  });
});

describe("a file of nothing but weights", () => {
  const model = drawnModel(DEFAULT_MODEL, "f32");
  const byName = (a: TensorToWrite, b: TensorToWrite): number => (a.name < b.name ? -1 : 1);

  test.each<["F32" | "F64"]>([["F32"], ["F64"]])("in %s, sorted by name as Python does it, is enough", (type) => {
    const file = safetensors(tensorsOf(model, type).sort(byName));
    for (const metadata of [undefined, { format: "pt" }]) {
      const loaded = load(safetensors(tensorsOf(model, type).sort(byName), metadata), {}, "f32");
      expect(loaded.config).toEqual(DEFAULT_MODEL);
      expect([...loaded.parameters]).toEqual([...model.parameters]);
    }
    const checkpoint = Checkpoint.open(new MemoryStorage({ m: file }), "m");
    expect([checkpoint.dtype, checkpoint.step]).toEqual([type.toLowerCase(), 0]);
  });

  test("in the reverse order is enough", () => {
    expect([...load(safetensors(tensorsOf(model, "F64").reverse())).parameters]).toEqual([...model.parameters]);
  });

  test("tells its shape, and is asked for the rest", () => {
    const other = drawnModel({ ...SMALL, nLayer: 3, nEmbd: 4 });
    const file = safetensors(tensorsOf(other, "F64"));
    expect(load(file, { preset: "microgpt", nHead: 2 }).config).toEqual({
      preset: "microgpt",
      nLayer: 3,
      nEmbd: 4,
      nHead: 2,
      blockSize: 3,
    });
    expectRefusal(file, /n_?embd 4, not 8/i, { nEmbd: 8 });
    expectRefusal(safetensors(tensorsOf(drawnModel(SMALL), "F64")), /n_embd \(2\) must be a multiple of n_head \(4\)/);
  });
});

describe("refuses, and says why:", () => {
  const model = drawnModel(SMALL);
  const tensors = tensorsOf(model, "F64");
  const without = (name: string): TensorToWrite[] => tensors.filter((tensor) => tensor.name !== name);
  const withValue = (name: string, value: number): TensorToWrite[] =>
    tensors.map((tensor) =>
      tensor.name === name ? { ...tensor, values: [...Array.from(tensor.values).slice(1), value] } : tensor,
    );
  const withShape = (name: string, shape: number[]): TensorToWrite[] =>
    tensors.map((tensor) =>
      tensor.name === name ? { ...tensor, shape, values: new Float64Array(shape.reduce((a, b) => a * b, 1)) } : tensor,
    );
  const small = { nHead: 2 };

  test.each<[string, TensorToWrite[], RegExp]>([
    ["NaN", withValue("layers.0.w1", NaN), /layers\.0\.w1 holds NaN/],
    ["Infinity", withValue("wout", Infinity), /wout holds Infinity/],
    ["-Infinity", withValue("wte", -Infinity), /wte holds -Infinity/],
    ["a missing wte", without("wte"), /no tensor wte/],
    ["a missing wpe", without("wpe"), /no tensor wpe/],
    ["a missing wo", without("layers.0.wo"), /no tensor layers\.0\.wo/],
    ["a missing wout", without("wout"), /no tensor wout/],
    ["an extra tensor", [...tensors, { name: "bias", dtype: "F64", shape: [1], values: [0] }], /no tensor bias/],
    ["half of Adam", [...tensors, { name: "adam.m", dtype: "F64", shape: [1], values: [0] }], /adam\.m has the shape/],
    ["another vocabulary", withShape("wte", [28, 2]), /vocabulary has 28 tokens/],
    ["a transposed matrix", withShape("layers.0.w1", [8, 2]), /layers\.0\.w1 is 8×2.* 2×8/],
    ["a flat matrix", withShape("layers.0.wq", [4]), /layers\.0\.wq has the shape \[4\]/],
    ["wte in three dimensions", withShape("wte", [27, 2, 1]), /wte has the shape \[27, 2, 1\]/],
    ["no embedding", withShape("wte", [27, 0]), /n_embd/],
    ["no positions", withShape("wpe", [0, 2]), /block_size/],
    ["half precision", tensors.map((tensor) => ({ ...tensor, dtype: "F16" })), /F16/],
  ])("%s", (_what, altered, message) => expectRefusal(safetensors(altered), message, small));

  test("layers that leave one out", () => {
    const two = tensorsOf(drawnModel({ ...SMALL, nLayer: 2 }), "F64");
    expectRefusal(safetensors(two.filter(({ name }) => !name.startsWith("layers.0."))), /n_layer/, small);
  });

  test.each<[Record<string, string>, RegExp]>([
    [{ preset: "gpt5" }, /preset is "gpt5"/],
    [{ n_layer: "2" }, /n_layer 2/],
    [{ n_embd: "four" }, /n_embd is "four"/],
    [{ n_head: "0" }, /n_?head 0/i],
    [{ step: "-1" }, /step is "-1"/],
    [{ block_size: "4" }, /block_size 4/],
    [{ crc32: "00000000" }, /checksum/],
    [{ n_head: "2" }, /no crc32/],
  ])("the metadata %j", (metadata, message) => expectRefusal(safetensors(tensors, metadata), message, small));

  test("another model than the one that is wanted", () => {
    const storage = new MemoryStorage();
    saveCheckpoint(storage, "m", model, 0);
    for (const wanted of [
      { preset: "microgpt" },
      { nLayer: 2 },
      { nEmbd: 16 },
      { nHead: 1 },
      { blockSize: 8 },
    ] as const)
      expectRefusal(storage.file("m"), /^m\.safetensors holds a model with/, wanted);
    expect(load(storage.file("m"), SMALL).config).toEqual(SMALL);
  });

  test("a file that is not there", () => {
    expect(() => Checkpoint.open(new MemoryStorage(), "m")).toThrow(InputError);
    expect(() => Checkpoint.open(new MemoryStorage(), "m")).toThrow(/no file m/);
  });
});

describe("saving", () => {
  test("is refused when a parameter is no number, and the old file stays", () => {
    const model = drawnModel(SMALL);
    const storage = new MemoryStorage({ m: Uint8Array.of(1) });
    for (const value of [NaN, Infinity]) {
      model.parameters[17] = value;
      expect(() => saveCheckpoint(storage, "m", model, 0)).toThrow(InputError);
    }
    expect([...storage.file("m")]).toEqual([1]);
    expect(storage.openFiles).toBe(0);
  });

  test("leaves the old file and nothing open when the disk is full", () => {
    const { model, adam } = trained(SMALL, "f32");
    for (const capacity of [0, 8, 900, 1500, 2000]) {
      const storage = new MemoryStorage({ m: Uint8Array.of(1) });
      storage.capacity = capacity;
      expect(() => saveCheckpoint(storage, "m", model, 0, adam)).toThrow(/disk is full/);
      expect([...storage.file("m")]).toEqual([1]);
      expect(storage.openFiles).toBe(0);
    }
  });
});
