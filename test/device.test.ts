import { ASIDE, STORED } from "../src/device/checkpoint-files";
import { MemoryStorage, PowerCut } from "./support/memory-storage";
import { NAMES, TestDevice } from "./support/test-device";

/* The device program from power-on to power-off, and on again. */

const BANNER = /^=== esp32gpt: microgpt in TypeScript on Node ===\nModel: 4192 params.*\nDataset: 7 names.*\n/;

async function finished(settings = {}, storage = new MemoryStorage(), options = {}): Promise<TestDevice> {
  const device = new TestDevice(settings, storage, options);
  await device.live();
  return device;
}

describe("a first start", () => {
  test("says what the published program says, line for line", async () => {
    const text = (await finished()).take();
    expect(text).toMatch(BANNER);
    expect(text.replace(BANNER, "")).toMatch(
      /^Training for 20 steps\.\.\.\nstep {4}0\/20: loss = .*\nstep {4}5.*\nstep {3}10.*\nstep {3}15.*\nstep {3}19.*\n--- Generated names \(temperature=0\.8\) ---\n {3}1\. .*\n {3}2\. .*\n=== Done ===\n$/,
    );
  });

  test("saves at the end, and as often as it is set", async () => {
    const storage = new MemoryStorage();
    const saves: string[] = [];
    const set = storage.files.set.bind(storage.files);
    storage.files.set = (name, bytes) => {
      saves.push(name);
      return set(name, bytes);
    };
    await finished({ save_every: 0.1 }, storage);
    const often = saves.filter((name) => name === STORED).length;
    expect(often).toBeGreaterThanOrEqual(3);
    saves.length = 0;
    await finished({ save_every: 0 }, new MemoryStorage());
    expect([...storage.files.keys()]).toEqual([STORED]);
  });
});

describe("power that goes", () => {
  test.each([{}, { preset: "microgpt" }, { preset: "tuned", steps: 7 }, { holdout: 20 }])(
    "at any moment costs nothing but time: %j",
    async (settings) => {
      const whole = new MemoryStorage();
      const expected = await finished({ ...settings, save_every: 0.2 }, whole);
      for (let turns = 1; turns < 400; turns += 7) {
        const storage = new MemoryStorage();
        let device = new TestDevice({ ...settings, save_every: 0.2 }, storage);
        let restarts = 0;
        for (; !device.take().includes("Done") && restarts < 100; restarts++) {
          await device.live(turns + restarts);
          if (device.device.state === "idle" && device.device.trainer.stepsDone > 0) break;
          device = new TestDevice({ ...settings, save_every: 0.2 }, storage.reboot());
        }
        await device.live();
        expect(device.state).toBe(expected.state);
      }
    },
    120_000,
  );

  test("in any write of any save leaves a checkpoint to go on from", async () => {
    const expected = (await finished({ save_every: 0.2 })).state;
    let cuts = 0;
    for (let isCut = true; isCut; cuts++) {
      isCut = false;
      for (const cutAfter of [0, 0.5, 1]) {
        const storage = new MemoryStorage();
        storage.cutAt = cuts;
        storage.cutAfter = cutAfter;
        const device = new TestDevice({ save_every: 0.2 }, storage);
        try {
          await device.live();
        } catch (error) {
          if (!(error instanceof PowerCut)) throw error;
          isCut = true;
        }
        const again = await finished({ save_every: 0.2 }, storage.reboot());
        const text = again.take();
        expect(text).not.toMatch(/cannot be used|kept as/);
        expect(again.state).toBe(expected);
      }
    }
    expect(cuts).toBeGreaterThan(30);
  }, 120_000);

  test("when all is done leaves a device that says so, and idles", async () => {
    const storage = new MemoryStorage();
    const first = await finished({}, storage);
    const again = await finished({}, storage);
    expect(again.take().replace(BANNER, "")).toMatch(/^It is trained already, 20 steps: train N adds N steps\.\n$/);
    expect(again.state).toBe(first.state);
  });
});

