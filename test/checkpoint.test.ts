import { DEFAULT_MODEL, type ModelConfig } from "../src/gpt/model/config";
import { InputError } from "../src/gpt/base/errors";
import { Checkpoint } from "../src/gpt/checkpoint/reader";
import { LoadingTask } from "../src/gpt/checkpoint/loading";
import type { Dtype } from "../src/gpt/model/ops";
import type { Trainer } from "../src/gpt/training/trainer";
import { drawnModel } from "./helpers";
import { load, loadAll, runAll, saved, stateOf, SMALL, tensorsOf, trained, untouched } from "./support/checkpoints";
import { MemoryStorage } from "./support/memory-storage";
import { headerOf, safetensors, type TensorToWrite } from "./support/safetensors-file";

async function expectRefusal(bytes: Uint8Array, message: RegExp, wanted: Partial<ModelConfig> = {}): Promise<void> {
  await expect(load(bytes, wanted)).rejects.toThrow(InputError);
  await expect(load(bytes, wanted)).rejects.toThrow(message);
}

describe.each<[Dtype]>([["f32"], ["f64"], ["i32"]])("%s", (dtype) => {
  test.each<[string, ModelConfig]>([
    ["the default", DEFAULT_MODEL],
    ["two layers", { ...SMALL, nLayer: 2 }],
    ["microgpt", { ...SMALL, preset: "microgpt", nHead: 1 }],
  ])("%s model and its training state come back as they were", async (_title, config) => {
    const trainer = trained(config, dtype);
    const storage = new MemoryStorage({ m: await saved(trainer.model, trainer.stepsDone, stateOf(trainer)) });
    const checkpoint = await Checkpoint.open(storage, "m");
    const { model, adam } = untouched(checkpoint.modelConfig({}), checkpoint.dtype);
    runAll(new LoadingTask(checkpoint, model, adam));
    checkpoint.close();
    expect(model.config).toEqual(config);
    expect([checkpoint.dtype, checkpoint.step]).toEqual([dtype, 5]);
    expect([...model.parameters]).toEqual([...trainer.model.parameters]);
    expect([...adam.m]).toEqual([...trainer.adam.m]);
    expect([...adam.v]).toEqual([...trainer.adam.v]);
    expect(storage.openFiles).toBe(0);
  });

  test("without training state there is none to load", async () => {
    const { model } = trained(SMALL, dtype);
    const file = await saved(model, 5);
    expect([...(await load(file, {}, dtype)).parameters]).toEqual([...model.parameters]);
    expect(Object.keys(headerOf(file).metadata)).toEqual([
      ...["preset", "n_layer", "n_embd", "n_head", "block_size", "step"],
      ...["format_version", "vocabulary", ...(dtype === "i32" ? ["dtype"] : []), "crc32"],
    ]);
    const checkpoint = await Checkpoint.open(new MemoryStorage({ m: file }), "m");
    const { model: other, adam } = untouched(SMALL, dtype);
    expect(() => runAll(new LoadingTask(checkpoint, other, adam))).toThrow(/no tensor adam\.m/);
    expect(other.parameters.every((value) => value === 7)).toBe(true);
  });

  test("the file has the tensors by their names, in buffer order, one behind the other", async () => {
    const trainer = trained(SMALL, dtype);
    const { model, adam } = trainer;
    const file = await saved(model, 5, stateOf(trainer));
    const { metadata, tensors, start } = headerOf(file);
    const size = dtype === "f64" ? 8 : 4;
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
      expect(type).toBe(dtype === "f64" ? "F64" : "F32");
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
    const all = dtype === "i32" ? floatsOf(trainer) : [...model.parameters, ...adam.m, ...adam.v];
    expect(all.map((_, i) => number(i))).toEqual(all);
  });
});

/** The weights and moments of a training in i32: m·2^(k - 38) and M·2^(2k - 76), as i32-adam.ts packs them. */
function floatsOf({ model, adam }: Trainer): number[] {
  const words = [...adam.m];
  const k = (word: number): number => word & 31;
  return [
    ...[...model.parameters].map((weight) => weight / 2 ** 27),
    ...words.map((word) => (word >> 16) * 2 ** (k(word) - 38)),
    ...words.map((word) => ((word & 0xffe0) << 9) * 2 ** (2 * k(word) - 76)),
  ];
}

