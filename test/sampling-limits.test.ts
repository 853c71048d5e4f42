import { writeFileSync } from "node:fs";
import { esp32gpt, temporaryFolder } from "./support/cli";

/* --top-k and --top-p on the command line. */

const at = temporaryFolder();
const FILE = at("model");
const LIST = at("list.txt");

const names = (stdout: string): string[] =>
  Array.from(stdout.matchAll(/^ +\d+\. (.*)$/gm), ([, name]) => name.split(" ")[0]);

beforeAll(async () => {
  writeFileSync(LIST, "anna\nbob\ncarl\ndora\nemil\nfrida\ngus\nhanna\nida\njon\n".repeat(3));
  const { code } = await esp32gpt("train", "--data", LIST, "--steps", "300", "--samples", "0", "--save", FILE);
  expect(code).toBe(0);
});

const on = (command: string, ...options: string[]): ReturnType<typeof esp32gpt> =>
  esp32gpt(command, "--data", LIST, ...options);

test("train says within which limits it writes, and keeps to them, on both engines", async () => {
  const options = ["--steps", "60", "--samples", "5", "--top-k", "1", "--top-p", "0.9"];
  const [node, xs] = [await on("train", ...options), await on("train", "--engine", "xs", ...options)];
  expect([node.code, xs.code]).toEqual([0, 0]);
  expect(node.stdout).toContain("--- Generated names (temperature=0.8, top-k=1, top-p=0.9) ---\n");
  expect(xs.stdout.split("\n").slice(1)).toEqual(node.stdout.split("\n").slice(1));
  const written = names(node.stdout);
  expect([written.length, new Set(written).size]).toEqual([5, 1]);
});

test("generate and eval take them as well, on both engines", async () => {
  const likeliest = names((await on("generate", "--model", FILE, "-n", "1", "--temperature", "0")).stdout);
  for (const engine of ["node", "xs"])
    for (const limit of [
      ["--top-k", "1"],
      ["--top-p", "0"],
      ["--top-k", "20", "--top-p", "0.01"],
    ]) {
      const { code, stdout } = await on("generate", "--engine", engine, "--model", FILE, "-n", "3", ...limit);
      expect([code, names(stdout)]).toEqual([0, [...likeliest, ...likeliest, ...likeliest]]);
    }
  const { stdout } = await on("eval", "--model", FILE, "--samples", "50", "--top-k", "1");
  expect(stdout).toMatch(/^names written +50 {2}temperature 0\.8, top-k 1$/m);
  expect(stdout).toMatch(/^ {2}duplicates +98\.0 %/m);
});

test("that take all in change nothing", async () => {
  const free = await on("generate", "--model", FILE);
  expect(await on("generate", "--model", FILE, "--top-k", "0", "--top-p", "1")).toEqual(free);
  expect((await on("train", "--steps", "5", "--top-k", "0")).stdout).toContain("(temperature=0.8) ---");
});

test.each([
  ["train", "--top-k", "-1", /top-k must be a whole number from 0 to 1000000, not -1\./],
  ["train", "--top-p", "2", /top-p must be a number from 0 to 1, not 2\./],
  ["train", "--top-k", "2.5", /--top-k.*whole number/],
  ["generate", "--top-k", "x", /--top-k.*whole number/],
  ["generate", "--top-p", "-0.5", /top-p must be a number from 0 to 1/],
  ["eval", "--top-p", "1.5", /top-p must be a number from 0 to 1/],
  ["eval", "--top-k", "1e9", /--top-k.*whole number/],
])("%s %s %s is refused in one sentence", async (command, option, value, message) => {
  const { code, stdout, stderr } = await on(command, ...(command === "train" ? [] : ["--model", FILE]), option, value);
  expect([code, stdout, stderr]).toEqual([2, "", expect.stringMatching(message)]);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
});
