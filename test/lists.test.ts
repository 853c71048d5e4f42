import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { DEFAULT_MODEL } from "../src/gpt/model/config";
import { Dataset } from "../src/gpt/data/dataset";
import { LISTS } from "../web/workbench/lists";
import { ROOT } from "./helpers";

/* The lists that the page offers beside the names: see web/workbench/lists.ts. */

const FOLDER = join(ROOT, "web", "lists");
const FILES = readdirSync(FOLDER);

function read(file: string): Buffer {
  return readFileSync(join(FOLDER, file));
}

function wordsOf(file: string): string[] {
  return read(file).toString("utf8").replace(/\n$/, "").split("\n");
}

test.each(FILES)("%s: a list as the program takes it, of which nothing is passed over", (file) => {
  const dataset = new Dataset(read(file), file);
  const words = wordsOf(file);
  expect(dataset.count).toBe(words.length);
  expect(words.length).toBeGreaterThanOrEqual(350);
  expect(words.length).toBeLessThanOrEqual(700);
  expect(dataset.vocabulary.size).toBeLessThan(90);
  expect(words.filter((word) => word !== word.trim())).toEqual([]);
  expect(words.filter((word) => Array.from(word).length >= DEFAULT_MODEL.blockSize)).toEqual([]);
  expect(words.filter((word, i) => words.indexOf(word) !== i)).toEqual([]);
});

test.each([
  ["dinosaurs.txt", /^[a-z]+$/],
  ["hiragana.txt", /^[ぁ-ゖ]+$/],
  ["minerals.txt", /^[a-z]+$/],
  ["towns.txt", /^[a-zäöüß]+( [a-zäöüß]+)?$/],
])("%s has no other characters than it says", (file, word) => {
  expect(wordsOf(file).filter((line) => !word.test(line))).toEqual([]);
});

// In order of the alphabet, a run over the first of them would see one letter only.
test.each(FILES)("%s is shuffled", (file) => {
  const words = wordsOf(file);
  const risen = words.filter((word, i) => i > 0 && word > words[i - 1]).length;
  expect(risen / words.length).toBeGreaterThan(0.4);
  expect(risen / words.length).toBeLessThan(0.6);
});

test("each is offered", () => {
  const source = readFileSync(join(ROOT, "web", "workbench", "lists.ts"), "utf8");
  expect(FILES.filter((file) => !source.includes(`"../lists/${file}"`))).toEqual([]);
});

test.each(LISTS)("$id: the words on its card are three of it", ({ id, samples }) => {
  const words =
    id === "names" ? readFileSync(join(ROOT, "data", "names.txt"), "utf8").split("\n") : wordsOf(`${id}.txt`);
  expect(words).toEqual(expect.arrayContaining([...samples]));
  expect(new Set(samples).size).toBe(3);
});

test("together they weigh little", () => {
  const bytes = FILES.reduce((sum, file) => sum + gzipSync(read(file)).length, 0);
  expect(bytes).toBeLessThan(25_000);
});
