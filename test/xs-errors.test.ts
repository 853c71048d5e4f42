import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./helpers";
import { esp32gpt, outcomeOf, temporaryFolder } from "./support/cli";
import { documentOf } from "./support/documents";
import { headerOf } from "./support/safetensors-file";
import { hostExecutable, runOnHost, startElsewhere } from "./support/xs";

/* How the program on XS says what went wrong. */

const at = temporaryFolder();
let executable: string;

beforeAll(async () => {
  executable = await hostExecutable();
  mkdirSync(at("folder"), { recursive: true });
  writeFileSync(at("names"), "ann\nbob\n");
  writeFileSync(at("control"), "ann\nB\x07b\n");
  writeFileSync(at("empty"), "");
  writeFileSync(at("text"), "this is no model");
  await esp32gpt("train", "--engine", "xs", "--steps", "2", "--samples", "0", "--save", at("model"));
  await esp32gpt("train", "--n-embd", "64", "--steps", "1", "--samples", "0", "--save", at("wide"));
  const model = readFileSync(at("model"));
  writeFileSync(at("cut"), model.subarray(0, model.length - 1));
  model[headerOf(model).start + 5] ^= 4;
  writeFileSync(at("altered"), model);
}, 600_000);

/** One sentence, for people: no stack, neither of JavaScript nor of C. */
function expectSentence(stderr: string, message: RegExp): void {
  expect(stderr).toMatch(/^esp32gpt: [^\n]+[.!]\n$/);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/\bat .*:\d+:\d+|device\.js|bundle\.js|\.c:\d+|0x[0-9a-f]{4}|undefined|Error:/);
}

test.each<[string, RegExp]>([
  ["--heap-limit 1", /heap limit is 1\b/],
  ["--heap-limit 100000", /initial .* need .*heap limit is 100000/],
  ["--n-embd 64", /needs \d+ bytes.*n_embd \d+ would fit/],
  ["--n-layer 8", /needs \d+ bytes/],
  ["--n-embd 24 --dtype f64", /needs \d+ bytes.*n_embd 16 would fit/],
  ["--data DIR/missing", /missing.*no such file/],
  ["--data DIR/folder", /folder.*is a folder/],
  ["--data DIR/names/inside", /inside.*not a folder/],
  ["--data DIR/control", /control, line 2: U\+0007/],
  ["--data DIR/empty", /empty has no names/],
  ["--init DIR/missing", /missing: there is no such file/],
  ["--init DIR/folder", /folder: it is a folder/],
  ["--init DIR/text", /text is not a sound safetensors file/],
  ["--init DIR/empty", /empty is not a sound safetensors file/],
  ["--init DIR/cut", /cut is not a sound safetensors file/],
  ["--init DIR/altered", /altered|not finite/],
  ["--init DIR/model --n-embd 32", /n_?embd 16, not 32/i],
  ["--save DIR/nowhere/model", /Cannot write .*nowhere\/model: there is no such file or folder/],
  ["--save DIR/names/model", /Cannot write .*names\/model: .*not a folder/],
  ["--save DIR/folder", /Cannot write .*folder: it is a folder/],
  ["--seed 0", /seed must be a whole number from 1/],
  ["--dtype f64 --ops native", /Native ops do not compute in f64/],
  ["--engine node --ops native", /Native ops run on XS only/],
])("train %s", async (options, message) => {
  const all = ["train", "--engine", "xs", "--steps", "2", ...options.replaceAll("DIR", at(".")).split(" ")];
  const { code, stdout, stderr } = await esp32gpt(...all);
  expectSentence(stderr, message);
  expect([code, stdout]).toEqual([2, ""]);
});

