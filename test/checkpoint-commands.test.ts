import { ASIDE, RECEIVED, STORED } from "../src/device/checkpoint-files";
import { decodeBase64 } from "../src/protocol/base64";
import { tagCommand } from "../src/protocol/lines";
import { MemoryStorage } from "./support/memory-storage";
import { finished, NAMES, TestDevice, underWay } from "./support/test-device";

/* The console's commands for the checkpoints that a device keeps. */

const SETTINGS = { steps: 6, samples: 0 };
const LIST = [...NAMES, "quiz", "jvwky"];

async function started(storage: MemoryStorage, settings = {}, names: readonly string[] = LIST): Promise<TestDevice> {
  const device = new TestDevice({ ...SETTINGS, ...settings }, storage, { names });
  await device.live();
  device.take();
  return device;
}

/** A device of the settings above, and three checkpoints of others, the first with words. */
async function keeping(): Promise<{ device: TestDevice; storage: MemoryStorage; first: string }> {
  const storage = new MemoryStorage();
  const taught = await started(storage, { steps: 4 });
  await taught.answer("add zoe");
  const first = taught.state;
  await started(storage, { n_embd: 8, seed: 7 });
  await started(storage, {}, ["kuyi", "zoe"]);
  return { device: await started(storage), storage, first };
}

test("checkpoints lists them: step, shape, list, words; a damaged one as such", async () => {
  const { device, storage } = await keeping();
  const bent = storage.file(ASIDE[1]).slice();
  bent[bent.length - 1] ^= 1;
  storage.files.set(ASIDE[1], bent);
  storage.files.set(RECEIVED, Uint8Array.of(1, 2, 3));
  const lines = (await device.answer("checkpoints")).trimEnd().split("\n");
  expect(lines).toEqual([
    expect.stringMatching(
      /^checkpoint\.safetensors: step 6 of 6, preset=esp32gpt n_layer=1 n_embd=16 n_head=4 block_size=16, this dataset \(CRC-32 [0-9a-f]{8}\), 1 of your words\.$/,
    ),
    expect.stringMatching(/^unused-1\.safetensors: step 4 of 4, .* n_embd=16 .*, this dataset .*, 1 of your words\.$/),
    expect.stringMatching(/^unused-2\.safetensors is damaged or not supported: .*its checksum is/),
    expect.stringMatching(
      /^unused-3\.safetensors: step 6 of 6, .*, another dataset \(CRC-32 [0-9a-f]{8}\), 1 of your words\.$/,
    ),
    expect.stringMatching(/^received\.safetensors is damaged or not supported: .*not a sound safetensors file/),
  ]);
  expect(storage.openFiles).toBe(0);
});

test("checkpoints of a device that has none says so, also while it trains", async () => {
  const device = await underWay();
  expect(await device.answer("checkpoints", 20)).toMatch(/^There is no checkpoint yet: save makes one\.$/m);
});

describe("load", () => {
  test("takes one that fits this build, and of another says what to build for it", async () => {
    const { device, storage, first } = await keeping();
    const before = new Map(storage.files);
    const { state } = device;
    expect(await device.answer("load unused-1")).toBe("unused-1.safetensors needs a build with steps=4.\n");
    expect(await device.answer("load unused-2.safetensors")).toBe(
      "unused-2.safetensors needs a build with n_embd=8 seed=7.\n",
    );
    expect(await device.answer("load unused-3")).toMatch(
      /^unused-3\.safetensors needs a build with the dataset with CRC-32 [0-9a-f]{8}\.\n$/,
    );
    expect([device.state, storage.files]).toEqual([state, before]);
    storage.files.delete(ASIDE[2]);
    const back = await started(storage, { steps: 4 });
    expect(await back.answer("load unused-1")).toMatch(
      /^Loaded: Step 4 of 4, .*idle\. The next save replaces the stored checkpoint with it\.\n$/,
    );
    expect(back.state).toBe(first);
  });

  test("names every setting that differs, and no other", async () => {
    const storage = new MemoryStorage();
    const settings = {
      preset: "tuned",
      n_layer: 2,
      n_embd: 6,
      n_head: 3,
      block_size: 12,
      mlp_width: 5,
      relative_bias: "off",
    };
    await started(storage, { ...settings, batch_size: 3, learning_rate: 0.02, holdout: 10 });
    const device = await started(storage, { mlp_width: 7 });
    expect(await device.answer("load unused-1")).toBe(
      "unused-1.safetensors needs a build with preset=tuned n_layer=2 n_embd=6 n_head=3 block_size=12 mlp_width=5 " +
        "relative_bias=off batch_size=3 learning_rate=0.02 holdout=10.\n",
    );
    const usual = await started(
      new MemoryStorage({ [STORED]: (await finished(SETTINGS)).storage?.file(STORED) ?? new Uint8Array(0) }),
      { mlp_width: 7 },
    );
    expect(await usual.answer("load unused-1")).toBe("unused-1.safetensors needs a build with mlp_width=64.\n");
  });

  test.each([
    "../names.txt",
    "/etc/passwd",
    "names.txt",
    "unused-9",
    "unused-1.safetensors.tmp",
    "constructor",
    "\u202e",
    "next.safetensors",
  ])("and fetch and forget-checkpoint do not know %j, and nothing of that name is opened", async (name) => {
    const storage = new MemoryStorage({ [name]: Uint8Array.of(1), "next.safetensors": Uint8Array.of(2) });
    const device = await started(storage);
    const opened: string[] = [];
    const open = storage.open.bind(storage);
    storage.open = (wanted) => {
      opened.push(wanted);
      return open(wanted);
    };
    for (const command of ["load", "fetch", "forget-checkpoint"])
      expect(await device.answer(`${command} ${name}`)).toMatch(
        /^There is no checkpoint .*: type checkpoints for a list\.\n$/,
      );
    expect(opened).not.toContain(name);
    expect(storage.files.has(name)).toBe(name !== "next.safetensors");
  });
});

