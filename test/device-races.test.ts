import { InputError } from "../src/errors";
import { RECEIVED, STORED, UNUSED } from "../src/program/keeping";
import { encodeBase64 } from "../src/protocol/base64";
import { tagCommand } from "../src/protocol/lines";
import { MemoryStorage } from "./support/memory-storage";
import { ALL_LETTERS, finished, TestDevice, underWay } from "./support/test-device";
import { fileOf, headerOf } from "./support/safetensors-file";

/* Commands that come at the worst moment, and files that were made elsewhere. */

/** Sends a checkpoint as PROTOCOL.md has it; the answer to its end. */
async function send(device: TestDevice, bytes: Uint8Array): Promise<string> {
  await device.answer(`receive ${bytes.length}`);
  for (let at = 0; at < bytes.length; at += 60)
    await device.answer(`data ${at} ${encodeBase64(bytes.subarray(at, at + 60))}`, 3);
  return device.answer("received", 60);
}

test("words that change while they are measured end that with a sentence", async () => {
  for (const change of ["forget emma", "add ava", "load"]) {
    const device = await finished();
    await device.answer("save");
    for (const word of ["emma", "olivia", "quiz"]) await device.answer(`add ${word}`);
    device.type(`eval words\n${change}\n`);
    await device.live();
    expect(device.take()).toMatch(/Your words have changed meanwhile: eval again\.|Mean loss/);
    expect(await device.answer("status")).toMatch(/^Step 20/);
  }
});

test("a tagged reboot is acknowledged before it comes, and once", async () => {
  const device = await finished();
  await device.answer("set log json");
  device.type(`${tagCommand(7, "reboot")}\n`);
  await device.live();
  expect(device.takeLines().find(({ type }) => type === "ack")).toMatchObject({ id: 7, ok: true });
  expect(device.rebooted).toBe(true);
});

test("a word that was confirmed is stored before a reboot", async () => {
  const storage = new MemoryStorage();
  const device = await finished({}, storage);
  device.type("add quiz\nreboot\n");
  await device.live();
  expect(device.rebooted).toBe(true);
  expect(await (await finished({}, storage)).answer("words")).toBe("quiz\n");
});

test.each(["add quiz", "set own_share 0.25"])("%s within a batch: a power cut then changes nothing", async (change) => {
  for (const turns of [3, 4, 5, 6]) {
    const storage = new MemoryStorage();
    const device = new TestDevice({ batch_size: 5, steps: 60, save_every: 0 }, storage, ALL_LETTERS);
    await device.live(turns);
    device.type(`${change}\n`);
    await device.live();
    const bytes = storage.file(STORED);
    expect(device.device.trainer.totalSteps).toBe(60);
    const again = await finished({ batch_size: 5, steps: 60, save_every: 0 }, new MemoryStorage({ [STORED]: bytes }));
    expect(again.state).toBe(device.state);
  }
});

test("pause counts at once, whatever comes behind it", async () => {
  const device = await underWay();
  await device.answer("save", 40);
  device.type("pause\nload\n");
  await device.live(40);
  expect(device.take()).toMatch(/^Paused: .*; paused\.\nLoaded: .*; paused\.\n$/m);
  device.type("resume\n");
  await device.live(5);
  device.type("pause\ntrain 5\n");
  await device.live(60);
  await device.live();
  expect(device.take()).toMatch(/Training for 5 steps[^]*=== Done ===/);
});

test("what a checkpoint is about to replace is not changed", async () => {
  const storage = new MemoryStorage();
  await finished({}, storage);
  for (const command of ["add emma", "set own_share 0.9", "generate 1", "eval"]) {
    const device = new TestDevice({}, storage, ALL_LETTERS);
    device.type(`${command}\n`);
    await device.live();
    expect(device.take()).toMatch(/^It is loading: try again in a moment\.\n/);
    expect(await device.answer("words")).toBe("");
  }
});

test("a share without words is remembered", async () => {
  const storage = new MemoryStorage();
  const device = await finished({}, storage);
  await device.answer("set own_share 0.9");
  expect(await (await finished({}, storage)).answer("set")).toMatch(/own_share 0\.9\n/);
});