describe("a stored checkpoint that will not do", () => {
  test.each<[string, Record<string, unknown>, readonly string[], RegExp]>([
    ["another shape", { n_embd: 8 }, NAMES, /holds a model with n_embd 16, not 8/],
    ["another list", {}, [...NAMES, "mia"], /was trained on another dataset/],
    ["another list with other characters", {}, ["été", "emma"], /holds a model with vocabulary/],
    ["another seed", { seed: 7 }, NAMES, /is of a build with other settings: this one has seed=7/],
    ["other steps", { steps: 21 }, NAMES, /this one has steps=21/],
    ["another rate", { learning_rate: 0.02 }, NAMES, /this one has learning_rate=0\.02/],
    ["a holdout", { holdout: 20 }, NAMES, /holdout/],
    ["a batch", { batch_size: 2 }, NAMES, /batch_size/],
  ])("%s: it is told, kept, and training starts afresh", async (_name, settings, names, message) => {
    const storage = new MemoryStorage();
    await finished({}, storage);
    const before = storage.file(STORED);
    const text = (await finished(settings, storage, { names })).take();
    expect(text.split("\n")[0]).toMatch(message);
    expect(text.split("\n")[0]).toMatch(/It is kept as unused-1\.safetensors\. Training starts afresh\.$/);
    expect(text).toMatch(/=== Done ===\n$/);
    expect(storage.file(ASIDE[0])).toBe(before);
    expect([...storage.files.keys()].sort()).toEqual([STORED, ASIDE[0]]);
  });

  test("is damaged: likewise, and all of them are kept, as is what a former firmware has left", async () => {
    const former = Uint8Array.of(9);
    const storage = new MemoryStorage({ "unused.safetensors": former });
    const damaged = [Uint8Array.of(1, 2, 3), new Uint8Array(100)];
    for (const bytes of damaged) {
      storage.files.set(STORED, bytes);
      const text = (await finished({}, storage)).take();
      expect(text).toMatch(/^checkpoint\.safetensors is not a sound safetensors file/);
      expect(text).toMatch(/^.*Any words of your own in it cannot be restored\. It is kept as unused-\d/);
    }
    expect(ASIDE.map((name) => storage.file(name))).toEqual([former, ...damaged]);
    expect(storage.files.size).toBe(4);
  });

  test("a device whose seed is drawn goes on with the seed that was drawn", async () => {
    const storage = new MemoryStorage();
    const first = await finished({ seed: "random" }, storage);
    expect(first.take()).toMatch(/^Seed: \d+\n===/);
    const again = await finished({ seed: "random" }, storage);
    expect(again.take()).toMatch(/^===/);
    expect(again.state).toBe(first.state);
  });
});

describe("storage", () => {
  test("that is not there is told once, and training goes on", async () => {
    const device = new TestDevice({}, null as unknown as undefined);
    await device.live();
    const text = device.take();
    expect(text).toMatch(/^There is no storage: the training is lost at power-off\.\n===/);
    expect(text).toMatch(/=== Done ===\n$/);
    expect(await device.answer("save")).toBe("There is no storage.\n");
  });

  test.each(["full", "read-only"])("that is %s is told once, and training goes on", async (how) => {
    const storage = new MemoryStorage();
    if (how === "full") storage.capacity = 5000;
    else storage.isReadOnly = true;
    const device = await finished({ save_every: 0.1 }, storage);
    const text = device.take();
    expect(text.match(/Cannot write/g)).toHaveLength(1);
    expect(text).toMatch(/Progress since the last save is not kept\.\n/);
    expect(text).toMatch(/=== Done ===\n$/);
    expect(storage.openFiles).toBe(0);
    expect(await device.answer("save")).toMatch(/^Cannot write .*\n$/);
  });
});

test("train N on a finished model is a new schedule, Adam's count going on; a power cut changes nothing", async () => {
  const storage = new MemoryStorage();
  const device = await finished({}, storage);
  const text = await device.answer("train 10");
  expect(text).toMatch(/^Training for 10 steps\.\.\.\nstep {4}0\/10: /);
  expect(text).toMatch(/=== Done ===\n$/);
  const { trainer } = device.device;
  expect([trainer.stepsDone, trainer.totalSteps, trainer.config.steps]).toEqual([10, 30, 10]);
  const other = await finished({}, new MemoryStorage());
  const rebooted = await finished({}, other.storage);
  await rebooted.answer("train 10");
  expect(rebooted.state).toBe(device.state);
});