test.each<[string, RegExp]>([
  ["generate --model DIR/model --prefix Ann", /"A" in "Ann"/],
  ["generate --model DIR/model -n 0", /n must be/],
  ["generate --model DIR/model --heap-limit 1000", /heap limit is 1000/],
  ["generate --model DIR/wide", /heap is full at src\/[\w/]+\.ts:\d+: XS asked for/],
  ["generate --model DIR/altered", /altered|not finite/],
  ["eval --model DIR/model --data DIR/control", /control, line 2/],
  ["eval --model DIR/model --block-size 8", /block_?size 16, not 8/i],
])("%s", async (command, message) => {
  const { code, stdout, stderr } = await esp32gpt(...command.replaceAll("DIR", at(".")).split(" "), "--engine", "xs");
  expectSentence(stderr, message);
  expect([code, stdout]).toEqual([2, ""]);
});

describe("without a C compiler", () => {
  const run = (...options: string[]): ReturnType<typeof outcomeOf> =>
    outcomeOf(startElsewhere(ROOT, { CC: "no-such-compiler" }, "train", "--steps", "2", "--samples", "1", ...options));

  test("--engine xs says so", async () => {
    const { code, stdout, stderr } = await run("--engine", "xs");
    expectSentence(stderr, /no C compiler \(no-such-compiler\).*--engine node/);
    expect([code, stdout]).toEqual([2, ""]);
  });

  test("--engine xs --xs-bits 32 says so", async () => {
    const { code, stderr } = await run("--engine", "xs", "--xs-bits", "32");
    expectSentence(stderr, /C compiler \(no-such-compiler\)/);
    expect(code).toBe(2);
  });

  test.each([
    ["a compiler that fails", "false", /The C compiler \(false\) does not work/],
    ["a compiler that is no program", "/dev/null", /no C compiler \(\/dev\/null\)/],
    ["one of two words is missing", "env no-such-compiler", /no C compiler \(env no-such-compiler\)/],
    ["an escape code", "cc\u001b[2J", /no C compiler \(cc\\u\{1b\}\[2J\)/],
  ])("%s: auto goes on with Node and says why in a line", async (_what, CC, reason) => {
    const program = startElsewhere(ROOT, { CC }, ..."train --engine auto --steps 2 --samples 1".split(" "));
    const { code, stdout, stderr } = await outcomeOf(program);
    expect(stderr).toMatch(/^esp32gpt: XS is not available: running on Node\. [^\n]*\n$/);
    expect(stderr).toMatch(reason);
    expect(stdout).toMatch(/on Node ===\n[^]*=== Done ===\n$/);
    expect(code).toBe(0);
  });

  test("--engine auto says so and goes on with Node", async () => {
    const { code, stdout, stderr } = await run("--engine", "auto");
    expect(stderr).toMatch(/^esp32gpt: XS is not available: running on Node\. There is no C compiler[^\n]*\n$/);
    expect(stdout).toMatch(/^=== esp32gpt: microgpt in TypeScript on Node ===\n[^]*=== Done ===\n$/);
    expect(code).toBe(0);
  });
});

describe("what nobody catches is shown with its stack:", () => {
  const failing = (last: string): string =>
    [
      "function inner(depth) {", // line 1
      '  if (depth > 1) throw new RangeError("too deep");',
      "  return inner(depth + 1) + 1;",
      "}",
      "class Worker {",
      "  work() {",
      "    const passed = [1].map((depth) => inner(depth));",
      "    return passed;",
      "  }",
      "}",
      last,
    ].join("\n");
  const stack = ["RangeError: too deep", "at inner (bundle.js:2)", "at inner (bundle.js:3)"];

  async function errorOf(source: string): Promise<string[]> {
    writeFileSync(at("bundle.js"), source);
    const { code, stdout, stderr } = await runOnHost(executable, at("bundle.js"));
    expect([code, stdout]).toEqual([70, ""]);
    return stderr.trimEnd().split(/\n */);
  }

  test("at the top level", async () => {
    const lines = await errorOf(failing("new Worker().work();"));
    expect(lines.slice(0, 3)).toEqual(stack);
    expect(lines.slice(-2)).toEqual(["at work (bundle.js:7)", "at (bundle.js:11)"]);
  });

  test("in a timer", async () => {
    const lines = await errorOf(failing("host.schedule(function tick() {\n  new Worker().work();\n}, 0);"));
    expect(lines.slice(0, 3)).toEqual(stack);
    expect(lines.slice(-2)).toEqual(["at work (bundle.js:7)", "at tick (bundle.js:12)"]);
  });

  test("in a promise", async () => {
    const lines = await errorOf(failing("Promise.resolve().then(() => new Worker().work());"));
    expect(lines.slice(0, 3)).toEqual(stack);
    expect(lines).toContain("at work (bundle.js:7)");
  });

  test("what is no error too", async () => {
    expect(await errorOf('throw "a string";')).toEqual(["a string"]);
  });

  test("and a mistake in the syntax", async () => {
    const lines = await errorOf("const a = 1;\nconst b = ;\n");
    expect(lines[0]).toMatch(/^SyntaxError: /);
    expect(lines[1]).toBe("at (bundle.js:2)");
  });

  test("the command line names lines of the TypeScript sources", async () => {
    // A copy of the package with a mistake in it. The XS host is the same, so its compiler, of two
    // words as ccache's would be, only copies it.
    rmSync(at("copy"), { recursive: true, force: true });
    for (const path of ["bin", "data", "manifest.json", "package.json", "rollup.config.mjs", "host/xs/engine"])
      cpSync(join(ROOT, path), at(join("copy", path)), { recursive: true });
    cpSync(join(ROOT, "src", "gpt", "native"), at("copy/src/gpt/native"), { recursive: true });
    cpSync(join(ROOT, "dist"), at("copy/dist"), { recursive: true });
    symlinkSync(join(ROOT, "node_modules"), at("copy/node_modules"));
    const compiler = at("compiler");
    writeFileSync(
      compiler,
      `#!/bin/sh
      for output; do :; done
      case $output in *esp32gpt-xs*) cp '${executable}' "$output";; --version) echo 1;; *) : > "$output";; esac\n`,
    );
    chmodSync(compiler, 0o755);
    const device = readFileSync(at("copy/dist/device.js"), "utf8");
    const broken = device.replace(/^ +trainDocument\(\) \{$/m, '$& throw new TypeError("broken on purpose");');
    expect(broken).not.toBe(device);
    writeFileSync(at("copy/dist/device.js"), broken);
    utimesSync(at("copy/dist/cli.cjs"), Date.now(), Date.now()); // so that it is not built anew

    const options = ["train", "--engine", "xs", "--steps", "2"];
    const { code, stderr } = await outcomeOf(startElsewhere(at("copy"), { CC: `env ${compiler}` }, ...options));
    const lineOf = (file: string, text: string): number =>
      readFileSync(join(ROOT, file), "utf8")
        .slice(0, -1)
        .split("\n")
        .findIndex((line) => line.includes(text)) + 1;
    const [heading, step, trainStep] = stderr.split("\n").filter((line) => !line.startsWith("Building"));
    expect(heading).toBe("TypeError: broken on purpose");
    expect(step).toBe(
      `    at trainDocument (src/gpt/training/trainer.ts:${lineOf("src/gpt/training/trainer.ts", "  trainDocument(): ")})`,
    );
    expect(trainStep).toBe(
      `    at work (src/gpt/training/training.ts:${lineOf("src/gpt/training/training.ts", "trainer.trainDocument()")})`,
    );
    expect(stderr).not.toContain("device.js");
    expect(code).toBe(70);
  });
});

test("why a file cannot be read or written is said in the same words on Node and on XS", () => {
  const reasonsIn = (file: string, entry: RegExp): Record<string, string> =>
    Object.fromEntries([...documentOf(file).matchAll(entry)].map(([, code, reason]) => [code, reason]));
  const onNode = reasonsIn("src/places/node/file-errors.ts", /^ +(E(?!RR_)\w+): "(.*)",$/gm);
  expect(Object.keys(onNode).length).toBeGreaterThan(20);
  expect(reasonsIn("host/xs/engine/words.c", /\{ (E\w+), "(.*)" \}/g)).toEqual(onNode);
});
