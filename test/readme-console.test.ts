import { newFolder, outcomeOf, start, temporaryFolder } from "./support/cli";
import { consoleBlocks, documentOf, isCommand, shownBehind, wordsAddedIn } from "./support/documents";
import { until } from "./support/programs";

/* What docs/board.md and docs/lesson.md let one paste into a board is executed to its last line, and does what they say. */

const DOCUMENT = documentOf("docs/board.md");
const BLOCKS = consoleBlocks(DOCUMENT);
/** What the lesson removes the words with. */
const REMOVING = consoleBlocks(documentOf("docs/lesson.md"));

const at = temporaryFolder();

/** Pastes a text at once into a board that idles, and then there is no more; returns what it says from then on. */
async function paste(flash: string, text: string): Promise<string> {
  const board = start("simulate", "--engine", "node", "--storage", flash);
  const outcome = outcomeOf(board);
  const before = await until(board, "stdout", /^=== Done ===\r?\n|trained already.*\r?\n/m);
  board.stdin.end(text);
  const { code, stdout, stderr } = await outcome;
  expect([code, stderr]).toEqual([0, ""]);
  return stdout.slice(before.length).replaceAll("\r", "");
}

test("board.md has two blocks for the console, and lesson.md one, of nothing but commands", () => {
  expect(BLOCKS.map((block) => block.split("\n")[0])).toEqual(["add venus", "train 300"]);
  expect(REMOVING).toHaveLength(1);
  const lines = [...BLOCKS, ...REMOVING].flatMap((block) => block.trimEnd().split("\n"));
  expect(lines.filter((line) => !isCommand(line))).toEqual([]);
});

test("pasted one after the other into a board they teach it thirty words, with the losses that stand there", async () => {
  const flash = newFolder(at("flash"));
  const [teaching, training] = BLOCKS;
  const words = wordsAddedIn(teaching);
  expect(words).toHaveLength(30);
  // The same words are a dataset of their own.
  expect(documentOf("docs/examples/planets.txt")).toBe(words.map((word) => `${word}\n`).join(""));
  const added = words.map((word, i) =>
    i === 0 ? `"${word}" is one of your own words, the only one.` : `"${word}" is one of ${i + 1} words of your own.`,
  );
  const taught = await paste(flash, teaching);
  expect(taught.split("\n").slice(0, 31)).toEqual([...added, shownBehind(DOCUMENT, teaching)]);

  const trained = await paste(flash, training);
  const [steps, answers] = trained.split("=== Done ===\n");
  expect(steps).toMatch(/^step +299\/300: loss = /m);
  expect(answers.split("\n")[0]).toBe(shownBehind(DOCUMENT, training));
  expect(answers).toMatch(/^tokens .*\n(?:[a-z]*\n){10}$/m);

  const remembered = await paste(flash, "words\neval words\n");
  expect(remembered.split("\n").slice(0, 31)).toEqual([...words, shownBehind(DOCUMENT, training)]);

  const forgotten = words.map((word) => `"${word}" is forgotten.`);
  const removed = await paste(flash, REMOVING[0]);
  expect(removed.split("\n").slice(0, 30)).toEqual(forgotten);
  expect(removed).toMatch(/\nNew weights: .*\nSaved: Step 0 of /);
  // After a power cut the words are still forgotten, and the board trains as if it had never known them.
  expect(await paste(flash, "status\nwords\n")).toBe("Step 1000 of 1000, loss 2.1873; idle.\n");
});
