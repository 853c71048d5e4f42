import type { Dtype } from "esp32gpt";
import type { Machine } from "./pump";
import { type Candidate, candidates, judge, PLAN, record, type Result, type Run, run, WEIGHTS } from "./study";
import type { Window } from "./windows";

/*
 * npm run bench:rhythm prints the tables of README.md. Behind a --:
 *
 *   tune         how good each choice of parameters is, on seeds that are not those of the tables
 *   [runs, 200] [transfer or filter] [f32 or i32]   the tables
 */

const MACHINES: readonly Machine[] = ["transfer", "filter"];
const HEADINGS = [
  ...["detector", "parameters", "with the fault", "without", "median delay", "false alarms", "bytes"],
  ...["µs to learn", "µs to score"],
];
const TUNING_SEEDS = seedsFrom(1001, 20);

/** Of each kind the best that "tune" has found: its parameters, and the weight of a window in the mean of its scores. */
const SETTINGS: readonly (readonly [kind: string, parameters: string, weight: number])[] = [
  ["energy, z", "", 0.15],
  ["energy, EWMA", "weight 0.1", 0.3],
  ["energy, CUSUM", "slack 1", 0.15],
  ["Markov, order 2", "+1", 0.15],
  ["Markov, back-off", "order 3, 4", 0.15],
  ["GPT", "", 0.15],
];

const [what = "200", machine, dtype = "f32"] = process.argv.slice(2) as (string | undefined)[];
const all = candidates(dtype as Dtype);
if (what === "tune") tune();
else
  for (const each of MACHINES)
    if (machine === undefined || machine === each) printTable(each, seedsFrom(1, Number(what)));

/** Prints how much more often each choice raises an alarm with the fault than without, for both machines together. */
function tune(): void {
  const recordings = MACHINES.map((each) => recordAll(each, TUNING_SEEDS));
  for (const candidate of all) {
    const done = recordings.map((recorded) => runAll(candidate, recorded, TUNING_SEEDS));
    for (const weight of WEIGHTS) {
      const results = done.map((runs) => judge(runs, weight, PLAN));
      const merit = results.reduce((sum, { detected, byChance }) => sum + detected - byChance, 0);
      const delays = results.map(({ medianDelay }) => medianDelay);
      console.log(
        `${candidate.kind} ${candidate.parameters}, mean ${weight}: ${merit.toFixed(3)}, ${delays.join(" and ")}`,
      );
    }
  }
}

function printTable(machine: Machine, seeds: readonly number[]): void {
  console.log(`\n${machine}: ${seeds.length} runs, seeds 1 to ${seeds.length}\n`);
  console.log(`| ${HEADINGS.join(" | ")} |`);
  console.log(`| ${HEADINGS.map((_, i) => (i < 2 ? "---" : "--:")).join(" | ")} |`);
  const recordings = recordAll(machine, seeds);
  for (const [kind, parameters, weight] of SETTINGS) {
    const candidate = all.find((one) => one.kind === kind && one.parameters === parameters);
    if (candidate === undefined) throw new RangeError(`There is no ${kind} with ${parameters}.`);
    const runs = runAll(candidate, recordings, seeds);
    console.log(rowOf(candidate, weight, judge(runs, weight, PLAN), runs));
  }
}

function seedsFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

function recordAll(machine: Machine, of: readonly number[]): Window[][] {
  return of.map((seed) => record(machine, seed, PLAN));
}

function runAll(candidate: Candidate, recordings: readonly Window[][], of: readonly number[]): Run[] {
  return recordings.map((windows, i) => run(candidate, windows, of[i], PLAN));
}

function rowOf({ kind, parameters }: Candidate, weight: number, result: Result, done: readonly Run[]): string {
  const { detected, byChance, medianDelay, falseAlarms } = result;
  const microseconds = (of: (run: Run) => number, windows: number): string =>
    (done.reduce((sum, each) => sum + of(each), 0) / (done.length * windows)).toFixed(1);
  const cells = [
    kind,
    [parameters, weight < 1 ? `mean ${weight}` : ""].filter((part) => part !== "").join(", "),
    percent(detected),
    percent(byChance),
    medianDelay < Infinity ? medianDelay : `> ${PLAN.fault}`,
    percent(falseAlarms, 2),
    Math.max(...done.map(({ bytes }) => bytes)),
    microseconds(({ learning }) => learning, PLAN.learn),
    microseconds(({ scoring }) => scoring, PLAN.measure + PLAN.heldOut + PLAN.fault),
  ];
  return `| ${cells.join(" | ")} |`;
}

function percent(share: number, digits = 0): string {
  return `${(100 * share).toFixed(digits)} %`;
}