test("a file whose dtype is unknown, or not that of its tensors, is refused by name", async () => {
  const trainer = trained(SMALL, "i32");
  const file = Buffer.from(await saved(trainer.model, 5, stateOf(trainer)));
  const at = file.indexOf('"dtype":"i32"');
  file.write('"dtype":"i16"', at);
  await expectRefusal(file, /^m.safetensors cannot be used: its dtype is "i16", with tensors of F32\.$/);
});

test("moments that no training in i32 can have are brought into its range", () => {
  const { model, adam } = untouched(SMALL, "i32");
  const values = Float32Array.of(3e38, -3e38, 1, -1, 0, 1e-30, 5);
  model.ops.codec?.encode(adam.m as Int32Array, 0, values, "m");
  model.ops.codec?.encode(adam.m as Int32Array, 0, Float32Array.of(1, 1e-30, -5, 3e38, 0, 3e38, 1e-45), "v");
  const floats = new Float32Array(values.length);
  model.ops.codec?.decode(floats, adam.m as Int32Array, 0, "v");
  // At most 2^25·2^(62 - 76); 0 is that of a parameter that has not moved.
  for (const v of floats) expect(v === 0 || (v >= 2 ** -53 && v < 2 ** 11)).toBe(true);
  for (const word of adam.m.slice(0, values.length)) expect(Math.abs(word >> 16)).toBeLessThanOrEqual(16720);
  model.ops.codec?.encode(model.parameters as Int32Array, 0, Float32Array.of(1e9, -1e9, 0.1), "weights");
  expect([...model.parameters.slice(0, 3)]).toEqual([13 * 2 ** 27, -13 * 2 ** 27, Math.round(0.1 * 2 ** 20) * 128]);
});

