import fc from "fast-check";
import { STORED } from "../src/device/checkpoint-files";
import { fuzzRuns } from "./support/fuzz";
import { MemoryStorage } from "./support/memory-storage";
import { ALL_LETTERS, TestDevice } from "./support/test-device";

/*
 * Whatever is pasted: what comes of it is what comes of the same commands, each typed when the one before has ended.
 * fast-check prints the seed of a failure; ESP32GPT_FUZZ_SEED repeats it.
 */

const WORDS = ["venus", "mars", "titan", "io"];
const word = fc.constantFrom(...WORDS);
const command = fc.oneof(
  word.map((text) => `add ${text}`),
  word.map((text) => `forget ${text}`),
  fc.constantFrom("save", "load", "reset", "eval", "eval words", "words", "set", "help", "version", "status"),
  fc.constantFrom("train 2", "train 3", "step", "step 2", "generate 2", "generate 3 1 em"),
  fc.constantFrom("set own_share 0.25", "set own_share default", "set temperature 0.5", "set log_every 2"),
  fc.constantFrom("dance", "generate 0", "train ten", "add x y", "eval all", "  save", "chunk 0 1"),
);
const parameters = {
  numRuns: fuzzRuns(150),
  ...(process.env.ESP32GPT_FUZZ_SEED ? { seed: Number(process.env.ESP32GPT_FUZZ_SEED) } : {}),
};
const REFUSED = /^(.*): (?:8 commands wait already|left out, as a command before it was)\.$/;

async function ready(): Promise<TestDevice> {
  const settings = { n_embd: 4, n_head: 1, steps: 4, samples: 1, save_every: 0 };
  const device = new TestDevice(settings, new MemoryStorage(), ALL_LETTERS);
  await device.live();
  device.take();
  return device;
}

/** What was said, but for what is at once, wherever it comes, and times. */
function inOrder(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => !/^Step \d+ of/.test(line) && !REFUSED.test(line))
    .map((line) => line.replace(/[\d.e-]+ ms a step/, "ms a step"));
}

test("the effects of a paste are in the order of its lines, and what is left out is named", async () => {
  let refusals = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 2, maxLength: 12 }), async (lines) => {
      const [device, other] = [await ready(), await ready()];
      const said = await device.answer(lines.join("\n"));
      const refused = said.split("\n").flatMap((line) => REFUSED.exec(line)?.[1] ?? []);
      const queued = lines.filter((line) => line !== "status" && !line.startsWith("chunk")).map((line) => line.trim());
      const accepted = queued.slice(0, queued.length - refused.length);
      expect(queued.slice(accepted.length)).toEqual(refused);
      let expected = "";
      for (const line of accepted) expected += await other.answer(line);
      const atOnce = inOrder(said).filter((line) => line.startsWith("Nothing is being fetched"));
      expect(atOnce).toHaveLength(lines.filter((line) => line.startsWith("chunk")).length);
      expect(inOrder(said).filter((line) => !atOnce.includes(line))).toEqual(inOrder(expected));
      expect(device.state).toBe(other.state);
      expect(device.storage?.file(STORED)).toEqual(other.storage?.file(STORED));
      if (refused.length > 0) refusals++;
    }),
    // The second step ends the training: what stands behind it waits for the names at its end.
    { ...parameters, examples: [[["reset", "step 2", "step 2", "dance", "train 2"]]] },
  );
  console.info(`${refusals} of ${parameters.numRuns} pastes were longer than what can wait.`);
  expect(refusals).toBeGreaterThan(0);
}, 600_000);

test("stop, pause and status anywhere in a paste are carried out, and leave a device that answers", async () => {
  const urgent = fc.constantFrom("stop", "pause", "status");
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(command, urgent), { minLength: 2, maxLength: 12 }), async (lines) => {
      const device = await ready();
      device.type("train 200\n");
      await device.live(2);
      device.take();
      device.type(`${lines.join("\n")}\n`);
      const said = device.take();
      await device.live();
      expect((said + device.take()).match(/^Step \d+ of \d+/gm)?.length ?? 0).toBeGreaterThanOrEqual(
        lines.filter((line) => line === "status").length,
      );
      const wasPaused = /^Paused: /m.test(said);
      if (wasPaused && !lines.some((line) => /^(?:train|step|load|reset)/.test(line)))
        expect(device.device.state).toBe("paused");
      expect(await device.answer("version")).toMatch(/^Version/);
      expect(device.console?.waitingCount).toBe(0);
    }),
    { ...parameters, numRuns: fuzzRuns(50) },
  );
}, 600_000);
