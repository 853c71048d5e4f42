import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./helpers";
import { temporaryFolder } from "./support/cli";
import { skipUnless } from "./support/skipping";

const at = temporaryFolder();
const GOOD = "int twice(int x)\n{\n    return 2 * x;\n}\n";

function lint(source: string, options: string[] = [], env: Record<string, string> = {}): [number | null, string] {
  const folder = at("c");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "twice.c"), source);
  const script = join(ROOT, "scripts", "lint-c.mjs");
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...options, folder], {
    encoding: "utf8",
    env: { ...process.env, ESP32GPT_NO_SKIPS: "", ...env },
  });
  return [status, stdout + stderr];
}

test("without its tools a line says what is not checked, and that fails only where nothing may be skipped", () => {
  const nothing = { PATH: at("nowhere") };
  const [status, text] = lint(GOOD, [], nothing);
  expect([status, text]).toEqual([0, expect.stringMatching(/by clang-format 20[^]*by cppcheck/)]);
  expect(text.trimEnd().split("\n")).toHaveLength(2);
  expect(lint(GOOD, [], { ...nothing, ESP32GPT_NO_SKIPS: "1" })[0]).toBe(1);
});

const [, missing] = lint(GOOD);
skipUnless(missing === "", `the checks of C: ${missing.trim()}`).describe("the checks of C", () => {
  test("what is laid out otherwise is refused, and mended with --fix", () => {
    const crooked = GOOD.replace(" * ", "*");
    expect(lint(crooked)).toEqual([1, expect.stringContaining("twice.c:3")]);
    expect(lint(crooked, ["--fix"])).toEqual([0, ""]);
    expect(readFileSync(join(at("c"), "twice.c"), "utf8")).toBe(GOOD);
  });

  test("what reads outside of an array is refused", () => {
    const wrong = "int last(void)\n{\n    int x[2] = { 0, 1 };\n    return x[2];\n}\n";
    expect(lint(wrong)).toEqual([1, expect.stringContaining("arrayIndexOutOfBounds")]);
  });
});
