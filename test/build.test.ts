import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "./helpers";
import { type Outcome, outcomeOf, temporaryFolder } from "./support/cli";
import { until } from "./support/programs";

const at = temporaryFolder();
const cli = at("dist/cli.cjs");

/** What stands for the sources, that are built elsewhere in a fraction of the time. */
const SOURCES: Readonly<Record<string, string>> = {
  "src/gpt/base/errors.ts": 'export const question: string = "Does it fit?";\n',
  "src/gpt/index.ts": 'export { question } from "./base/errors";\n',
  "src/client/index.ts": 'export { question } from "../gpt/base/errors";\n',
  "src/places/node/index.ts": 'export { question } from "../../gpt/base/errors";\n',
  "src/places/browser/index.ts": 'export { question } from "../../gpt/base/errors";\n',
  "src/gpt/inference.ts": 'export { question } from "./base/errors";\n',
  "host/cli.ts":
    'import { question } from "../src/gpt/base/errors";\n\nexport const main = (): void => console.log(question);\n',
  "host/firmware.ts": 'export { question } from "../src/gpt/base/errors";\n',
  "host/xs/main.ts": 'import "../../src/gpt/base/errors";\n',
  "host/xs/board.ts": 'import "../../src/gpt/base/errors";\n',
  "host/xs/app.ts": 'import "../../src/gpt/base/errors";\n',
};

/** A checkout of the project, with these sources. */
beforeAll(() => {
  for (const name of ["bin", "scripts", "rollup.config.mjs", "package.json", "tsconfig.json"])
    cpSync(join(ROOT, name), at(name), { recursive: true });
  for (const [name, text] of Object.entries(SOURCES)) {
    mkdirSync(dirname(at(name)), { recursive: true });
    writeFileSync(at(name), text);
  }
  symlinkSync(join(ROOT, "node_modules"), at("node_modules"), "junction");
});

function plan(): Promise<Outcome> {
  return outcomeOf(spawn(process.execPath, [at("bin/esp32gpt.js"), "plan"], { cwd: at("src") }));
}

async function expectPlan(stderr: string): Promise<void> {
  const { code, stdout, stderr: said } = await plan();
  expect([code, said]).toEqual([0, stderr]);
  expect(stdout).toContain("Does it fit?");
}

const BUILDING = "Building esp32gpt...\n";

/** Everything in dist/ with its content. */
function built(): [string, string][] {
  return readdirSync(at("dist"))
    .sort()
    .map((name) => [name, readFileSync(at(`dist/${name}`), "utf8")]);
}

test("a checkout builds itself, once, also when it is started twice at the same time", async () => {
  const outcomes = await Promise.all([plan(), plan()]);
  for (const { code, stdout, stderr } of outcomes) {
    expect([code, stderr]).toEqual([0, BUILDING]);
    expect(stdout).toContain("Does it fit?");
  }
  await expectPlan("");
  expect(readdirSync(at("dist")).filter((name) => name.endsWith(".part"))).toEqual([]);
});

test("what was built and is no longer whole is built again", async () => {
  const whole = built().filter(([name]) => name !== "built.json");
  writeFileSync(cli, "");
  await expectPlan(BUILDING);
  expect(built().filter(([name]) => name !== "built.json")).toEqual(whole);
});

test("a module that an earlier version has built goes; declarations stay until they are built again", async () => {
  writeFileSync(at("dist/core-earlier.js"), "");
  writeFileSync(at("dist/earlier.d.ts"), "");
  writeFileSync(cli, "");
  await expectPlan(BUILDING);
  expect(existsSync(at("dist/core-earlier.js"))).toBe(false);
  expect(existsSync(at("dist/earlier.d.ts"))).toBe(true);
});

test("a build that was killed midway is built again, and its leftovers go", async () => {
  const old = new Date(Date.now() - 3_600_000);
  writeFileSync(at("dist/cli.cjs.1.part"), "");
  utimesSync(at("dist/cli.cjs.1.part"), old, old);
  const source = at("src/gpt/base/errors.ts");
  writeFileSync(source, `${readFileSync(source, "utf8")}\n`);
  const before = statSync(at("dist/built.json")).mtimeMs;
  const program = spawn(process.execPath, [at("scripts/build.mjs")]);
  await until(program, "stderr", /Building/);
  program.kill("SIGKILL");
  await once(program, "exit");
  expect(statSync(at("dist/built.json")).mtimeMs).toBe(before);
  await expectPlan(BUILDING);
  expect(existsSync(at("dist/cli.cjs.1.part"))).toBe(false);
});
