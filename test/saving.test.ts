import { InputError } from "../src/gpt/base/errors";
import { Checkpoint } from "../src/gpt/checkpoint/reader";
import { LoadingTask, loadModel } from "../src/gpt/checkpoint/loading";
import { Runner } from "../src/gpt/base/runner";
import { saveCheckpoint, SavingTask } from "../src/gpt/checkpoint/saving";
import { drawnModel } from "./helpers";
import { runAll, saved, SMALL, stateOf, trained, untouched } from "./support/checkpoints";
import { MemoryStorage, PowerCut } from "./support/memory-storage";
import { realRunner } from "./support/runner";

describe("saving", () => {
  const trainer = trained({ ...SMALL, nEmbd: 16 }, "f32");
  const { model } = trainer;
  const training = stateOf(trainer);

  test("is refused when a parameter is no number, and the old file stays", async () => {
    const model = drawnModel(SMALL);
    const storage = new MemoryStorage({ m: Uint8Array.of(1) });
    for (const value of [NaN, Infinity]) {
      model.parameters[17] = value;
      await expect(saveCheckpoint(realRunner(), storage, "m", { model, step: 0 })).rejects.toThrow(InputError);
    }
    expect([...storage.files]).toEqual([["m", Uint8Array.of(1)]]);
    expect(storage.openFiles).toBe(0);
  });

  test("leaves the old file and nothing else when the disk is full", async () => {
    const { length } = await saved(model, 0, training);
    for (const capacity of [0, 8, 900, 5000, length - 1]) {
      const storage = new MemoryStorage({ m: Uint8Array.of(1) });
      storage.capacity = capacity;
      await expect(saveCheckpoint(realRunner(), storage, "m", { model, step: 0, training })).rejects.toThrow(
        /disk is full/,
      );
      expect([...storage.files]).toEqual([["m", Uint8Array.of(1)]]);
      expect(storage.openFiles).toBe(0);
    }
  });

  test("goes 2 KB at a time, and loading a block of 4 KB", async () => {
    const sizes: number[] = [];
    const file = {
      write: (bytes: Uint8Array) => void sizes.push(bytes.length),
      commit: () => Promise.resolve(),
      abort: () => undefined,
    };
    const saving = new SavingTask(file, "m", { model, step: 0, training });
    let isMore = true;
    while (isMore) {
      const before = sizes.length;
      isMore = saving.work();
      expect(sizes.length - before).toBeLessThanOrEqual(1);
    }
    expect(Math.max(...sizes)).toBe(2048);
    const bytes = await saved(model, 0, training);
    expect(sizes.reduce((a, b) => a + b)).toBe(bytes.length);

    const storage = new MemoryStorage({ m: bytes });
    const checkpoint = await Checkpoint.open(storage, "m");
    const target = untouched(model.config, "f32");
    expect(runAll(new LoadingTask(checkpoint, target.model, target.adam))).toBeGreaterThan((2 * bytes.length) / 4096);
  });

  test("goes on when everything is asked to stop, while loading gives no model", async () => {
    const stopAfterABit = async <T>(start: (runner: Runner) => Promise<T>): Promise<T> => {
      let clock = 0;
      const runner: Runner = new Runner({
        now: () => (clock += 50),
        schedule: (slice) =>
          void setImmediate(() => {
            slice();
            runner.stop();
          }),
      });
      return start(runner);
    };
    const storage = new MemoryStorage({ m: Uint8Array.of(1) });
    await stopAfterABit((runner) => saveCheckpoint(runner, storage, "m", { model, step: 5, training }));
    expect([...storage.files]).toEqual([["m", await saved(model, 5, training)]]);
    const full = new MemoryStorage({ m: await saved(model, 5, training) });
    const toLoad = { wanted: {}, ops: model.ops, data: model.vocabulary };
    expect(await stopAfterABit((runner) => loadModel(runner, full, "m", toLoad))).toBeUndefined();
    expect([storage.openFiles, full.openFiles]).toEqual([0, 0]);
  });

  test("cut off by a power cut anywhere leaves the old file or the new one, and the next save no leftover", async () => {
    const [before, after] = [await saved(drawnModel(SMALL), 1), await saved(model, 2, training)];
    let cuts = 0;
    const left = { old: 0, new: 0 };
    for (let isCut = true; isCut; cuts++) {
      isCut = false;
      for (const cutAfter of [0, 0.01, 0.5, 0.99, 1]) {
        const storage = new MemoryStorage({ m: before });
        storage.cutAt = cuts;
        storage.cutAfter = cutAfter;
        try {
          await saveCheckpoint(realRunner(), storage, "m", { model, step: 2, training });
        } catch (error) {
          if (!(error instanceof PowerCut)) throw error;
          isCut = true;
        }
        const rebooted = storage.reboot();
        const isNew = Buffer.compare(rebooted.file("m"), after) === 0;
        if (!isNew) expect(Buffer.compare(rebooted.file("m"), before)).toBe(0);
        left[isNew ? "new" : "old"]++;
        await saveCheckpoint(realRunner(), rebooted, "m", { model, step: 2, training });
        expect([...rebooted.files.keys()]).toEqual(["m"]);
        expect(Buffer.compare(rebooted.file("m"), after)).toBe(0);
      }
    }
    // Header, data and commit, each cut; the last round is not.
    expect(cuts).toBeGreaterThan(after.length / 4096);
    expect(left.new).toBe(1 + 5);
  });
});
