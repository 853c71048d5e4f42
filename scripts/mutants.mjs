// npm run test:mutants: mutation testing. Stryker changes the code in one place (a mutant) and runs the tests that reach
// it: a test should fail. From each room of src/ a sample is drawn; results go to build/mutants/, and a mutant whose code
// and tests are as before is not run again. Stryker and, where Node is older than 22, a Node 22 are installed there.
// npm run test:mutants -- [--room gpt] [--seed 1] [--sample 300] [--concurrency 1]
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { LONGEST_MS } from "./first-failure.mjs";

/**
 * What is used of Stryker's mutant, before and after its test. Lines and columns begin with 0.
 * @typedef {{ readonly id: string, readonly fileName: string, readonly mutatorName: string, readonly replacement: string,
 *   readonly location: { readonly start: Position, readonly end: Position } }} Mutant
 * @typedef {{ readonly line: number, readonly column: number }} Position
 * @typedef {Mutant & { readonly status: string }} Result
 */

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const FOLDER = join(ROOT, "build", "mutants");
const MODULES = join(FOLDER, "node_modules");
const ROOMS = ["gpt", "device", "protocol", "client", "jobs"];
/** The oldest Node that runs Stryker 10, and the one that is installed where Node is older. */
const NODE = 22;
const NODE_TO_INSTALL = "22.23.5";
const PACKAGES = ["@stryker-mutator/core@10.0.0", "@stryker-mutator/jest-runner@10.0.0", "typescript@6.0.3"];
/** A mutant that takes this much longer than its tests took is one that does not end, in milliseconds. */
const TIMEOUT_MS = 2000;
/** Time beyond that of the processor, for the last test file and on a busy machine, in milliseconds. */
const SPARE_MS = 25_000;
/** Fuzzing tests are the same for every mutant. */
const FUZZING = { ESP32GPT_FUZZ_SEED: "1" };
/** Characters of code that a line shows. */
const SHOWN = 60;

class UserError extends Error {}

try {
  const options = readOptions();
  const node = install();
  if (node === process.execPath) {
    for (const room of options.rooms) await testRoom(room, options);
  } else {
    const { status } = spawnSync(node, process.argv.slice(1), { stdio: "inherit" });
    process.exitCode = status ?? 1;
  }
} catch (error) {
  // Stryker has logged the reason of a ConfigError, such as a test that fails without any mutant.
  const isExpected = error instanceof UserError || (error instanceof Error && error.constructor.name === "ConfigError");
  console.error(isExpected ? error.message : error);
  process.exitCode = error instanceof UserError ? 2 : 1;
}

/** @typedef {{ rooms: readonly string[], seed: number, sample: number, concurrency: number }} Options */

/** @returns {Options} */
function readOptions() {
  const text = /** @type {const} */ ({ type: "string" });
  /** @type {Record<string, string | undefined>} */
  let values;
  try {
    ({ values } = parseArgs({ options: { room: text, seed: text, sample: text, concurrency: text } }));
  } catch (error) {
    throw new UserError(error instanceof Error ? error.message : String(error), { cause: error });
  }
  const { room } = values;
  if (room !== undefined && !ROOMS.includes(room))
    throw new UserError(`--room ${room} is none of ${ROOMS.join(", ")}.`);
  const number = (/** @type {string} */ name, /** @type {number} */ standard) => {
    const value = Number(values[name] ?? standard);
    if (Number.isSafeInteger(value) && value >= 1) return value;
    throw new UserError(`--${name} ${values[name]} is not a number from 1 on.`);
  };
  return {
    rooms: room === undefined ? ROOMS : [room],
    seed: number("seed", 1),
    sample: number("sample", 300),
    concurrency: number("concurrency", 1),
  };
}

