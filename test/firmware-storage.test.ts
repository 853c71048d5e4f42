import { Checkpoint } from "../src/gpt/checkpoint/reader";
import { loadModel } from "../src/gpt/checkpoint/loading";
import { saveCheckpoint } from "../src/gpt/checkpoint/saving";
import { InputError } from "../src/gpt/base/errors";
import { BootGuard } from "../src/device/boot-guard";
import { mount } from "../src/firmware/mount";
import { openStorage } from "../src/places/moddable/storage";
import type { Storage } from "../src/gpt/base/platform";
import { drawnModel } from "./helpers";
import { saved, SMALL, stateOf, trained } from "./support/checkpoints";
import { board } from "./support/moddable/board";
import { Flash } from "./support/moddable/files";
import { expectOneAtATime } from "./support/new-file";
import { realRunner } from "./support/runner";

/* The firmware's files, on a file system that is none. */

const NAME = "m.safetensors";
const PATH = `esp32gpt/${NAME}`;
const trainer = trained({ ...SMALL, nEmbd: 16 }, "f32");
const { model } = trainer;
const training = stateOf(trainer);

beforeEach(() => board.reset());

function opened(flash = new Flash()): { storage: Storage; flash: Flash } {
  board.flash = flash;
  const { storage, refusal } = openStorage();
  expect(refusal).toBe("");
  if (!storage) throw new Error("There is no storage.");
  return { storage, flash };
}

const save = (storage: Storage, step = 2): Promise<void> =>
  saveCheckpoint(realRunner(), storage, NAME, { model, step, training });

/** What is in the files, and that none is open. */
function expectFiles(flash: Flash, files: Record<string, Uint8Array>): void {
  expect([...flash.files.keys()].toSorted()).toEqual(Object.keys(files).toSorted());
  for (const [path, bytes] of Object.entries(files))
    expect([path, Buffer.compare(flash.files.get(path) ?? new Uint8Array(0), bytes)]).toEqual([path, 0]);
  expect(flash.openFiles.size).toBe(0);
}

async function expectRefusal(work: Promise<unknown>, message: string): Promise<void> {
  await expect(work).rejects.toThrow(InputError);
  await expect(work).rejects.toThrow(new InputError(message));
}

test("what is saved is loaded after a restart, and the next save takes its place", async () => {
  const first = opened();
  await save(first.storage, 5);
  expectFiles(first.flash, { [PATH]: await saved(model, 5, training) });
  const { storage, flash } = opened(first.flash.reboot());
  const loaded = await loadModel(realRunner(), storage, NAME, { wanted: {}, ops: model.ops, data: model.vocabulary });
  expect([loaded?.step, loaded?.model.parameters]).toEqual([5, model.parameters]);
  await save(storage, 6);
  expectFiles(flash, { [PATH]: await saved(model, 6, training) });
});

test("there is no file until one is saved", async () => {
  const { storage } = opened();
  expect(await storage.open(NAME)).toBeUndefined();
  await expectRefusal(Checkpoint.open(storage, NAME), `There is no file ${NAME}.`);
});

test("a file is read from any place to its end", async () => {
  const { storage, flash } = opened();
  flash.files.set(PATH, Uint8Array.of(1, 2, 3, 4, 5));
  const file = await storage.open(NAME);
  const bytes = new Uint8Array(3);
  expect([file?.size, file?.read(1, bytes), [...bytes]]).toEqual([5, 3, [2, 3, 4]]);
  expect([file?.read(4, bytes), [...bytes]]).toEqual([1, [5, 3, 4]]);
  expect(file?.read(9, bytes)).toBe(0);
  file?.close();
  expect(flash.openFiles.size).toBe(0);
});

test("a file is moved over another, and one that is not there is not", async () => {
  const { storage, flash } = opened();
  const bytes = Uint8Array.of(1);
  flash.files.set(PATH, bytes).set("esp32gpt/best", Uint8Array.of(2));
  await storage.move("none", "best");
  await storage.move(NAME, "best");
  expectFiles(flash, { "esp32gpt/best": bytes });
});

test("a file is removed, and one that is not there is not", async () => {
  const { storage, flash } = opened();
  flash.files.set(PATH, Uint8Array.of(1));
  await storage.remove(NAME);
  await storage.remove(NAME);
  expectFiles(flash, {});
});

describe("where the flash has no room", () => {
  test("the old file stays and nothing else, until there is room again", async () => {
    const old = await saved(drawnModel(SMALL), 1);
    const { length } = await saved(model, 2, training);
    for (const memory of [0, 8, 900, 5000, length - 1]) {
      const { storage, flash } = opened();
      flash.files.set(PATH, old);
      flash.capacity = old.length + memory;
      await expectRefusal(save(storage), `Cannot write ${NAME}: the flash is full.`);
      expectFiles(flash, { [PATH]: old });
      flash.capacity = old.length + length;
      await save(storage);
      expectFiles(flash, { [PATH]: await saved(model, 2, training) });
    }
  });

  test("what a power cut has left takes none", async () => {
    const bytes = await saved(model, 2, training);
    const { storage, flash } = opened();
    flash.files.set(PATH, bytes).set(`${PATH}.new`, bytes);
    flash.capacity = 2 * bytes.length;
    await save(storage);
    expectFiles(flash, { [PATH]: bytes });
  });

  test("a last write that is cut short is seen", async () => {
    const { length } = await saved(model, 2, training);
    const { storage, flash } = opened();
    flash.capacity = length - 1;
    flash.writesShort = true;
    await expectRefusal(save(storage), `Cannot write ${NAME}: the flash is full.`);
    expectFiles(flash, {});
  });
});

