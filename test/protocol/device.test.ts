import { createHash } from "node:crypto";
import fc from "fast-check";
import { InputError } from "../../src/gpt/base/errors";
import { RECEIVED, STORED } from "../../src/device/checkpoint-files";
import { tagCommand } from "../../src/protocol/lines";
import { PERFECT, type LinkQuality } from "../support/channel";
import { DeviceScene } from "../support/device-scene";
import { fuzzRuns } from "../support/fuzz";
import { MemoryStorage } from "../support/memory-storage";
import { NAMES, TestDevice } from "../support/test-device";

/*
 * The client and the device program over a bad line. fast-check prints the seed of a failure;
 * ESP32GPT_FUZZ_SEED repeats it.
 */

const SMALL = { n_embd: 4, n_head: 1, steps: 1000, save_every: 0.5, samples: 0, log_every: 100 };
const nothing = (): void => undefined;

const share = (most: number): fc.Arbitrary<number> => fc.double({ min: 0, max: most, noNaN: true });
const anyQuality: fc.Arbitrary<LinkQuality> = fc.record({
  lost: share(0.1),
  damaged: share(0.1),
  doubled: share(0.2),
  delayed: fc.constant(0),
});
const SEEDS = fc.integer({ min: 1, max: 1e6 });
const parameters = {
  numRuns: fuzzRuns(10),
  ...(process.env.ESP32GPT_FUZZ_SEED ? { seed: Number(process.env.ESP32GPT_FUZZ_SEED) } : {}),
};

async function opened(
  seed = 1,
  quality = PERFECT,
  settings: Record<string, unknown> = SMALL,
  names = NAMES,
): Promise<DeviceScene> {
  const scene = new DeviceScene(seed, settings, new MemoryStorage(), { names });
  await scene.live(500);
  scene.quality = quality;
  await scene.open();
  return scene;
}

/** A state in short: where it is another, nobody wants to see all of it. */
function digest({ state }: TestDevice): string {
  return createHash("sha256").update(state).digest("hex");
}

/** The state at the end of a training that nobody disturbs. */
async function endOf(settings: Record<string, unknown>, storage = new MemoryStorage()): Promise<string> {
  const device = new TestDevice(settings, storage);
  await device.live();
  return digest(device);
}

/** A checkpoint of another training, in the middle of it, and the state that it has. */
async function other(
  settings: Record<string, unknown> = { ...SMALL, seed: 7 },
  names = NAMES,
): Promise<{ bytes: Uint8Array; state: string }> {
  const device = new TestDevice(settings, new MemoryStorage(), { names });
  await device.live(20);
  await device.answer("pause");
  await device.answer("save");
  return { bytes: device.storage?.file(STORED) ?? new Uint8Array(0), state: digest(device) };
}

async function failure(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  throw new Error("it has not failed");
}

describe("over a line that loses, damages and doubles", () => {
  test("commands are carried out, once each", async () => {
    await fc.assert(
      fc.asyncProperty(SEEDS, anyQuality, async (seed, quality) => {
        const scene = await opened(seed, quality);
        const { trainer } = scene.device.device;
        let isSure = true;
        for (const command of ["add ava", "add emma", "forget ava", "add fox"])
          isSure &&= await scene.succeeds(scene.client.run(command));
        if (await scene.succeeds(scene.client.run("pause"))) {
          await scene.live(500);
          expect(scene.device.device.state).toBe("paused");
        }
        await scene.succeeds(scene.client.run("generate 3"));
        expect(await scene.succeeds(scene.client.run("dance"))).toBe(false);
        if (isSure) expect(trainer.dataset.own?.text).toBe("emma\nfox\n");
        expect(scene.heard.filter(({ type }) => type === "name").length).toBeLessThanOrEqual(3);
      }),
      parameters,
    );
  });

  test("what is fetched while it trains is what is stored, and a device goes on from it", async () => {
    const expected = await endOf(SMALL);
    let successes = 0;
    await fc.assert(
      fc.asyncProperty(SEEDS, anyQuality, async (seed, quality) => {
        const scene = await opened(seed, quality);
        const { storage, client } = scene;
        let bytes = new Uint8Array(0);
        let stored: Uint8Array | undefined;
        const progress = (): void => {
          stored ??= storage.file(STORED);
          expect(storage.file(STORED)).toBe(stored);
        };
        if (await scene.succeeds(client.fetch(progress).then((all) => (bytes = Uint8Array.from(all))))) {
          expect(bytes).toEqual(stored);
          expect(await endOf(SMALL, new MemoryStorage({ [STORED]: bytes }))).toBe(expected);
          successes++;
        }
        await scene.finish();
        expect(digest(scene.device)).toBe(expected);
      }),
      parameters,
    );
    expect(successes).toBeGreaterThan(parameters.numRuns / 2);
  });

  test("what is sent takes the place of what it had, or all is as it was", async () => {
    const { bytes, state } = await other();
    const [undisturbed, expected] = [await endOf(SMALL), await endOf({ ...SMALL, seed: 7 })];
    let successes = 0;
    await fc.assert(
      fc.asyncProperty(SEEDS, anyQuality, fc.boolean(), async (seed, quality, isPaused) => {
        const scene = await opened(seed, quality);
        const { client, device } = scene;
        if (isPaused && !(await scene.succeeds(client.run("pause")))) return;
        await scene.live(500);
        const before = digest(device);
        const isSent = await scene.succeeds(client.send(bytes, nothing));
        if (isPaused) expect(isSent ? [state] : [state, before]).toContain(digest(device));
        scene.quality = PERFECT;
        // It may have been paused, or have been through with its own training before it got another.
        if (device.device.state === "paused") await scene.run(client.run("resume"));
        await scene.finish();
        expect(isSent ? [expected] : [expected, undisturbed]).toContain(digest(device));
        if (isSent) successes++;
      }),
      parameters,
    );
    expect(successes).toBeGreaterThan(parameters.numRuns / 2);
  });
});

