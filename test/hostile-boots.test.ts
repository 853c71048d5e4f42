import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ASIDE, STORED } from "../src/device/checkpoint-files";
import { outcomeOf, start, temporaryFolder } from "./support/cli";
import { fuzzRandom, fuzzRuns } from "./support/fuzz";
import { SETTINGS_FILE } from "../src/device/stored-settings";
import { HOSTILE_SETTINGS, hostileFile, HOSTILITIES } from "./support/hostile-files";
import { MemoryStorage } from "./support/memory-storage";
import { until } from "./support/programs";
import { TestDevice } from "./support/test-device";
import { makes32Bits } from "./support/xs";

/* Boards that find something in their flash that does harm: they come up and answer. See fuzz.ts. */

const SETTINGS = { n_embd: 4, n_head: 2, steps: 3, samples: 0, save_every: 0 };
/** Of the files in a flash, those whose bytes are believed. */
const FILES = [STORED, ASIDE[0]];

test("in memory", async () => {
  const random = fuzzRandom();
  const first = new TestDevice(SETTINGS);
  await first.live();
  await first.answer("add zoe");
  await first.answer("add quizzical");
  for (const line of ["set temperature 1.5", "set log_every 7", "set top_k 3"]) await first.answer(line);
  const settings = first.storage?.file(SETTINGS_FILE) ?? new Uint8Array(0);
  const sound = first.storage?.file(STORED) ?? new Uint8Array(0);
  const count: Record<string, number> = { goesOn: 0, afresh: 0, badSettings: 0 };
  for (let run = 0; run < fuzzRuns(200); run++) {
    const { kind, bytes } = hostileFile(random, sound, run);
    const set = hostileFile(random, settings, run, HOSTILE_SETTINGS);
    const storage = new MemoryStorage({
      ...Object.fromEntries(FILES.map((name) => [name, bytes])),
      [SETTINGS_FILE]: set.bytes,
    });
    const device = new TestDevice(SETTINGS, storage);
    try {
      await device.live();
      const said = device.take();
      const isAfresh = said.includes("It is kept as unused-2.safetensors");
      if (isAfresh) expect(storage.file(ASIDE[1])).toBe(bytes);
      else expect(said).toMatch(/trained already|Going on|Training for/);
      count[isAfresh ? "afresh" : "goesOn"]++;
      if (said.startsWith("settings.txt is ignored, as ")) {
        count.badSettings++;
        expect(await device.answer("set")).not.toMatch(/The build has (?!own_share)/);
      }
      for (const line of ["status", "generate 1"]) expect(await device.answer(line)).not.toBe("");
      expect(await device.answer("status")).toMatch(/^Step 3 of 3/);
      expect(storage.openFiles).toBe(0);
    } catch (error) {
      throw new Error(`With ${kind}, and ${set.kind} as settings, run ${run}`, { cause: error });
    }
  }
  console.info(JSON.stringify(count));
  expect(count.afresh).toBeGreaterThan(fuzzRuns(200) / 2);
  expect(count.badSettings).toBeGreaterThan(fuzzRuns(200) / 2);
}, 1_800_000);

test("in memory, with settings that are cut off at each place, and a checkpoint in its header", async () => {
  const first = new TestDevice(SETTINGS);
  await first.live();
  for (const line of ["add zoe", "set temperature 1.5", "set log_every 7"]) await first.answer(line);
  const [settings, sound] = [SETTINGS_FILE, STORED].map((name) => first.storage?.file(name) ?? new Uint8Array(0));
  for (let size = 0; size < settings.length; size++) {
    const storage = new MemoryStorage({
      [SETTINGS_FILE]: settings.slice(0, size),
      // The own words stand before the tensors.
      [STORED]: sound.slice(0, Math.floor((size / settings.length) * 1200)),
    });
    const device = new TestDevice(SETTINGS, storage);
    await device.live();
    expect([size, device.take().startsWith("settings.txt is ignored, as ")]).toEqual([size, size > 0]);
    expect(await device.answer("status")).toMatch(/^Step 3 of 3/);
    expect(await device.answer("set")).toMatch(/^temperature 0\.8$/m);
    expect(storage.openFiles).toBe(0);
  }
}, 600_000);

describe("on XS with the memory of a device", () => {
  const at = temporaryFolder();
  const bits = makes32Bits() ? "32" : "64";
  const settings = ["n_embd=16", "n_head=2", "steps=20", "samples=0"];
  const simulate = (folder: string): ReturnType<typeof start> =>
    start("simulate", "--engine", "xs", "--xs-bits", bits, "--storage", folder, ...settings);
  let sound: Uint8Array;
  let soundSettings: Uint8Array;

  beforeAll(async () => {
    mkdirSync(at("sound"), { recursive: true });
    const board = simulate(at("sound"));
    const outcome = outcomeOf(board);
    await until(board, "stdout", /=== Done/);
    board.stdin.write("add zoe\nadd quizzical\nset temperature 1.5\nsave\n");
    await until(board, "stdout", /Saved/);
    board.stdin.end();
    expect((await outcome).code).toBe(0);
    sound = Uint8Array.from(readFileSync(at(`sound/${STORED}`)));
    soundSettings = Uint8Array.from(readFileSync(at(`sound/${SETTINGS_FILE}`)));
  }, 600_000);

  // As many as there are kinds: a process for each.
  const runs = Math.max(Object.keys(HOSTILITIES).length, Math.floor(fuzzRuns(200) / 20));

  test(`${runs} boots`, async () => {
    const random = fuzzRandom();
    for (let run = 0; run < runs; run++) {
      const file = hostileFile(random, sound, run);
      const set = hostileFile(random, soundSettings, run, HOSTILE_SETTINGS);
      const kind = `${file.kind}, and ${set.kind} as settings`;
      const folder = at(`board-${run}`);
      mkdirSync(folder, { recursive: true });
      for (const name of FILES) writeFileSync(join(folder, name), file.bytes);
      writeFileSync(join(folder, SETTINGS_FILE), set.bytes);
      const board = simulate(folder);
      const outcome = outcomeOf(board);
      board.stdin.write("status\ncheckpoints\nload unused-1\nversion\n");
      const said = await Promise.race([
        until(board, "stdout", /^Step \d+ of 20[^]*^checkpoint\.safe[^]*^unused-1\.safe[^]*^Version /m),
        outcome,
      ]);
      if (typeof said !== "string") throw new Error(`With ${kind}, run ${run}: ${JSON.stringify(said)}`);
      board.stdin.end();
      expect([kind, await outcome]).toEqual([kind, expect.objectContaining({ code: 0, stderr: "" })]);
    }
  }, 1_800_000);
});
