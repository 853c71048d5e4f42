import { OwnWords, MAX_OWN_BYTES } from "../src/gpt/data/own-words";
import { type BoardHeap, BoardSession } from "./support/board-session";
import { esp32gpt, newFolder, temporaryFolder } from "./support/cli";
import { consoleBlocks, documentOf, wordsAddedIn } from "./support/documents";
import { makes32Bits } from "./support/xs";
import { skipUnless } from "./support/skipping";

/* Words of one's own, from the list in memory to a board that learns them. */

/** The words that docs/board.md teaches. */
const MOONS = wordsAddedIn(consoleBlocks(documentOf("docs/board.md"))[0]);

const at = temporaryFolder();

describe("the list", () => {
  test("has what was added and not forgotten, in that order", () => {
    const own = new OwnWords();
    for (const word of ["io", "été", "la mer", "io io"]) own.add(word);
    own.forget("été");
    expect([own.count, own.text]).toEqual([3, "io\nla mer\nio io\n"]);
    expect([0, 1, 2].map((i) => own.offset(i))).toEqual([0, 3, 10]);
    own.forget("io io");
    own.forget("io");
    own.forget("la mer");
    expect([own.count, own.text, own.bytes.every((byte) => byte === 0)]).toEqual([0, "", true]);
  });

  test("takes a word once, and gives back none that it has not", () => {
    const own = new OwnWords();
    own.add("io");
    expect(() => own.add("io")).toThrow('"io" is one of your words already.');
    expect(() => own.forget("i")).toThrow('"i" is not one of your words.');
    expect(own.text).toBe("io\n");
  });

  test("is full to the last byte, and then says so", () => {
    const own = new OwnWords();
    for (let i = 0; i < MAX_OWN_BYTES / 8; i++) own.add(String(i).padStart(7, "x"));
    expect(() => own.add("y")).toThrow(/no room for "y": 1536 bytes/);
    own.forget("xxxxxx0");
    own.add("yyyyyyy");
    expect(own.count).toBe(MAX_OWN_BYTES / 8);
  });
});

/** The mean loss that `eval words` tells. */
function lossIn(text: string): number {
  return Number(/^Mean loss: (\d\.\d{4}) over 30 names$/m.exec(text)?.[1]);
}

/** How many of the names have a bigram of letters that the words have, and the names do not: a lean towards them. */
function endings(names: readonly string[]): number {
  return names.filter((name) => /(?:us|on|os|an|as|ys)$/.test(name)).length / names.length;
}

test("a board learns thirty words over its cable, and knows them after the power was off", async () => {
  const flash = newFolder(at("flash"));
  const board = new BoardSession("--engine", "auto", "--storage", flash, "save_every=1");
  await board.until(/=== Done ===/);
  const before = (await board.answer("generate 300", /(?:[a-z]*\n){300}/)).trim().split("\n");
  for (const word of MOONS) await board.answer(`add ${word}`, new RegExp(`"${word}" is one of`));
  const first = lossIn(await board.answer("eval words", /tokens .*\n/));
  await board.answer("train 300", /=== Done ===/);
  const second = lossIn(await board.answer("eval words", /tokens .*\n/));
  const after = (await board.answer("generate 300", /(?:[a-z]*\n){300}/)).trim().split("\n");
  await board.answer("save", /^Saved/m);
  await board.end();
  console.info(
    `The loss on thirty words: ${first} before 300 steps, ${second} after; names that end like them: ${endings(before)}, ${endings(after)}`,
  );
  expect(first - second).toBeGreaterThan(0.3);
  expect(endings(after)).toBeGreaterThan(endings(before) + 0.05);

  const again = new BoardSession("--engine", "auto", "--storage", flash, "save_every=1");
  await again.until(/trained already/);
  expect(await again.answer("words", /oberon\n/)).toBe(`${MOONS.join("\n")}\n`);
  expect(lossIn(await again.answer("eval words", /tokens .*\n/))).toBe(second);
  await again.end();
});

/** The figures of docs/memory.md, each of which a change of the program may move a little. */
function expectNearDocument(heap: BoardHeap | undefined): void {
  const bytes =
    /chunks ([\d,]+), slots ([\d,]+), stack ([\d,]+) bytes, ([\d,]+) taken in all; of these ([\d,]+) and ([\d,]+)/;
  const told = bytes
    .exec(documentOf("docs/memory.md").replace(/\s+/g, " "))
    ?.slice(1)
    .map((figure) => Number(figure.replaceAll(",", "")));
  const { chunks, slots, stack, peak, usedChunks, usedSlots } = heap ?? {};
  const measured = [chunks, slots, stack, peak, usedChunks, usedSlots];
  expect(measured.map((figure = NaN, i) => Math.abs((told?.[i] ?? NaN) / figure - 1) < 0.1)).toEqual(
    measured.map(() => true),
  );
}

const on32Bits = skipUnless(makes32Bits(), "the memory of a board with words, which needs gcc-multilib");

on32Bits.test("with console, storage and thirty words it has the memory that was planned", async () => {
  const { total, commands: forCommands } = JSON.parse((await esp32gpt("plan", "--json")).stdout) as {
    total: number;
    commands: number;
  };
  const flash = newFolder(at("flash-32"));
  const options = ["--engine", "xs", "--xs-bits", "32", "--storage", flash, "--stats", "save_every=0.2", "steps=400"];
  const board = new BoardSession(...options);
  await board.until(/=== Done ===/);
  for (const word of MOONS) await board.answer(`add ${word}`, new RegExp(`"${word}" is one of`));
  // Each to its end: what comes late would meet the training that follows.
  const commands: readonly [string, RegExp][] = [
    ["status", /(?:idle|saving)\.\n/],
    ["plan", /XS needs .*\n/],
    ["help", /reboot, help\n/],
    ["eval words", /tokens .*\n/],
    ["save", /^Saved.*\n/m],
    ["load", /^Loaded.*\n/m],
    ["generate 5", /(?:[a-z]*\n){5}/],
  ];
  for (const [line, end] of commands) await board.answer(line, end);
  await board.answer("train 200", /=== Done ===/);
  await board.answer("set log json", /"type":"hello"/);
  await board.answer("fetch", /"type":"saved"/);
  const heap = await board.end();
  const restored = new BoardSession(...options);
  await restored.until(/trained already/);
  const afterwards = await restored.end();
  console.info("Bytes of XS on a 32-bit machine, with thirty words:", heap, "and after power-on:", afterwards);
  expectNearDocument(heap);
  expect(afterwards?.peak ?? Infinity).toBeLessThanOrEqual(1.01 * total);
  expect(heap?.peak ?? Infinity).toBeLessThanOrEqual(total + forCommands);
});
