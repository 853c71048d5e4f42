import { readFileSync } from "node:fs";
import { DEFAULT_MODEL, DEFAULT_TRAINING, PRESETS } from "../src/config";
import { Dataset } from "../src/dataset";
import { Model } from "../src/model";
import { drawParameters } from "../src/parameters";
import { Random } from "../src/random";
import { Trainer } from "../src/trainer";
import { typescriptOps } from "../src/typescript-ops";
import { PlainPort } from "./plain-port";

// Microseconds a step of the library and of a plain loop, in turns, so that a noisy machine is noisy to both.

const STEPS = 20000;
const REPEATS = 3;
const SEED = 42;

const dataset = new Dataset(readFileSync(new URL("../data/names.txt", import.meta.url)), "data/names.txt");
const library: number[] = [];
const plain: number[] = [];
for (let repeat = 0; repeat < REPEATS; repeat++) {
  library.push(timeLibrary());
  plain.push(timePlainPort());
}
const [fast, slow] = [median(library), median(plain)];
console.log(`µs a step over ${STEPS} steps, median of ${REPEATS}`);
console.log(`  library     ${fast.toFixed(1)}`);
console.log(`  plain loop  ${slow.toFixed(1)}`);
console.log(`  ratio       ${(fast / slow).toFixed(2)}`);

function drawModel(random: Random): Model {
  const model = new Model(DEFAULT_MODEL, typescriptOps("f32"));
  drawParameters(model.parameters, random, PRESETS.esp32gpt.initStd);
  return model;
}

function timeLibrary(): number {
  const random = new Random(SEED);
  const trainer = new Trainer(drawModel(random), dataset, random, { ...DEFAULT_TRAINING, steps: STEPS });
  const start = performance.now();
  for (let step = 0; step < STEPS; step++) trainer.step();
  return ((performance.now() - start) * 1000) / STEPS;
}

function timePlainPort(): number {
  const random = new Random(SEED);
  const port = new PlainPort(DEFAULT_MODEL, Float32Array.from(drawModel(random).parameters));
  const tokens = new Uint8Array(DEFAULT_MODEL.blockSize + 1);
  const start = performance.now();
  for (let step = 0; step < STEPS; step++) {
    const rows = dataset.tokens(random.index(dataset.count), tokens) - 1;
    port.step(tokens, rows, step, DEFAULT_TRAINING.learningRate * (1 - step / STEPS));
  }
  return ((performance.now() - start) * 1000) / STEPS;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
