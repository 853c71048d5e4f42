import { join } from "node:path";
import { temporaryFolder } from "./support/cli";
import type { Answer } from "./support/scan-answer";
import { bundle, hostExecutable, runOnHost } from "./support/xs";

/* gpt_text.c as JavaScript calls it, on XS; what it finds is held to scan.ts in scan.test.ts. */

const at = temporaryFolder();
let answer: Answer;

beforeAll(async () => {
  await bundle(join(__dirname, "support", "scan-main.ts"), at("main.js"));
  const { code, stdout, stderr } = await runOnHost(await hostExecutable(), at("main.js"));
  expect([code, stderr]).toEqual([0, ""]);
  answer = JSON.parse(stdout) as Answer;
}, 600_000);

test("finds what the TypeScript finds", () => {
  expect(answer.isSame).toEqual([true, true, true, true]);
});

test("encodes every code point and pair as the TypeScript does, and nothing but texts", () => {
  expect(answer.otherTexts).toEqual([]);
  expect(answer.noTexts.map(({ error }) => error)).toEqual(answer.noTexts.map(() => "TypeError"));
});

test("a skip ends at the end of the list", () => {
  expect(answer.ends).toEqual([answer.size, answer.size]);
});

test("refuses what will not do, before anything is touched", () => {
  expect(answer.refusals.length).toBeGreaterThan(40);
  const failures = answer.refusals.filter(({ wrong, error, isTouched }) => {
    const isRefused = wrong.includes("size") ? error === "RangeError" : error !== null;
    return !isRefused || isTouched;
  });
  expect(failures).toEqual([]);
});