describe("an altered checkpoint", () => {
  const trainer = trained(SMALL, "f32");
  const { model, adam, stepsDone } = trainer;
  let sound: Uint8Array;
  beforeAll(async () => {
    sound = await saved(model, stepsDone, stateOf(trainer));
  });
  const target = untouched(SMALL, "f32");

  /** Loads it all, or throws an InputError and changes nothing. */
  async function isAccepted(bytes: Uint8Array): Promise<boolean> {
    for (const buffer of [target.model.parameters, target.adam.m, target.adam.v]) buffer.fill(7);
    const storage = new MemoryStorage({ m: bytes });
    const loaded = async (): Promise<boolean> => {
      let checkpoint: Checkpoint | undefined;
      try {
        checkpoint = await Checkpoint.open(storage, "m");
        const config = checkpoint.modelConfig({});
        runAll(new LoadingTask(checkpoint, target.model, target.adam));
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
    const isLoaded = await loaded();
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

  test("unaltered it is accepted", async () => expect(await isAccepted(sound)).toBe(true));

  test("with any bit flipped it is refused, or means the same", async () => {
    const { start } = headerOf(sound);
    const bytes = sound.slice();
    const accepted: number[] = [];
    for (let at = 0; at < bytes.length; at++) {
      // Of the data a bit a byte is enough: the checksum finds each of them in the same way.
      const masks = at < start ? [1, 2, 4, 32, 255] : [1 << (at % 8)];
      for (const mask of masks) {
        bytes[at] ^= mask;
        if (await isAccepted(bytes)) accepted.push(at);
        bytes[at] ^= mask;
      }
    }
    // Only a space of the padding may turn into other white space.
    const padding = new TextDecoder().decode(sound.subarray(0, start)).trimEnd().length;
    expect(accepted.filter((at) => at < padding || at >= start)).toEqual([]);
  });

  test("cut off anywhere it is refused", async () => {
    for (let length = 0; length < sound.length; length++) {
      if (await isAccepted(sound.slice(0, length))) throw new Error(`Accepted with ${length} bytes.`);
    }
  });

  test("with bytes behind its end it is refused", async () => {
    expect(await isAccepted(Uint8Array.of(...sound, 0))).toBe(false);
  });

  test("another tool may reorder it, but not leave out its checksum", async () => {
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
    expect(await isAccepted(safetensors(sorted, metadata))).toBe(true);
    const others = Object.fromEntries(Object.entries(metadata).filter(([key]) => key !== "crc32"));
    expect(await isAccepted(safetensors(sorted, others))).toBe(false);
    expect(await isAccepted(safetensors(sorted, { ...metadata, step: "6" }))).toBe(false);
  });
});

describe("a file of nothing but weights", () => {
  const model = drawnModel(DEFAULT_MODEL, "f32");
  const byName = (a: TensorToWrite, b: TensorToWrite): number => (a.name < b.name ? -1 : 1);

  test.each<["F32" | "F64"]>([["F32"], ["F64"]])("in %s, sorted by name as Python does it, is enough", async (type) => {
    const file = safetensors(tensorsOf(model, type).sort(byName));
    for (const metadata of [undefined, { format: "pt" }]) {
      const loaded = await load(safetensors(tensorsOf(model, type).sort(byName), metadata), {}, "f32");
      expect(loaded.config).toEqual(DEFAULT_MODEL);
      expect([...loaded.parameters]).toEqual([...model.parameters]);
    }
    const checkpoint = await Checkpoint.open(new MemoryStorage({ m: file }), "m");
    expect([checkpoint.dtype, checkpoint.step]).toEqual([type.toLowerCase(), 0]);
  });

  test("in the reverse order is enough", async () => {
    expect([...(await load(safetensors(tensorsOf(model, "F64").reverse()))).parameters]).toEqual([...model.parameters]);
  });

  test("tells its shape, and is asked for the rest", async () => {
    const other = drawnModel({ ...SMALL, nLayer: 3, nEmbd: 4 });
    const file = safetensors(tensorsOf(other, "F64"));
    expect((await load(file, { preset: "microgpt", nHead: 2 })).config).toEqual({
      preset: "microgpt",
      nLayer: 3,
      nEmbd: 4,
      nHead: 2,
      blockSize: 3,
      vocabularySize: 27,
    });
    await expectRefusal(file, /n_?embd 4, not 8/i, { nEmbd: 8 });
    await expectRefusal(
      safetensors(tensorsOf(drawnModel(SMALL), "F64")),
      /n_embd \(2\) must be a multiple of n_head \(4\)/,
    );
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
    [
      "a single tensor of another layer",
      [...tensors, { name: "layers.1.wk", dtype: "F64", shape: [1], values: [0] }],
      /n_layer 1, has no tensor layers\.1\.wk/,
    ],
    ["half of Adam", [...tensors, { name: "adam.m", dtype: "F64", shape: [1], values: [0] }], /adam\.m has the shape/],
    [
      "another vocabulary",
      withShape("wte", [28, 2]),
      /wte has 28 rows, but the names have 26 characters, and BOS is one more/,
    ],
    ["a transposed matrix", withShape("layers.0.w1", [8, 2]), /layers\.0\.w1 is 8×2.* 2×2/],
    ["a flat matrix", withShape("layers.0.wq", [4]), /layers\.0\.wq has the shape \[4\]/],
    ["wte in three dimensions", withShape("wte", [27, 2, 1]), /wte has the shape \[27, 2, 1\]/],
    ["no embedding", withShape("wte", [27, 0]), /n_embd/],
    ["no positions", withShape("wpe", [0, 2]), /block_size/],
    [
      "whole numbers",
      tensors.map((tensor) => ({ ...tensor, dtype: "I64" })),
      /wte has the type I64, which is not supported/,
    ],
    [
      "other names",
      tensors.map((tensor) => ({ ...tensor, name: `transformer.${tensor.name}.weight` })),
      /cannot be used: it has no tensor wte, but transformer\.wte\.weight, .*, 5 more\.$/,
    ],
    [
      "other names of layers",
      tensors.map((tensor) => ({ ...tensor, name: tensor.name.replace("layers.", "h.") })),
      /it has no tensor layers\.0\.wq, but h\.0\.wq/,
    ],
    [
      "names that move the cursor",
      [{ name: "\x1b[2J\u202e", dtype: "F64", shape: [0], values: [] }],
      /but \\u\{1b\}\[2J\\u\{202e\}\.$/,
    ],
  ])("%s", (_what, altered, message) => expectRefusal(safetensors(altered), message, small));

  test("layers that leave one out", async () => {
    const three = tensorsOf(drawnModel({ ...SMALL, nLayer: 3 }), "F64");
    const leave = (layer: number): TensorToWrite[] => three.filter(({ name }) => !name.startsWith(`layers.${layer}.`));
    await expectRefusal(safetensors(leave(0)), /no tensor layers\.0\.wq/, small);
    await expectRefusal(safetensors(leave(1)), /n_layer 1, has no tensor layers\.2\.wq/, small);
  });

  test.each<[Record<string, string>, RegExp]>([
    [{ preset: "gpt5" }, /preset is "gpt5"/],
    [{ n_layer: "2" }, /n_layer 2/],
    [{ n_embd: "four" }, /n_embd is "four"/],
    [{ n_head: "0" }, /n_?head 0/i],
    [{ step: "-1" }, /step is "-1"/],
    [{ step: "\x9b1m" }, /step is "\\u\{9b\}1m"/],
    [{ preset: "\n".repeat(1000) }, /preset is "(\\u\{a\})+…"/],
    [{ block_size: "4" }, /block_size 4/],
    [{ crc32: "00000000" }, /checksum/],
    [{ n_head: "2" }, /no crc32/],
  ])("the metadata %j", (metadata, message) => expectRefusal(safetensors(tensors, metadata), message, small));

  test("another model than the one that is wanted", async () => {
    const file = await saved(model, 0);
    for (const wanted of [
      { preset: "microgpt" },
      { nLayer: 2 },
      { nEmbd: 16 },
      { nHead: 1 },
      { blockSize: 8 },
    ] as const)
      await expectRefusal(file, /^m\.safetensors holds a model with/, wanted);
    expect((await load(file, SMALL)).config).toEqual(SMALL);
  });

  test("a file that is not there", async () => {
    await expect(Checkpoint.open(new MemoryStorage(), "m\x1b")).rejects.toThrow(InputError);
    await expect(Checkpoint.open(new MemoryStorage(), "m\x1b")).rejects.toThrow("There is no file m\\u{1b}.");
  });
});

describe("half precision", () => {
  // Numbers that both have exactly.
  const model = drawnModel(SMALL, "f32");
  model.parameters.forEach((_, i) => (model.parameters[i] = ((i % 255) - 127) / 64));

  test.each(["F16", "BF16"])("in %s is read, and computed with in f32", async (dtype) => {
    const file = safetensors(tensorsOf(model, "F32").map((tensor) => ({ ...tensor, dtype })));
    const checkpoint = await Checkpoint.open(new MemoryStorage({ m: file }), "m");
    expect(checkpoint.dtype).toBe("f32");
    for (const precision of ["f32", "f64"] as const)
      expect([...(await load(file, { nHead: 2 }, precision)).parameters]).toEqual([...model.parameters]);
  });

  test("must be finite as well", async () => {
    const tensors = tensorsOf(model, "F32").map((tensor) => ({ ...tensor, dtype: "BF16" }));
    const broken = { ...tensors[4], values: tensors[4].values };
    tensors[4] = { ...broken, values: Array.from(broken.values, (value, i) => (i === 3 ? Infinity : value)) };
    await expectRefusal(safetensors(tensors), /layers\.0\.wv holds Infinity/, { nHead: 2 });
  });
});

describe("tensors of others", () => {
  const model = drawnModel(SMALL);
  const other = (name: string, dtype = "I64"): TensorToWrite => ({ name, dtype, shape: [2], values: [NaN, NaN] });

  test("are passed over, whatever they hold, and named", async () => {
    const tensors = [other("position_ids"), ...tensorsOf(model, "F64"), other("a\x1b[2J"), other("bias", "F64")];
    const { model: loaded, passedOver } = await loadAll(safetensors(tensors), { nHead: 2 });
    expect([...loaded.parameters]).toEqual([...model.parameters]);
    expect(passedOver).toEqual(["position_ids", "a\\u{1b}[2J", "bias"]);
  });

  test("are not all named where there are many", async () => {
    const many = Array.from({ length: 1000 }, (_, i) => other(`${i}${"x".repeat(900)}`));
    const { passedOver } = await loadAll(safetensors([...tensorsOf(model, "F64"), ...many]), { nHead: 2 });
    expect(passedOver).toHaveLength(5);
    expect(passedOver[4]).toBe("996 more");
    expect(passedOver.join(", ").length).toBeLessThan(200);
  });
});
