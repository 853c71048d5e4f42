import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { DEFAULT_MODEL, type ModelConfig } from "../src/gpt/model/config";
import { ASIDE, NEXT, STORED } from "../src/device/checkpoint-files";
import { CheckpointStore } from "../src/device/checkpoint-store";
import type { Trainer } from "../src/gpt/training/trainer";
import type { Storage } from "../src/gpt/base/platform";
import { openStorage } from "../src/places/moddable/storage";
import { ROOT } from "./helpers";
import { SMALL, trained } from "./support/checkpoints";
import { Flash, FlashDirectory } from "./support/moddable/files";
import modules from "./support/moddable/modules";
import { type FileOperation, Recording } from "./support/moddable/recording";
import { realRunner } from "./support/runner";
import { skipUnless } from "./support/skipping";

/*
 * Power cuts on littlefs itself: what the firmware does with its files is recorded here, and done again by a
 * Python program with littlefs on a flash in memory.
 */

const FOLDER = "esp32gpt";
/** Saves with cuts at random; ESP32GPT_LITTLEFS_CYCLES says otherwise. */
const CYCLES = Number(process.env.ESP32GPT_LITTLEFS_CYCLES ?? 200);

const hasLittlefs =
  spawnSync("python3", ["-c", "from littlefs import LFSConfig; LFSConfig(disk_version=0x20000)"]).status === 0;
const withLittlefs = skipUnless(hasLittlefs, "power cuts on littlefs, which need littlefs-python");

interface Answers {
  everyCut: {
    cuts: number;
    /** How often what was in the folder after a cut, and after the next save. */
    outcomes: Record<string, number>;
    /** How often a file was there that had not become whole. */
    leftovers: number;
    /** Blocks in use after a save. */
    used: Record<string, number[]>;
    /** How often bytes were programmed that were not erased, by the kind of cut. */
    overwrites: Record<string, number>;
  };
  randomCuts: { cuts: number; outcomes: Record<string, number>; used: number[] };
  /** Sectors erased, programmings of at most 64 bytes, and bytes read, save by save. */
  cost: { erases: number; programs: number; bytesRead: number }[];
  /** The operation that found the flash full, that among those after it which did as well, and the blocks lost. */
  full: { failed: number | null; stuck: number | null; left: string; grown: number; next: string }[];
}

