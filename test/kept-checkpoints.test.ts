import { ASIDE, NEXT, STORED } from "../src/device/checkpoint-files";
import { BootGuard } from "../src/device/boot-guard";
import type { BootMarker } from "../src/gpt/base/platform";
import { MemoryStorage, PowerCut } from "./support/memory-storage";
import { fileOf, headerOf } from "./support/safetensors-file";
import { finished, NAMES, TestDevice, underWay } from "./support/test-device";

/* What a device keeps when it finds a checkpoint that it cannot go on with: the file, and the words. */

const SETTINGS = { steps: 6, samples: 0 };

/** A storage with a finished training of other settings, with words of its own. */
async function taught(settings = {}, words = ["zoe", "quizzical", "yuki"]): Promise<MemoryStorage> {
  const storage = new MemoryStorage();
  const device = await finished({ ...SETTINGS, ...settings }, storage);
  for (const word of words) await device.answer(`add ${word}`);
  await device.answer("set own_share 0.75");
  return storage;
}

async function start(storage: MemoryStorage, settings = {}, marker?: BootMarker): Promise<TestDevice> {
  const device = new TestDevice({ ...SETTINGS, ...settings }, storage, {
    names: [...NAMES, "quiz", "jvwky"],
    ...(marker && { marker }),
  });
  await device.live();
  return device;
}

const wordsOf = (device: TestDevice): string => device.device.trainer.dataset.own?.text ?? "";

/** A checkpoint with another value in its metadata; its checksum is then wrong. */
function altered(bytes: Uint8Array, metadata: Record<string, string>): Uint8Array {
  const { start } = headerOf(bytes);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start))) as Record<string, object>;
  Object.assign(header.__metadata__, metadata);
  return fileOf(header, bytes.subarray(start));
}

describe("words of one's own", () => {
  test("go on in the training that takes the place of another, with their share, and are stored at once", async () => {
    const storage = await taught();
    const old = storage.file(STORED);
    const device = await start(storage, { learning_rate: 0.02, save_every: 0 });
    expect(device.take()).toMatch(
      /^checkpoint\.safetensors is of a build .* It is kept as unused-1\.safetensors\. Training starts afresh\.\n===[^]*\nWith 3 words of your own/,
    );
    expect(wordsOf(device)).toBe("zoe\nquizzical\nyuki\n");
    expect(await device.answer("set")).toMatch(/own_share 0\.75\n/);
    expect(storage.file(ASIDE[0])).toBe(old);
    const again = await start(storage.reboot(), { learning_rate: 0.02 });
    expect(wordsOf(again)).toBe("zoe\nquizzical\nyuki\n");
    expect(again.take()).not.toMatch(/kept as/);
  });

  test("that the model cannot take are named, and the others go on", async () => {
    const storage = await taught();
    const device = await start(storage, { block_size: 5 });
    expect(device.take()).toMatch(/\nThis model cannot take your words "quizzical"\.\n/);
    expect(wordsOf(device)).toBe("zoe\nyuki\n");
    const others = new TestDevice(SETTINGS, storage, { names: ["kuyi", "zo"] });
    await others.live();
    expect(others.take()).toMatch(/\nThis model cannot take your words "zoe"\.\n/);
    expect(wordsOf(others)).toBe("yuki\n");
  });

  test("many that cannot be taken are not all named", async () => {
    const words = Array.from({ length: 26 }, (_, i) => `q${"a".repeat(9)}${String.fromCharCode(97 + i)}`);
    const device = await start(await taught({}, words), { block_size: 5 });
    expect(device.take()).toMatch(/cannot take your words ("qa+[a-h]", ){8}18 more\.\n/);
  });

  test("of a file that is damaged behind its header go on; of one whose header is, that is said", async () => {
    const storage = await taught();
    const sound = storage.file(STORED);
    const bent = sound.slice();
    bent[bent.length - 1] ^= 1;
    storage.files.set(STORED, bent);
    expect(wordsOf(await start(storage))).toBe("zoe\nquizzical\nyuki\n");
    for (const bytes of [sound.slice(0, 500), altered(sound, { own_words: "zoe\nqui" })]) {
      storage.files.set(STORED, bytes);
      const device = await start(storage);
      expect(device.take()).toMatch(/Any words of your own in it cannot be restored\. It is kept as/);
      expect(wordsOf(device)).toBe("");
    }
  });

  test("are those of the stored checkpoint alone where that fits", async () => {
    const storage = await taught();
    storage.files.set(ASIDE[0], storage.file(STORED));
    storage.files.set(STORED, (await taught({}, ["ava"])).file(STORED));
    expect(wordsOf(await start(storage))).toBe("ava\n");
    storage.files.delete(STORED);
    expect(wordsOf(await start(storage))).toBe("");
  });
});

test("the power that goes at any moment while a checkpoint is put aside costs neither it nor the words", async () => {
  const old = (await taught()).file(STORED);
  let cuts = 0;
  for (let isCut = true; isCut; cuts++) {
    isCut = false;
    for (const cutAfter of [0, 0.5, 1]) {
      const storage = new MemoryStorage({ [STORED]: old });
      storage.cutAt = cuts;
      storage.cutAfter = cutAfter;
      await start(storage, { seed: 7, steps: 1 }).catch((error: unknown) => {
        if (!(error instanceof PowerCut)) throw error;
        isCut = true;
      });
      const again = await start(storage.reboot(), { seed: 7, steps: 1 });
      expect(wordsOf(again)).toBe("zoe\nquizzical\nyuki\n");
      expect(again.storage?.file(ASIDE[0])).toBe(old);
      expect([...(again.storage?.files.keys() ?? [])].filter((name) => !name.endsWith(".tmp")).sort()).toEqual([
        STORED,
        ASIDE[0],
      ]);
    }
  }
  expect(cuts).toBeGreaterThan(15);
}, 120_000);