test("a power cut anywhere leaves the old file or the new one, and the next save no leftover", async () => {
  const [before, after] = [await saved(drawnModel(SMALL), 1), await saved(model, 2, training)];
  const left = { old: 0, new: 0 };
  let cuts = 0;
  for (let isCut = true; isCut; cuts++)
    for (const isCutAfter of [false, true]) {
      const { storage, flash } = opened();
      flash.files.set(PATH, before);
      flash.cutAt = flash.operations + cuts;
      flash.isCutAfter = isCutAfter;
      isCut = await save(storage).then(
        () => false,
        () => true,
      );
      const rebooted = opened(flash.reboot());
      const isNew = Buffer.compare(rebooted.flash.files.get(PATH) ?? new Uint8Array(0), after) === 0;
      if (!isNew) expect(rebooted.flash.files.get(PATH)).toEqual(before);
      left[isNew ? "new" : "old"]++;
      await save(rebooted.storage);
      expectFiles(rebooted.flash, { [PATH]: after });
    }
  // The leftover, the new entry, header and data, flush and move, each cut; the last round is not.
  expect(cuts).toBeGreaterThan(4 + after.length / 4096);
  expect(left).toEqual({ old: 2 * (cuts - 1) - 1, new: 1 + 2 });
});

test("a power cut while the storage is opened for the first time is made up for", async () => {
  for (const isCutAfter of [false, true]) {
    board.flash = new Flash();
    Object.assign(board.flash, { cutAt: 0, isCutAfter });
    expect(openStorage().storage).toBeUndefined();
    const { storage } = opened(board.flash.reboot());
    await save(storage);
  }
});

test.each([
  ["LFS ERR -28", "the flash is full"],
  ["LFS ERR -5", "the flash has failed"],
  ["LFS ERR -84", "the file system in flash is damaged"],
  ["no memory", "there is not enough memory"],
  ["LFS ERR -99", "LFS ERR -99"],
])("when anything ends with %s, the old file stays and the sentence says why", async (failure, reason) => {
  const old = Uint8Array.of(1);
  const { storage, flash } = opened();
  flash.files.set(PATH, old);
  const refusal = `Cannot write ${NAME}: ${reason}.`;

  flash.failure = failure;
  await expectRefusal(storage.create(NAME), refusal);

  const file = await storage.create(NAME);
  flash.failure = failure;
  expect(() => file.write(old)).toThrow(new InputError(refusal));
  file.abort();
  expectFiles(flash, { [PATH]: old });

  const another = await storage.create(NAME);
  another.write(old);
  flash.failure = failure;
  await expectRefusal(another.commit(), refusal);
  expectFiles(flash, { [PATH]: old });

  flash.failure = failure;
  await expectRefusal(storage.move(NAME, "best"), refusal.replace(NAME, "best"));
  expectFiles(flash, { [PATH]: old });
});

test("giving a file up never fails", async () => {
  const { storage, flash } = opened();
  const file = await storage.create(NAME);
  flash.failure = "LFS ERR -5";
  file.abort();
  await save(storage);
  expectFiles(flash, { [PATH]: await saved(model, 2, training) });
});

test("one file at a time takes the place of another: the second gives up the first", async () => {
  const { storage, flash } = opened();
  await expectOneAtATime(storage, NAME);
  expectFiles(flash, { [PATH]: Uint8Array.of(3, 4) });
  await save(storage);
  expectFiles(flash, { [PATH]: await saved(model, 2, training) });
});

test.each([
  ["", "it is not a file"],
  ["../m", "this is not a file name"],
  ["nowhere/m", "there is no such folder"],
  ["n".repeat(300), "its name is too long"],
])("%j cannot be written, and nothing is left of it", async (name, reason) => {
  const { storage, flash } = opened();
  const shown = name.length > 200 ? `${name.slice(0, 200)}…` : name;
  await expectRefusal(storage.create(name), `Cannot write ${shown}: ${reason}.`);
  await expectRefusal(storage.create(name), `Cannot write ${shown}: ${reason}.`);
  expectFiles(flash, {});
});

test("a file system that has ended the program twice is not opened", () => {
  let value = 0;
  const marker = { get: () => value, set: (next: number) => void (value = next) };
  for (let i = 0; i < 2; i++) expect(new BootGuard(marker).begin("storage")).toBe(true);
  board.flash = new Flash();
  expect(mount(marker, openStorage)).toEqual({
    storage: undefined,
    refusal: expect.stringMatching(/^Nothing can be saved here: .* twice\..*npm run erase/) as string,
  });
  value = 0;
  expect(mount(marker, openStorage).refusal).toBe("");
  expect(value).toBe(0);
});

test("where there can be no files, a sentence says why", () => {
  board.flash = undefined;
  expect(openStorage()).toEqual({
    storage: undefined,
    refusal: "Nothing can be saved here: the flash has no partition named storage.",
  });
  board.flash = new Flash();
  board.flash.failure = "LFS ERR -5";
  expect(openStorage().refusal).toBe("Nothing can be saved here: the flash has failed.");
  board.hasFiles = false;
  expect(openStorage().refusal).toBe('Nothing can be saved here: module "embedded:storage/files" not found.');
});