function ask<Name extends keyof Answers>(name: Name, question: object): Answers[Name] {
  const { stdout, stderr, status } = spawnSync("python3", [join(ROOT, "test", "support", "littlefs-cuts.py")], {
    input: JSON.stringify({ ask: name, folder: FOLDER, ...question }),
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Answers[Name];
}

interface Recorded {
  /** What is done when the firmware starts. */
  start: FileOperation[];
  operations: FileOperation[];
  /** All that was written. */
  base64: string;
}

/**
 * What the firmware does with its files.
 * @param files what there is before that
 * @param failAt the operation that finds the flash full
 */
async function recorded(
  trainer: Trainer,
  work: (checkpoints: CheckpointStore, storage: Storage) => Promise<unknown>,
  files: Readonly<Record<string, Uint8Array>> = {},
  failAt = Infinity,
): Promise<Recorded> {
  const flash = new Flash();
  for (const [name, bytes] of Object.entries(files)) flash.files.set(`${FOLDER}/${name}`, bytes);
  const recording = new Recording();
  jest.spyOn(modules, "importNow").mockReturnValue(recording.of(new FlashDirectory(flash)));
  const { storage, refusal } = openStorage();
  if (!storage) throw new Error(refusal);
  const start = recording.operations.splice(0);
  recording.failAt = failAt;
  const checkpoints = new CheckpointStore({ storage, runner: realRunner(), trainer, build: "", emit: () => undefined });
  await work(checkpoints, storage);
  const { operations } = recording;
  const written = operations.map((operation) => Buffer.from(operation.do === "write" ? operation.data : "", "base64"));
  return { start, operations, base64: Buffer.concat(written).toString("base64") };
}

const save = (checkpoints: CheckpointStore): Promise<void> => checkpoints.saveOrSay(1);

/** Two saves of a training, and what a question says of both. */
async function savedTwice(config: ModelConfig): Promise<{ old: Recorded; new: Recorded; common: object }> {
  const trainer = trained(config, "f32");
  const first = await recorded(trainer, save);
  trainer.step();
  const second = await recorded(trainer, save);
  const contents = { old: first.base64, new: second.base64 };
  return { old: first, new: second, common: { name: STORED, start: first.start, contents } };
}

/** The file with the checkpoint, in an answer. */
const holding = (name: string): string => `${STORED}=${name}`;

/** Of which three do not fit in 64 KB: what a cut has left must make room. */
const MEDIUM = { ...SMALL, nEmbd: 10 };

// In the format of a littlefs before 2.6, as the SDK has one, nothing tells where a programming was cut off that
// had not begun with its first bytes; in 2.1 the first 16 are looked at. littlefs programs there again, reads
// something else than it has written, and takes another block.
const FORMATS = [
  { format: "2.0", diskVersion: 0x20000, mayProgramAgain: ["second half", "some bits"] },
  { format: "2.1", diskVersion: 0x20001, mayProgramAgain: ["second half"] },
];

const PLACES = [
  { kilobytes: 256, config: DEFAULT_MODEL },
  { kilobytes: 64, config: MEDIUM },
];

withLittlefs.describe.each(FORMATS)("littlefs $format", ({ format, diskVersion, mayProgramAgain }) => {
  let cuts = 0;
  afterAll(() => console.info(`The power was cut ${cuts} times on littlefs ${format}.`));

  /** A partition with the firmware's settings. */
  const partition = (kilobytes: number, blockCycles = 500): object => ({
    blocks: kilobytes / 4,
    diskVersion,
    blockCycles,
  });

  /** @param possible what may be there after a cut, and what is there after the next save */
  function expectOutcomes(answer: Answers["everyCut"], possible: Record<string, string>): void {
    cuts += answer.cuts;
    const outcomes = Object.entries(possible).map(([found, next]) => `${found} -> ${next}`);
    expect(Object.keys(answer.outcomes).toSorted()).toEqual(outcomes.toSorted());
    expect(Object.values(answer.outcomes).reduce((a, b) => a + b)).toBe(answer.cuts);
    expect(answer.leftovers).toBeGreaterThan(0);
    const again = Object.keys(answer.overwrites).filter((cut) => answer.overwrites[cut] > 0);
    expect(mayProgramAgain).toEqual(expect.arrayContaining(again));
  }

  /** A save takes as many blocks whatever was cut before it. */
  function expectNoLeak(used: Record<string, number[]>): void {
    for (const [files, blocks] of Object.entries(used)) expect([files, blocks.length]).toEqual([files, 1]);
  }

  test.each(PLACES)("of $kilobytes KB: a cut in a save leaves the old file or the new one", async (place) => {
    const saves = await savedTwice(place.config);
    const next = saves.new.operations;
    const answer = ask("everyCut", {
      ...partition(place.kilobytes),
      ...saves.common,
      before: saves.old.operations,
      turns: [{ save: saves.new.operations, next: { [holding("old")]: next, [holding("new")]: next } }],
    });
    expectOutcomes(answer, { [holding("old")]: holding("new"), [holding("new")]: holding("new") });
    expectNoLeak(answer.used);
  });

  test("a cut in the first save leaves no file or a whole one", async () => {
    const saves = await savedTwice(MEDIUM);
    const next = saves.new.operations;
    const answer = ask("everyCut", {
      ...partition(64),
      ...saves.common,
      before: [],
      turns: [{ save: saves.new.operations, next: { none: next, [holding("new")]: next } }],
    });
    expectOutcomes(answer, { none: holding("new"), [holding("new")]: holding("new") });
    expectNoLeak(answer.used);
  });

  test("a cut while littlefs moves its own tables, as flash wears, does no more", async () => {
    const saves = await savedTwice(SMALL);
    const turn = (from: "old" | "new", to: "old" | "new"): object => ({
      save: saves[to].operations,
      next: { [holding(from)]: saves[to].operations, [holding(to)]: saves[from].operations },
    });
    const answer = ask("everyCut", {
      ...partition(64, 1),
      ...saves.common,
      before: saves.old.operations,
      turns: Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? turn("old", "new") : turn("new", "old"))),
    });
    expectOutcomes(answer, { [holding("old")]: holding("new"), [holding("new")]: holding("old") });
    // Once in its life littlefs gives its root two blocks of its own.
    const used = Object.values(answer.used).flat();
    expect(Math.max(...used) - Math.min(...used)).toBeLessThanOrEqual(2);
  });

  test("a cut while a checkpoint is put aside that cannot be used loses neither it nor the new one", async () => {
    const trainer = trained(DEFAULT_MODEL, "f32");
    const { start, base64 } = await recorded(trainer, save);
    const fresh = Buffer.from(base64, "base64");
    const damaged = Buffer.from(fresh);
    damaged[damaged.length - 1] ^= 1;
    const older = damaged.subarray(0, 5000);
    const begin = (checkpoints: CheckpointStore): Promise<unknown> => checkpoints.restoreOrBegin(1, () => undefined);
    const before = await recorded(trainer, async (checkpoints, storage) => {
      for (const bytes of [older, damaged]) {
        await begin(checkpoints);
        const file = await storage.create(STORED);
        file.write(bytes);
        await file.commit();
      }
    });
    // What a cut may leave, one after the other.
    const contents = { older, damaged, new: fresh };
    const states: Record<string, keyof typeof contents>[] = [
      { [STORED]: "damaged", [ASIDE[0]]: "older" },
      { [STORED]: "damaged", [NEXT]: "new", [ASIDE[0]]: "older" },
      { [NEXT]: "new", [ASIDE[0]]: "older", [ASIDE[1]]: "damaged" },
      { [STORED]: "new", [ASIDE[0]]: "older", [ASIDE[1]]: "damaged" },
    ];
    const next: Record<string, FileOperation[]> = {};
    for (const state of states) {
      const files = Object.fromEntries(Object.entries(state).map(([name, what]) => [name, contents[what]]));
      const found = Object.entries(state).map((pair) => pair.join("="));
      const work = async (checkpoints: CheckpointStore): Promise<void> => {
        await begin(checkpoints);
        await save(checkpoints);
      };
      next[found.join(" ")] = (await recorded(trainer, work, files)).operations;
    }
    const [first, , , last] = Object.keys(next);
    const answer = ask("everyCut", {
      ...partition(256),
      start,
      contents: Object.fromEntries(Object.entries(contents).map(([name, bytes]) => [name, bytes.toString("base64")])),
      before: before.operations,
      turns: [{ save: next[first], next }],
    });
    expectOutcomes(answer, Object.fromEntries(Object.keys(next).map((found) => [found, last])));
    expectNoLeak(answer.used);
  });

  test.each(PLACES)(
    "of $kilobytes KB: cuts at random in one save after another lose nothing and take no room",
    async ({ kilobytes, config }) => {
      const saves = await savedTwice(config);
      const answer = ask("randomCuts", {
        ...partition(kilobytes),
        ...saves.common,
        saves: [saves.old.operations, saves.new.operations],
        cycles: CYCLES,
        seed: kilobytes,
      });
      cuts += answer.cuts;
      expect(answer.cuts).toBeGreaterThan(CYCLES / 2);
      expect(Object.keys(answer.outcomes).toSorted()).toEqual([holding("new"), holding("old")]);
      expect(answer.used).toHaveLength(1);
    },
    60_000 + 20 * CYCLES,
  );

  test("a save erases no sector more than its bytes need, and programs hardly more", async () => {
    const { old, new: next, common } = await savedTwice(DEFAULT_MODEL);
    const saves = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? old : next).operations);
    const costs = ask("cost", { ...partition(256), ...common, saves });
    const { length } = Buffer.from(next.base64, "base64");
    const sectors = Math.ceil(length / 4096);
    const programs = Math.ceil(length / 64);
    // Pointers in the sectors, and what littlefs notes of a file that is made, filled and renamed.
    const usual = costs.filter((cost) => cost.erases === sectors && cost.programs <= programs + 6);
    const more = costs.filter((cost) => !usual.includes(cost));
    // Now and then it tidies its notes.
    expect(more.length).toBeLessThanOrEqual(costs.length / 20);
    expect(costs.filter(({ erases }) => erases > sectors + 2)).toEqual([]);
    expect(costs.filter(({ bytesRead }) => bytesRead > 2.5 * length)).toEqual([]);
  });

  test.each(PLACES)("of $kilobytes KB: where there is no room for it, the old file stays", async (place) => {
    const saves = await savedTwice(place.config);
    const trainer = trained(place.config, "f32");
    const afterFailure: FileOperation[][] = [];
    for (let i = 0; i < saves.new.operations.length; i++)
      afterFailure.push((await recorded(trainer, save, {}, i)).operations.slice(i + 1));
    const answer = ask("full", {
      ...partition(place.kilobytes),
      ...saves.common,
      before: saves.old.operations,
      save: saves.new.operations,
      afterFailure,
    });
    const refused = { stuck: null, left: holding("old"), grown: 0, next: holding("new") };
    // A file of so many blocks was refused with 0, 1, … blocks free.
    expect(answer.length - 1).toBe(Math.ceil(Buffer.from(saves.new.base64, "base64").length / 4080));
    for (const [free, result] of answer.entries())
      expect({ free, ...result }).toEqual(
        free < answer.length - 1
          ? { free, failed: expect.any(Number) as number, ...refused }
          : { free, failed: null, ...refused, left: holding("new") },
      );
  });
});
