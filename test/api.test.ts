import { readFileSync, writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "./helpers";
import { type Outcome, outcomeOf, temporaryFolder } from "./support/cli";

/* docs/api.txt is the public surface of the package: what changes it without the file fails lint. */

const at = temporaryFolder();

function check(index: string): Promise<Outcome> {
  writeFileSync(at("index.ts"), index.replaceAll('from "./', `from "${join(ROOT, "src", "gpt")}/`));
  const words = [join(ROOT, "scripts", "api.mjs"), "--check", "--index", at("index.ts")];
  return outcomeOf(spawn(process.execPath, words, { cwd: ROOT }));
}

const INDEX = readFileSync(join(ROOT, "src", "gpt", "index.ts"), "utf8");

test("it is what the package exports", async () => {
  expect(await check(INDEX)).toEqual({ code: 0, stdout: "", stderr: "" });
});

test("an export that is removed fails the check, which says what is missing", async () => {
  const { code, stderr } = await check(INDEX.replace("export { drawParameters }", "export {}"));
  expect(code).toBe(1);
  expect(stderr).toMatch(/run node scripts\/api\.mjs\./);
  expect(stderr).toMatch(/^- declare function drawParameters/m);
});