test("whatever becomes of a tagged command on its way, a program gets lines for programs alone", async () => {
  const device = new TestDevice();
  await device.live();
  await device.answer("set log json");
  const other = Buffer.from(`${tagCommand(9, "version")}\n`);
  await fc.assert(
    fc.asyncProperty(fc.nat(other.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(2), async (at, byte, count) => {
      device.type(tagCommand(8, "version"));
      device.type(
        Uint8Array.of(...other.subarray(0, at), ...new Array<number>(count).fill(byte), ...other.subarray(at)),
      );
      await device.live();
      device.takeLines();
    }),
  );
  for (const line of [`${tagCommand(1, "add zoë")}\x1b`, "@".repeat(121), "@\x80"]) {
    device.type(Buffer.from(`${line}\n`, line === "@\x80" ? "latin1" : "utf8"));
    expect(device.takeLines().map(({ type }) => type)).toEqual(["damaged"]);
  }
  device.type("a".repeat(121) + "\n");
  expect(device.takeLines()).toMatchObject([{ type: "answer", text: "The line is too long: at most 120 bytes." }]);
});

describe("a fetch", () => {
  test("lasts as long as its client has patience", async () => {
    const scene = await opened();
    let isFirst = true;
    const work = scene.client.fetch(() => {
      if (!isFirst) return;
      isFirst = false;
      scene.quality = { ...PERFECT, lost: 1 };
      scene.simulation.after(9_000, () => (scene.quality = PERFECT));
    });
    expect((await scene.run(work)).length).toBeGreaterThan(5000);
  });

  test("during which the training ends keeps what it has, and the end is stored afterwards", async () => {
    const scene = await opened(1, PERFECT, { ...SMALL, steps: 60 });
    let isFirst = true;
    const work = scene.client.fetch(() => {
      if (!isFirst) return;
      isFirst = false;
      scene.quality = { ...PERFECT, lost: 1 };
      scene.simulation.after(5_000, () => (scene.quality = PERFECT));
    });
    const bytes = await scene.run(work);
    await scene.live(2000);
    expect(scene.device.device.state).toBe("idle");
    expect(scene.storage.file(STORED)).not.toEqual(bytes);
    const again = new TestDevice({ ...SMALL, steps: 60 }, scene.storage);
    await again.live();
    expect(again.take()).toMatch(/It is trained already/);
  });
});

describe("a checkpoint that is refused", () => {
  const refused = async (bytes: Uint8Array, reason: RegExp, capacity = Infinity): Promise<void> => {
    for (const isPaused of [true, false]) {
      const scene = await opened(1, { ...PERFECT, lost: 0.02, damaged: 0.02 });
      if (isPaused) await scene.run(scene.client.run("pause"));
      await scene.run(scene.client.run("save"));
      const state = digest(scene.device);
      const stored = scene.storage.file(STORED);
      scene.storage.capacity = capacity;
      expect(await failure(scene.run(scene.client.send(bytes, nothing)))).toMatch(reason);
      scene.storage.capacity = Infinity;
      if (isPaused) {
        expect(digest(scene.device)).toBe(state);
        expect(scene.storage.file(STORED)).toBe(stored);
        await scene.run(scene.client.run("resume"));
      }
      await scene.finish();
      expect(digest(scene.device)).toBe(await endOf(SMALL));
      expect(scene.storage.openFiles).toBe(0);
      expect([STORED, RECEIVED]).toEqual(expect.arrayContaining([...scene.storage.files.keys()]));
    }
  };

  test("as it has another shape", async () =>
    refused((await other({ ...SMALL, n_embd: 8 })).bytes, /^The sent file holds a model with n_embd 8, not 4/));

  test("as it has another vocabulary", async () =>
    refused((await other(SMALL, [...NAMES.slice(1), "zoë"])).bytes, /vocabulary|characters/));

  test("as it is damaged, wherever that is", async () => {
    const { bytes } = await other();
    for (const at of [0, 9, 500, bytes.length - 1000, bytes.length - 1]) {
      const damaged = bytes.slice();
      damaged[at] ^= 1;
      await refused(damaged, /^The sent file (?!.*received)/);
    }
  });

  test("as it is no checkpoint", () => refused(new Uint8Array(1000).fill(32), /not a sound safetensors file/));

  test("as it is too large for any board", () => refused(new Uint8Array((16 << 20) + 1), /size/i));

  test("as there is no room for it", async () => refused((await other()).bytes, /disk is full/, 2000));

  test("as somebody has changed his mind", async () => {
    const { bytes } = await other();
    const scene = await opened();
    const work = scene.client.send(bytes, (done) => {
      if (done > bytes.length / 2) scene.client.cancel(new InputError("enough"));
    });
    expect(await failure(scene.run(work))).toBe("enough");
    await scene.live(1000);
    while (scene.device.device.state === "saving") await scene.live(20);
    expect([...scene.storage.files.keys()]).toEqual([STORED]);
    await scene.finish();
    expect(digest(scene.device)).toBe(await endOf(SMALL));
  });
});
