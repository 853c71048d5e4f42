import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { DEFAULT_MODEL, DEFAULT_TRAINING, type ModelConfig } from "../src/gpt/model/config";
import { Dataset } from "../src/gpt/data/dataset";
import { Model } from "../src/gpt/model/model";
import type { OpsName } from "../src/gpt/model/ops";
import { drawParameters } from "../src/gpt/model/parameters";
import { Random } from "../src/gpt/model/random";
import { typescriptOps } from "../src/gpt/model/typescript-ops";
import type { Job } from "../src/jobs/job";
import { DEFAULT_TRAIN_JOB } from "../src/jobs/train-job";
import { Files } from "../host/files/files";
import { type Call, runOnNode } from "../host/node/run-on-node";
import { Statistics as Report } from "../host/terminal/statistics";
import { buildHost } from "../host/xs/build";
import { runOnXs } from "../host/xs/engine";
import { type Bits, OPS, opsFlags, opsSources, ROOT } from "../host/xs/sources";
import { PlainPort } from "./plain-port";

/*
 * npm run bench: the same training on every engine, in turns, so that noise of the machine affects
 * all of them equally.
 *
 *   node/typescript, xs/typescript, xs/native   the program itself
 *   floor          the native ops called from a plain C loop, without XS
 *   naive          a plain port in C, one token at a time
 *   plain loop     a plain port in TypeScript on Node
 */

const NAMES_FILE = join(ROOT, "data", "names.txt");
const SEED = 42;
const REPEATS = 5;
const ROOMY = 256 << 20;

interface Measurement {
  readonly microsecondsPerStep: number;
  readonly tokensPerSecond: number;
  readonly bytecodesPerStep: number | null;
  readonly heapPeak: number | null;
  readonly collections: number | null;
}

interface Statistics {
  readonly microsecondsPerStep: number;
  readonly bytecodesPerStep: number | null;
  readonly heap: { readonly peak: number | null };
  readonly collections: number | null;
}

const dataset = new Dataset(readFileSync(NAMES_FILE), NAMES_FILE);

await main();

async function main(): Promise<void> {
  const results: { nLayer: number; nEmbd: number; measurements: Record<string, Measurement> }[] = [];
  for (const nEmbd of [16, 32, 64]) {
    for (const nLayer of [1, 2, 4]) {
      const measurements = await measure({ ...DEFAULT_MODEL, nEmbd, nLayer });
      results.push({ nEmbd, nLayer, measurements });
      printTable(nEmbd, nLayer, measurements);
    }
  }
  console.log(JSON.stringify(results));
}

async function measure(config: ModelConfig): Promise<Record<string, Measurement>> {
  const cost = (config.nLayer * config.nEmbd ** 2) / DEFAULT_MODEL.nEmbd ** 2;
  const steps = Math.ceil(8000 / cost);
  const fewSteps = Math.ceil(steps / 400);
  const programs = new Map(["floor", "naive"].map((name) => [name, compile(name, config)]));
  const runs: Record<string, () => Promise<Measurement>> = {
    "node/typescript": () => onEngine("node", "typescript", config, steps),
    "xs/typescript": () => onEngine("xs", "typescript", config, fewSteps),
    "xs/native": () => onEngine("xs", "native", config, steps),
    ...Object.fromEntries([...programs].map(([name, path]) => [name, () => Promise.resolve(inC(path, steps))])),
    ...(config.nLayer === 1 && { "plain loop": () => Promise.resolve(inPlainPort(config, steps)) }),
  };
  const all = new Map<string, Measurement[]>(Object.keys(runs).map((name) => [name, []]));
  for (let repeat = 0; repeat < REPEATS; repeat++)
    for (const [name, run] of Object.entries(runs)) all.get(name)?.push(await run());
  return Object.fromEntries([...all].map(([name, measurements]) => [name, median(measurements)]));
}

/** The measurement with the median time; the other figures do not change from run to run. */
function median(measurements: readonly Measurement[]): Measurement {
  return measurements.toSorted((a, b) => a.microsecondsPerStep - b.microsecondsPerStep)[measurements.length >> 1];
}