test("fetch gives one as it lies; nothing is saved or forgotten meanwhile", async () => {
  const { device, storage } = await keeping();
  const wanted = storage.file(ASIDE[1]);
  expect(await device.answer("fetch unused-2")).toBe("");
  await device.answer("set log json");
  device.takeLines();
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < wanted.length; at += 4 * 192) {
    device.type(`chunk ${at} 4\n`);
    await device.live();
    for (const { type, data } of device.takeLines())
      if (type === "chunk") pieces.push(decodeBase64(String(data)) ?? new Uint8Array(0));
  }
  expect(Buffer.compare(Buffer.concat(pieces), wanted)).toBe(0);
  device.type("forget-checkpoint unused-2\nsave\n");
  await device.live();
  expect(device.takeLines().filter(({ type }) => type === "answer")).toEqual([
    expect.objectContaining({ text: expect.stringMatching(/is being fetched/) as string }),
    expect.objectContaining({ text: expect.stringMatching(/is being fetched/) as string }),
  ]);
  device.type("fetched\nforget-checkpoint unused-2\n");
  await device.live();
  expect(storage.files.has(ASIDE[1])).toBe(false);
});

test("forget-checkpoint makes room, and then saves begin", async () => {
  const { storage } = await keeping();
  const fourth = storage.file(STORED);
  const device = await started(storage, { seed: 9 });
  expect(await device.answer("status")).toMatch(/Not saved: 3 checkpoints .*forget-checkpoint NAME makes room\.\n$/);
  expect(await device.answer("forget-checkpoint")).toMatch(/^forget-checkpoint takes a NAME/);
  expect(await device.answer("forget-checkpoint unused-2")).toMatch(
    /^unused-2\.safetensors is forgotten\. Step 6 of 6, .*; idle\.\n$/,
  );
  expect(storage.file(ASIDE[1])).toBe(fourth);
  expect(await (await started(storage, { seed: 9 })).answer("status")).toMatch(/^Step 6 of 6, .*; idle\.\n$/);
  // The stored one is no exception.
  const blocked = await started(storage, { seed: 10 });
  expect(await blocked.answer("forget-checkpoint checkpoint")).toMatch(
    /^checkpoint\.safetensors is forgotten\. Step 6 of 6, .*; idle\.\n$/,
  );
  expect(await (await started(storage, { seed: 10 })).answer("status")).toMatch(/^Step 6 of 6, .*; idle\.\n$/);
});

test("forget-checkpoint of one that does not make room enough says that it is not saved yet", async () => {
  const storage = (await finished(SETTINGS)).storage ?? new MemoryStorage();
  storage.files.set(RECEIVED, Uint8Array.of(1));
  storage.capacity = 5000;
  const device = await started(storage, { seed: 9 });
  expect(await device.answer("forget-checkpoint received")).toMatch(
    /^received\.safetensors is forgotten\. .* Not saved: Cannot write .* full\.\n$/,
  );
  storage.capacity = Infinity;
  expect(await device.answer("save")).toMatch(/^Saved/);
});

test("at the console a checkpoint that was sent has the name that checkpoints lists it by", async () => {
  const device = await started(new MemoryStorage());
  for (const line of ["receive 3", "data 0 QUJD"]) await device.answer(line);
  expect(await device.answer("received")).toBe(
    "received.safetensors is not a sound safetensors file: it has only 3 bytes.\n",
  );
});

test("what is learnt while a checkpoint is fetched is stored when nobody fetches any more", async () => {
  const storage = new MemoryStorage();
  const device = await started(storage);
  await device.answer("fetch", 20);
  await device.answer("add zoe", 20);
  // The cable was pulled: no fetched comes.
  await device.live();
  const again = await started(storage.reboot());
  expect(await again.answer("words")).toBe("zoe\n");
});

test("a checkpoint that is received no more does not keep the room of a save", async () => {
  const storage = new MemoryStorage();
  const device = await started(storage);
  await device.answer("receive 1000", 5);
  expect(storage.openFiles).toBe(1);
  device.platform.wait(31_000);
  await device.answer("save");
  expect(storage.openFiles).toBe(0);
});

test("a command that says farewell and is refused says why, to a program as well", async () => {
  const device = await started(new MemoryStorage());
  await device.answer("set log json");
  device.takeLines();
  device.type(`${tagCommand(7, "reboot now")}\n`);
  await device.live();
  expect(device.rebooted).toBe(false);
  const error = "reboot takes no arguments.";
  expect(device.takeLines()).toEqual([expect.objectContaining({ type: "ack", id: 7, ok: false, error })]);
});