describe("where there is no room", () => {
  test("for a fourth nothing is deleted, nothing is saved, and status says so", async () => {
    const storage = await taught();
    const old = storage.file(STORED);
    for (const [i, name] of ASIDE.entries()) storage.files.set(name, Uint8Array.of(i));
    const before = new Map(storage.files);
    const device = await start(storage, { seed: 7, save_every: 0.05 });
    expect(device.take()).toMatch(
      /^.* It stays, and this training is not saved: 3 checkpoints of other trainings are kept already: .*forget-checkpoint NAME makes room\. Training starts afresh\.\n===/,
    );
    expect(wordsOf(device)).toBe("zoe\nquizzical\nyuki\n");
    expect(await device.answer("status")).toMatch(
      /; idle\. Not saved: 3 checkpoints .*forget-checkpoint NAME makes room\.\n$/,
    );
    expect(await device.answer("save")).toMatch(/^3 checkpoints of other trainings are kept already/);
    expect(storage.files).toEqual(before);
    storage.files.delete(ASIDE[1]);
    expect(await device.answer("save")).toMatch(/^Saved: .*; idle\.\n$/);
    expect(storage.file(ASIDE[1])).toBe(old);
    expect((await start(storage, { seed: 7 })).take()).toMatch(/trained already/);
  });

  test("in the storage it is the same", async () => {
    const storage = await taught();
    const before = new Map(storage.files);
    storage.capacity = 4000;
    const device = await start(storage, { seed: 7 });
    expect(device.take()).toMatch(
      /It stays, and this training is not saved: Cannot write .* full\. Training starts afresh\./,
    );
    expect(await device.answer("status")).toMatch(/Not saved: Cannot write .*full\.\n$/);
    expect(storage.files).toEqual(before);
    storage.capacity = Infinity;
    expect(await device.answer("save")).toMatch(/^Saved/);
    expect(await device.answer("status")).toMatch(/; idle\.\n$/);
    expect(storage.files.has(NEXT)).toBe(false);
  });

  test("for a save of a training that fits, status says it until one succeeds", async () => {
    const storage = new MemoryStorage();
    const device = await underWay({ save_every: 0.05 }, storage);
    storage.isReadOnly = true;
    await device.live(60);
    expect(device.take().match(/Progress since the last save is not kept/g)).toHaveLength(1);
    expect(await device.answer("status", 3)).toMatch(/; (?:training|saving)\. Not saved: Cannot write checkpoint/);
    storage.isReadOnly = false;
    await device.live(60);
    expect(await device.answer("status", 3)).toMatch(/; (?:training|saving)\.\n/);
  });
});

/** Memory that a restart keeps. */
function memory(): BootMarker & { value: number } {
  const marker = {
    value: 0,
    get: () => marker.value,
    set: (value: number) => void (marker.value = value),
  };
  return marker;
}

describe("what ends the program while it is read", () => {
  class Fault extends Error {}

  /** A storage that ends the program when `name` is read. */
  function hostile(files: Map<string, Uint8Array>, name: string): MemoryStorage {
    const storage = new MemoryStorage(Object.fromEntries(files));
    const open = storage.open.bind(storage);
    storage.open = async (wanted) => {
      const file = await open(wanted);
      if (!file || wanted !== name) return file;
      return {
        ...file,
        read() {
          throw new Fault();
        },
      };
    };
    return storage;
  }

  test("does so twice, and then is put aside unread", async () => {
    const marker = memory();
    const storage = hostile((await taught()).files, STORED);
    const old = storage.file(STORED);
    for (let i = 0; i < 2; i++) await expect(start(storage, {}, marker)).rejects.toThrow(Fault);
    const device = await start(storage, { steps: 3 }, marker);
    expect(device.take()).toMatch(
      /^checkpoint\.safetensors was not read: .* twice\. Any words of your own in it cannot be restored\. It is kept as unused-1\.safetensors\./,
    );
    expect([storage.file(ASIDE[0]), marker.value]).toEqual([old, 0]);
    expect(await device.answer("status")).toMatch(/^Step 3 of 3, .*idle\.\n$/);
  });

  test("and cannot be put aside, stays unread from start to start", async () => {
    const marker = memory();
    const { files } = await taught();
    for (const name of ASIDE) files.set(name, Uint8Array.of(1));
    const storage = hostile(files, STORED);
    for (let i = 0; i < 2; i++) await expect(start(storage, {}, marker)).rejects.toThrow(Fault);
    for (let i = 0; i < 3; i++) expect((await start(storage, {}, marker)).take()).toMatch(/was not read.*It stays/);
  });

  test("an error that was told is no such end", async () => {
    const marker = memory();
    const storage = new MemoryStorage({ [STORED]: Uint8Array.of(1) });
    await start(storage, {}, marker);
    await start(storage, {}, marker);
    expect(marker.value).toBe(0);
  });

  test("each stage has a count of its own, and a place without such memory none", () => {
    const marker = memory();
    for (let i = 0; i < 2; i++) {
      const guard = new BootGuard(marker);
      expect(guard.begin("storage")).toBe(true);
      guard.end("storage");
      expect(guard.begin("settings")).toBe(true);
      guard.end("settings");
      expect(guard.begin("checkpoint")).toBe(true);
    }
    const guard = new BootGuard(marker);
    expect([guard.begin("storage"), guard.begin("settings"), guard.begin("checkpoint")]).toEqual([true, true, false]);
    for (let i = 0; i < 9; i++) expect(new BootGuard(undefined).begin("checkpoint")).toBe(true);
  });
});