test("a file that cannot be read to its end leaves a device that says so, and rests", async () => {
  const storage = new MemoryStorage();
  const device = await underWay({}, storage);
  await device.answer("save", 60);
  const open = storage.open.bind(storage);
  let reads = 0;
  storage.open = async (name) => {
    const file = await open(name);
    return (
      file && {
        ...file,
        read(position, bytes) {
          if (++reads > 26) throw new InputError("Cannot read it: the flash has failed.");
          return file.read(position, bytes);
        },
      }
    );
  };
  const text = await device.answer("load", 80);
  expect(text).toMatch(/The weights are a mixture now: load again, or reset\.\n/);
  expect(await device.answer("status")).toMatch(/; paused\.\n$/);
  storage.open = open;
  expect(await device.answer("load")).toMatch(/^Loaded/);
});

describe("a checkpoint that is sent", () => {
  test("takes the place of what there was, and is there after power-off", async () => {
    const other = new MemoryStorage();
    const theirs = await finished({ steps: 35, seed: 9 }, other);
    const storage = new MemoryStorage();
    const device = await finished({}, storage);
    expect(await send(device, other.file(STORED))).not.toMatch(/cannot|not stored/);
    expect(device.device.trainer.state).toEqual(theirs.device.trainer.state);
    const again = await finished({}, storage);
    expect(again.device.trainer.state).toEqual(theirs.device.trainer.state);
    expect(again.device.trainer.model.parameters).toEqual(theirs.device.trainer.model.parameters);
  });

  test("of another kind of training gives its weights", async () => {
    const other = new MemoryStorage();
    const theirs = await finished({ holdout: 20, batch_size: 2 }, other);
    const device = await finished();
    expect(await send(device, other.file(STORED))).toMatch(/the weights alone are taken/);
    expect(device.device.trainer.model.parameters).toEqual(theirs.device.trainer.model.parameters);
    expect(device.device.trainer.totalSteps).toBe(0);
    expect(await device.answer("status")).toMatch(/^Step 0 of 20; paused\.\n$/);
  });

  test("that cannot be stored is loaded, and that is said", async () => {
    const other = new MemoryStorage();
    await finished({ seed: 9 }, other);
    const storage = new MemoryStorage();
    const device = await finished({}, storage);
    const before = storage.file(STORED);
    await device.answer(`receive ${other.file(STORED).length}`);
    for (let at = 0; at < other.file(STORED).length; at += 60)
      await device.answer(`data ${at} ${encodeBase64(other.file(STORED).subarray(at, at + 60))}`, 3);
    const create = storage.create.bind(storage);
    storage.create = async (name) => {
      if (name === STORED) storage.isReadOnly = true;
      return create(name);
    };
    expect(await device.answer("received")).toMatch(/^It is loaded, but not stored\. Cannot write/);
    expect(storage.file(STORED)).toBe(before);
    expect(storage.files.has(RECEIVED)).toBe(true);
  });
});

test.each([
  ["schedule_step", "21"],
  ["next_name", "9"],
  ["own_words", "emma"],
  ["random", "0"],
  ["seed", "-1"],
  ["holdout", "91"],
])("a checkpoint whose %s is %s is none to go on from", async (key, value) => {
  const storage = new MemoryStorage();
  await finished({}, storage);
  const { start } = headerOf(storage.file(STORED));
  const bytes = storage.file(STORED);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start))) as Record<
    string,
    Record<string, string>
  >;
  header.__metadata__[key] = value;
  Reflect.deleteProperty(header.__metadata__, "crc32");
  const damaged = new MemoryStorage({ [STORED]: fileOf(header, bytes.subarray(start)) });
  const device = new TestDevice({}, damaged, ALL_LETTERS);
  await device.live();
  expect(device.take()).toMatch(
    /^checkpoint\.safetensors .*\. It is kept as unused\.safetensors\. Training starts afresh\.\n/,
  );
  expect(damaged.files.has(UNUSED)).toBe(true);
});

test("the power that goes while the last step is measured costs no line of the log", async () => {
  const settings = { holdout: 40, steps: 6, save_every: 0.02, log_every: 1 };
  const storage = new MemoryStorage();
  let device = new TestDevice(settings, storage, ALL_LETTERS);
  let text = "";
  for (let restarts = 0; restarts < 300 && !text.includes("Done"); restarts++) {
    await device.live(30 + (restarts % 5));
    text += device.take();
    if (text.includes("Done") || text.includes("already")) break;
    device = new TestDevice(settings, storage, ALL_LETTERS);
  }
  expect(text).toMatch(/step {4}5\/6: .*validation loss/);
});