/** Installs what is missing, and returns the Node that runs Stryker. */
function install() {
  const isOld = Number(process.versions.node.split(".")[0]) < NODE;
  const platform = `${process.platform}-${process.arch}`;
  if (isOld && platform !== "linux-x64")
    throw new UserError(`Stryker needs Node ${NODE} or newer, and this is ${process.version}.`);
  const packages = [...PACKAGES, ...(isOld ? [`node-${platform}@${NODE_TO_INSTALL}`] : [])];
  const missing = packages.filter((name) => !existsSync(join(MODULES, name.slice(0, name.lastIndexOf("@")))));
  if (missing.length > 0) {
    console.log(`Installing ${packages.join(", ")} in ${relative(process.cwd(), FOLDER)} ...`);
    mkdirSync(FOLDER, { recursive: true });
    const options = ["--ignore-scripts", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
    const { status, stderr } = spawnSync("npm", ["install", ...options, "--prefix", FOLDER, ...packages], {
      encoding: "utf8",
    });
    if (status !== 0) {
      const reason = stderr?.split("\n").find((line) => /^npm error/.test(line)) ?? "npm could not be started";
      throw new UserError(`Stryker cannot be installed, which needs the network the first time: ${reason}.`);
    }
  }
  return isOld ? join(MODULES, `node-${platform}`, "bin", "node") : process.execPath;
}

/**
 * @param {string} room
 * @param {Options} options
 */
async function testRoom(room, { seed, sample, concurrency }) {
  const all = await mutantsOf(room);
  const chosen = shuffled(all, seed).slice(0, sample);
  const keys = new Set(chosen.map(keyOf));
  Object.assign(process.env, FUZZING, { MUTANTS_ROOM: room, MUTANTS_NOTES: join(FOLDER, `${room}-tests.json`) });
  const known = join(FOLDER, `${room}-incremental.json`);
  forgetSurvivors(known);
  const { MutantTestPlanner } = await load("@stryker-mutator/core/dist/src/mutants/mutant-test-planner.js");
  const { makePlan } = MutantTestPlanner.prototype;
  // The ranges of `mutate` also select what lies within a mutant and what begins and ends where it does. A static mutant,
  // in code that runs when a module is loaded, would need all tests: Stryker tries it with those during which the module
  // is loaded again, which are any.
  MutantTestPlanner.prototype.makePlan = async function (/** @type {readonly Mutant[]} */ mutants) {
    const drawn = mutants
      .filter((mutant) => keys.has(keyOf(mutant)))
      .map((mutant) => (this.testCoverage.hasStaticCoverage(mutant.id) ? { ...mutant, status: "Ignored" } : mutant));
    /** @type {{ runOptions?: { timeout: number } }[]} */
    const plans = await makePlan.call(this, drawn);
    for (const { runOptions } of plans)
      if (runOptions) runOptions.timeout = Math.min(runOptions.timeout, LONGEST_MS + SPARE_MS);
    return plans;
  };
  /** @type {{ Stryker: new (options: object) => { runMutationTest(): Promise<Result[]> } }} */
  const { Stryker } = await load("@stryker-mutator/core/dist/src/stryker.js");
  process.chdir(ROOT);
  const stryker = new Stryker({
    testRunner: "jest",
    plugins: [join(MODULES, "@stryker-mutator", "jest-runner", "dist", "src", "index.js")],
    jest: { projectType: "custom", configFile: "jest.mutants.config.mjs", enableFindRelatedTests: false },
    coverageAnalysis: "perTest",
    ignoreStatic: true,
    mutate: chosen.map(rangeOf),
    concurrency,
    timeoutMS: TIMEOUT_MS,
    dryRunTimeoutMinutes: 15,
    incremental: true,
    incrementalFile: known,
    reporters: ["progress-append-only"],
    tempDirName: join("build", "mutants", "sandbox"),
    ignorePatterns: ["build", "dist"],
    disableTypeChecks: false,
    allowConsoleColors: false,
    warnings: { unknownOptions: false, slow: false },
  });
  const results = await stryker.runMutationTest().finally(() => (MutantTestPlanner.prototype.makePlan = makePlan));
  // Stryker counts from 1 in its results.
  const before = (/** @type {Position} */ { line, column }) => ({
    line: line - 1,
    column: column - 1,
  });
  const drawn = results.map(({ location: { start, end }, ...result }) => ({
    ...result,
    fileName: relative(ROOT, result.fileName),
    location: { start: before(start), end: before(end) },
  }));
  report(room, all.length, seed, drawn);
}

/**
 * Takes from the results of the last run what survived, to be tried again: its tests may have had too little time.
 * @param {string} file
 */
function forgetSurvivors(file) {
  if (!existsSync(file)) return;
  /** @type {{ files: Record<string, { mutants: { status: string }[] }> }} */
  const results = JSON.parse(readFileSync(file, "utf8"));
  for (const of of Object.values(results.files))
    of.mutants = of.mutants.filter(({ status }) => status === "Killed" || status === "Timeout");
  writeFileSync(file, JSON.stringify(results));
}

/**
 * All mutants of a room, in the order of its files.
 * @param {string} room
 */
async function mutantsOf(room) {
  const [{ createInjector }, { createInstrumenter }] = await Promise.all([
    load("typed-inject/dist/src/index.js"),
    load("@stryker-mutator/instrumenter/dist/src/index.js"),
  ]);
  const silent = new Proxy({}, { get: () => () => false });
  const instrumenter = createInjector().provideValue("logger", silent).injectFunction(createInstrumenter);
  const folder = join("src", room);
  const files = readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .map((name) => ({
      name: join(folder, name),
      mutate: true,
      content: readFileSync(join(ROOT, folder, name), "utf8"),
    }));
  /** @type {{ mutants: Mutant[] }} */
  const { mutants } = await instrumenter.instrument(files, {
    excludedMutations: [],
    ignorers: [],
    plugins: null,
    noHeader: true,
  });
  return mutants;
}

/**
 * @param {string} path of a module that has been installed
 * @returns {Promise<any>}
 */
async function load(path) {
  return import(pathToFileURL(join(MODULES, path)).href);
}

/**
 * What a mutant is known by; its number depends on the ranges.
 * @param {Mutant} mutant
 */
function keyOf({ fileName, mutatorName, replacement, location: { start, end } }) {
  const places = [start.line, start.column, end.line, end.column];
  return JSON.stringify([resolve(ROOT, fileName), ...places, mutatorName, replacement]);
}

/**
 * As Stryker's `mutate` takes it: lines begin with 1, columns with 0.
 * @param {Mutant} mutant
 */
function rangeOf({ fileName, location: { start, end } }) {
  return `${fileName}:${start.line + 1}:${start.column}-${end.line + 1}:${end.column}`;
}

/**
 * @template T
 * @param {readonly T[]} list
 * @param {number} seed
 */
function shuffled(list, seed) {
  const result = [...list];
  let state = seed >>> 0;
  for (let i = result.length - 1; i > 0; i--) {
    // mulberry32, by Tommy Ettinger
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    const j = Math.floor((((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32) * (i + 1));
    [result[i], result[j]] = [result[j], result[i]];
  }
  return result;
}

/**
 * @param {string} room
 * @param {number} total
 * @param {number} seed
 * @param {readonly Result[]} results
 */
function report(room, total, seed, results) {
  const count = (/** @type {string} */ status) => results.filter((result) => result.status === status).length;
  const [killed, timeouts, survived, uncovered] = ["Killed", "Timeout", "Survived", "NoCoverage"].map(count);
  const [ignored, failed] = ["Ignored", "RuntimeError"].map(count);
  const found = killed + timeouts;
  const score = (100 * found) / (found + survived + uncovered);
  const left = results
    .filter(({ status }) => status === "Survived" || status === "NoCoverage")
    .sort((a, b) => a.fileName.localeCompare(b.fileName) || a.location.start.line - b.location.start.line);
  const summary =
    `src/${room}: ${results.length} of ${total} mutants (seed ${seed}), ${killed} killed, ${timeouts} timeouts, ` +
    `${survived} survived, ${uncovered} without a test, ${ignored} static (ignored), ${failed} broke their module; ` +
    `score ${score.toFixed(1)} %`;
  const lines = [summary, ...left.map(lineOf)];
  console.log(lines.join("\n"));
  writeFileSync(join(FOLDER, `${room}.txt`), `${lines.join("\n")}\n`);
  writeFileSync(join(FOLDER, `${room}.json`), JSON.stringify(results));
}

/** @param {Result} result */
function lineOf({ fileName, mutatorName, replacement, status, location: { start, end } }) {
  const lines = readFileSync(join(ROOT, fileName), "utf8")
    .split("\n")
    .slice(start.line, end.line + 1);
  lines[lines.length - 1] = lines[lines.length - 1].slice(0, end.column);
  lines[0] = lines[0].slice(start.column);
  const short = (/** @type {string} */ code) => {
    const line = code.replace(/\s+/g, " ");
    return line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line;
  };
  const note = status === "NoCoverage" ? " (no test)" : "";
  const place = `${fileName}:${start.line + 1}:${start.column + 1}`;
  return `  ${place} ${mutatorName}${note}: ${short(lines.join("\n"))} → ${short(replacement)}`;
}
