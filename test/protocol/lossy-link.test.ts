import fc from "fast-check";
import { InputError } from "../../src/gpt/base/errors";
import type { LinkQuality } from "../support/channel";
import { fuzzRuns } from "../support/fuzz";
import { fileOf, Scene } from "../support/scene";

/* The client over bad lines. fast-check prints the seed of a failure; ESP32GPT_FUZZ_SEED repeats it. */

const nothing = (): void => undefined;

const share = (most: number): fc.Arbitrary<number> => fc.double({ min: 0, max: most, noNaN: true });
const anyQuality: fc.Arbitrary<LinkQuality> = fc.record({
  lost: share(0.3),
  damaged: share(0.3),
  doubled: share(0.3),
  delayed: share(0.3),
});

/** Whether the work succeeds; what it fails with is a sentence. */
async function succeeds(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return false;
  }
}

const SIZES = fc.integer({ min: 1, max: 3000 });
const SEEDS = fc.integer({ min: 1, max: 1e6 });

describe("over a line that loses, damages, doubles and delays", () => {
  const parameters = {
    numRuns: fuzzRuns(150),
    ...(process.env.ESP32GPT_FUZZ_SEED ? { seed: Number(process.env.ESP32GPT_FUZZ_SEED) } : {}),
  };

  test("a file that is fetched is the right one, or there is a sentence", async () => {
    let successes = 0;
    await fc.assert(
      fc.asyncProperty(SEEDS, anyQuality, SIZES, async (seed, quality, size) => {
        const scene = new Scene(seed);
        scene.quality = quality;
        scene.device.file = fileOf(size);
        scene.chatter(700);
        if (!(await succeeds(scene.open()))) return;
        let bytes: Uint8Array | undefined;
        if (!(await succeeds(scene.run(scene.client.fetch(nothing).then((all) => (bytes = all)))))) return;
        expect(bytes).toEqual(fileOf(size));
        successes++;
      }),
      parameters,
    );
    expect(successes).toBeGreaterThan(parameters.numRuns / 2);
  });

  test("a file that was sent is what the device has, or there is a sentence", async () => {
    let successes = 0;
    await fc.assert(
      fc.asyncProperty(SEEDS, anyQuality, SIZES, async (seed, quality, size) => {
        const scene = new Scene(seed);
        scene.quality = quality;
        scene.chatter(700);
        const file = fileOf(size).reverse();
        if (!(await succeeds(scene.open()))) return;
        if (!(await succeeds(scene.run(scene.client.send(file, nothing))))) return;
        expect(scene.device.file).toEqual(file);
        successes++;
      }),
      parameters,
    );
    expect(successes).toBeGreaterThan(parameters.numRuns / 2);
  });

  test("a command is carried out once, or there is a sentence", async () => {
    await fc.assert(
      fc.asyncProperty(SEEDS, anyQuality, async (seed, quality) => {
        const scene = new Scene(seed);
        scene.quality = { ...quality, delayed: 0 };
        if (!(await succeeds(scene.open()))) return;
        for (let i = 1; i < 6; i++) {
          const isDone = await succeeds(scene.run(scene.client.run(`generate ${i}`)));
          const times = scene.device.done.filter((line) => line === `generate ${i}`).length;
          expect(times).toBeLessThan(2);
          expect([isDone, times]).not.toEqual([true, 0]);
        }
      }),
      parameters,
    );
  });
});
