import { createHash } from "node:crypto";
import { InputError } from "../src/gpt/base/errors";
import { ASIDE, RECEIVED, STORED } from "../src/device/checkpoint-files";
import type { Settings } from "../src/device/settings";
import { encodeBase64 } from "../src/protocol/base64";
import { tagCommand } from "../src/protocol/lines";
import { MemoryStorage } from "./support/memory-storage";
import { ALL_LETTERS, finished, TestDevice, underWay } from "./support/test-device";
import { withMetadata } from "./support/altered-checkpoints";

/* Commands that come at the worst moment, and files that were made elsewhere. */

/** Sends a checkpoint as PROTOCOL.md has it; the answer to its end. */
async function send(device: TestDevice, bytes: Uint8Array): Promise<string> {
  await device.answer(`receive ${bytes.length}`);
  for (let at = 0; at < bytes.length; at += 60)
    await device.answer(`data ${at} ${encodeBase64(bytes.subarray(at, at + 60))}`, 3);
  return device.answer("received", 60);
}

/** A state that can be read where it is another than expected. */
function inShort({ device, state }: TestDevice): unknown {
  const { dataset, totalSteps } = device.trainer;
  return [totalSteps, dataset.own?.text, dataset.own?.share, createHash("sha256").update(state).digest("hex")];
}

test("words are measured as they are when eval words is typed, whatever changes them next", async () => {
  const WORDS = ["emma", "olivia", "quiz"];
  const teach = async (): Promise<TestDevice> => {
    const device = await finished();
    await device.answer("save");
    for (const word of WORDS) await device.answer(`add ${word}`);
    return device;
  };
  const expected = await (await teach()).answer("eval words");
  expect(expected).toMatch(/^Mean loss: \d\.\d{4} over 3 names\n/);
  for (const [change, after] of [
    ["forget emma", "olivia\nquiz\n"],
    ["add ava", "emma\nolivia\nquiz\nava\n"],
    ["load", "emma\nolivia\nquiz\n"],
  ]) {
    const device = await teach();
    device.type(`eval words\n${change}\nwords\n`);
    await device.live();
    const text = device.take();
    expect(text.startsWith(expected)).toBe(true);
    expect(text.endsWith(after)).toBe(true);
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

test.each<[string, string[]]>([
  ["add quiz", []],
  ["forget quiz", ["add quiz", "add ava"]],
  ["set own_share 0.25", ["add quiz"]],
])(
  "%s within a batch: who goes on from the save that follows ends as who was not interrupted",
  async (change, before) => {
    const settings = { batch_size: 7, steps: 60, save_every: 0 };
    let changesWithin = 0;
    for (const turns of [3, 4, 5, 6, 7, 8]) {
      const storage = new MemoryStorage();
      const device = new TestDevice(settings, storage, ALL_LETTERS);
      const { trainer } = device.device;
      const changeAndSave = async (command: string): Promise<void> => {
        storage.files.delete(STORED);
        device.type(`${command}\n`);
        while (!storage.files.has(STORED)) await device.live(1);
      };
      await device.live(2);
      for (const command of before) await changeAndSave(command);
      await device.live(turns);
      if (!trainer.isBetweenBatches) changesWithin++;
      await changeAndSave(change);
      const saved = storage.reboot();
      expect(trainer.stepsDone).toBeLessThan(60);
      await device.live();
      expect(inShort(await finished(settings, saved))).toEqual(inShort(device));
    }
    expect(changesWithin).toBeGreaterThan(3);
  },
);

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

test("what is typed while the stored checkpoint is restored is carried out afterwards", async () => {
  for (const command of ["add emma", "set own_share 0.9", "generate 3", "eval"]) {
    const expected = await finished();
    const device = new TestDevice({}, expected.storage?.reboot(), ALL_LETTERS);
    const answer = await expected.answer(command);
    device.type(`${command}\n`);
    expect(device.take()).toBe("");
    await device.live();
    expect(device.take().endsWith(`N adds N steps.\n${answer}`)).toBe(true);
    expect(device.state).toBe(expected.state);
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

  test.each<[string, Settings, readonly string[]]>([
    ["batch_size", { batch_size: 2 }, ALL_LETTERS.names],
    ["holdout", { holdout: 20 }, ALL_LETTERS.names],
    ["list", {}, ALL_LETTERS.names.toReversed()],
  ])("of a training with another %s gives its weights alone", async (_, settings, names) => {
    const other = new MemoryStorage();
    const theirs = new TestDevice(settings, other, { names });
    await theirs.live();
    const device = await finished();
    expect(await send(device, other.file(STORED))).toMatch(/only its weights are loaded/);
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

test("a checkpoint that is written anew, with nothing changed, is gone on from", async () => {
  const storage = new MemoryStorage();
  const device = await finished({}, storage);
  const again = new MemoryStorage({ [STORED]: withMetadata(storage.file(STORED), {}) });
  expect((await finished({}, again)).state).toBe(device.state);
  expect(again.files.has(ASIDE[0])).toBe(false);
});

test.each([
  ["schedule_step", "21", /schedule_step/],
  ["step", "19", /schedule_step/], // fewer in all than the 20 of its schedule
  ["next_name", "9", /next_name/],
  ["own_words", "emma", /own_words/],
  ["random", "0", /random/],
  ["seed", "-1", /seed/],
  ["holdout", "91", /holdout/],
])("a checkpoint whose %s is %s is none to go on from", async (key, value, reason) => {
  const storage = new MemoryStorage();
  await finished({}, storage);
  const altered = new MemoryStorage({ [STORED]: withMetadata(storage.file(STORED), { [key]: value }) });
  const device = new TestDevice({}, altered, ALL_LETTERS);
  await device.live();
  const [refusal] = device.take().split("\n");
  expect(refusal).toMatch(
    /^checkpoint\.safetensors .*\. It is kept as unused-1\.safetensors\. Training starts afresh\.$/,
  );
  expect(refusal).toMatch(reason);
  expect(altered.files.has(ASIDE[0])).toBe(true);
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