async function onEngine(engine: "node" | "xs", ops: OpsName, config: ModelConfig, steps: number): Promise<Measurement> {
  const job: Job = { ...DEFAULT_TRAIN_JOB, ops, model: config, training: { steps }, samples: 0, logEvery: 1e9 };
  const report = new Report();
  const { signal: ending } = new AbortController();
  const call: Call = {
    job,
    names: NAMES_FILE,
    files: new Files(ending),
    emit: (event) => {
      report.onEvent(event);
      if (event.type === "error") throw new Error(event.message);
    },
    emitsAllSteps: false,
    whenReady: (callback) => callback(),
    ending,
  };
  const bits: Bits = 64;
  if (engine === "node") await runOnNode(call);
  else {
    const executable = await buildHost({ bits, loops: "desktop" }, () => undefined, ending);
    await runOnXs(call, { executable, bits, heapLimit: ROOMY });
  }
  const { microsecondsPerStep, bytecodesPerStep, heap, collections } = JSON.parse(report.format()) as Statistics;
  return { ...timing(microsecondsPerStep, config, steps), bytecodesPerStep, heapPeak: heap.peak, collections };
}

function timing(microsecondsPerStep: number, config: ModelConfig, steps: number): Measurement {
  const tokensPerSecond = (countTokens(config, steps) / steps / microsecondsPerStep) * 1e6;
  return { microsecondsPerStep, tokensPerSecond, bytecodesPerStep: null, heapPeak: null, collections: null };
}

/** Number of positions in the documents of the first `steps` steps. */
function countTokens(config: ModelConfig, steps: number): number {
  const random = new Random(SEED);
  drawModel(config, random);
  const tokens = new Uint8Array(config.blockSize + 1);
  let sum = 0;
  for (let step = 0; step < steps; step++) sum += dataset.tokens(random.index(dataset.count), tokens) - 1;
  return sum;
}

function drawModel(config: ModelConfig, random: Random): Model {
  const model = new Model(config, typescriptOps("f32"));
  drawParameters(model.parameters, random, model.config, model.ops);
  return model;
}

/** Compiles floor and naive with the flags of the native ops. */
function compile(name: string, { nEmbd, nLayer }: ModelConfig): string {
  const folder = join(ROOT, "build", "bench");
  const c = join(ROOT, "scripts", "c");
  const output = join(folder, `${name}-${nEmbd}-${nLayer}`);
  mkdirSync(folder, { recursive: true });
  const sources = [join(c, "bench.c"), join(c, `${name}.c`), ...opsSources()];
  const sizes = [`-DN=${nEmbd}`, `-DLAYERS=${nLayer}`];
  execFileSync(process.env.CC ?? "cc", [...opsFlags("desktop"), ...sizes, `-I${OPS}`, ...sources, "-lm", "-o", output]);
  return output;
}

function inC(program: string, steps: number): Measurement {
  const { microseconds, tokens } = JSON.parse(
    execFileSync(program, [NAMES_FILE, String(steps), "1"], { encoding: "utf8" }),
  ) as { microseconds: [number]; tokens: number };
  return {
    microsecondsPerStep: microseconds[0],
    tokensPerSecond: (tokens / steps / microseconds[0]) * 1e6,
    bytecodesPerStep: null,
    heapPeak: null,
    collections: null,
  };
}

function inPlainPort(config: ModelConfig, steps: number): Measurement {
  const random = new Random(SEED);
  const port = new PlainPort(config, Float32Array.from(drawModel(config, random).parameters));
  const tokens = new Uint8Array(config.blockSize + 1);
  const start = performance.now();
  for (let step = 0; step < steps; step++) {
    const rows = dataset.tokens(random.index(dataset.count), tokens) - 1;
    port.step(tokens, rows, step, DEFAULT_TRAINING.learningRate * (1 - step / steps));
  }
  return timing(((performance.now() - start) * 1000) / steps, config, steps);
}

function printTable(nEmbd: number, nLayer: number, measurements: Record<string, Measurement>): void {
  console.log(`\nn_embd ${nEmbd}, n_layer ${nLayer}`);
  console.log(row(["", "µs/step", "× floor", "tokens/s", "bytecodes/step", "heap peak", "collections"]));
  const floor = measurements.floor.microsecondsPerStep;
  for (const [name, m] of Object.entries(measurements)) {
    console.log(
      row([
        name,
        m.microsecondsPerStep.toFixed(1),
        (m.microsecondsPerStep / floor).toFixed(2),
        m.tokensPerSecond.toFixed(0),
        ...[m.bytecodesPerStep, m.heapPeak, m.collections].map((value) => String(value ?? "-")),
      ]),
    );
  }
}

function row([name, ...figures]: string[]): string {
  return `  ${name.padEnd(16)}${figures.map((figure) => figure.padStart(15)).join("")}`;
}
