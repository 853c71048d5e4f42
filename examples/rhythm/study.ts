import { type Dtype, i32Ops, planMemory, typescriptOps } from "esp32gpt";
import { CusumDetector, type Detector, EnergyDetector, EwmaDetector, MarkovDetector, ModelDetector } from "./detectors";
import { Limit } from "./limit";
import { type Machine, Pump } from "./pump";
import { DOCUMENTS, LENGTH, MODEL } from "./rhythm";
import { SYMBOLS } from "./symbols";
import { type Window, WindowReader } from "./windows";

/*
 * How soon each detector sees the fault of a simulated pump. Each run is a machine of its own, which no detector has
 * seen before; bench.ts prints the tables.
 */

/** Windows of a run: to learn from, to measure the limit, normal ones that are held out, and those with the fault. */
export interface Plan {
  readonly learn: number;
  readonly measure: number;
  readonly heldOut: number;
  readonly fault: number;
}

export const PLAN: Plan = Object.freeze({ learn: 800, measure: 400, heldOut: 200, fault: 50 });

/** A detector with its parameters. */
export interface Candidate {
  readonly kind: string;
  readonly parameters: string;
  /** @param seed of the run */
  readonly make: (seed: number, plan: Plan) => Detector;
}

/** What a detector says of a run. */
export interface Run {
  /** Of all windows behind those that it has learnt. */
  readonly scores: readonly number[];
  /** What it keeps in RAM. */
  readonly bytes: number;
  /** Microseconds of a processor for all windows. */
  readonly learning: number;
  readonly scoring: number;
}

/** What was measured of a detector over all runs of a machine. */
export interface Result {
  /** Share of the held-out normal windows that raise an alarm. */
  readonly falseAlarms: number;
  /** Share of runs with an alarm after the fault has begun. */
  readonly detected: number;
  /** Share of the stretches of held-out normal windows, as long as those with the fault, that have an alarm. */
  readonly byChance: number;
  /** Windows from the beginning of the fault to the first alarm, this one included; Infinity if there is none. */
  readonly medianDelay: number;
}

/** Weights of a window in the running mean of its scores that are tried. */
export const WEIGHTS = Object.freeze([1, 0.3, 0.15]);

/** The parameters that are tried. */
export function candidates(dtype: Dtype): readonly Candidate[] {
  const ops = typescriptOps(dtype);
  return [
    { kind: "energy, z", parameters: "", make: () => new EnergyDetector() },
    ...[0.5, 0.3, 0.2, 0.1].map((weight) => ({
      kind: "energy, EWMA",
      parameters: `weight ${weight}`,
      make: () => new EwmaDetector(weight),
    })),
    ...[0.5, 1, 1.5, 2, 2.5].map((slack) => ({
      kind: "energy, CUSUM",
      parameters: `slack ${slack}`,
      make: () => new CusumDetector(slack),
    })),
    ...[0.01, 0.1, 1].map((added) => ({
      kind: "Markov, order 2",
      parameters: `+${added}`,
      make: () => new MarkovDetector(2, added),
    })),
    ...[3, 4, 6, 12].flatMap((order) =>
      [1, 4].map((added) => ({
        kind: "Markov, back-off",
        parameters: `order ${order}, ${added}`,
        make: () => new MarkovDetector(order, added, true),
      })),
    ),
    {
      kind: "GPT",
      parameters: "",
      make: (seed, { learn }) => new ModelDetector(ops, learn, seed),
    },
  ];
}

/** All windows of a run: the same for every detector. */
export function record(machine: Machine, seed: number, plan: Plan): Window[] {
  const pump = new Pump(machine, seed);
  const reader = new WindowReader(pump);
  const normal = plan.learn + plan.measure + plan.heldOut;
  const windows: Window[] = [];
  while (windows.length < normal + plan.fault) {
    if (windows.length === normal) pump.beginFault();
    const window = reader.next();
    windows.push({ ...window, symbols: window.symbols.slice() });
  }
  return windows;
}

/** Lets a detector learn and score the windows of a run. */
export function run(candidate: Candidate, windows: readonly Window[], seed: number, plan: Plan): Run {
  const detector = candidate.make(seed, plan);
  const begin = process.cpuUsage();
  for (let i = 0; i < plan.learn; i++) detector.learn(windows[i]);
  const learning = microsecondsSince(begin);
  const between = process.cpuUsage();
  const scores = windows.slice(plan.learn).map((window) => detector.score(window));
  return { scores, bytes: detector.bytes ?? modelBytes(), learning, scoring: microsecondsSince(between) };
}

/** Of a processor, so that other programs on the machine do not count. */
function microsecondsSince(begin: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(begin);
  return user + system;
}

/** Sets the limit of each run and counts its alarms. */
export function judge(runs: readonly Run[], weight: number, { measure, heldOut, fault }: Plan): Result {
  const delays: number[] = [];
  let falseAlarms = 0;
  let stretches = 0;
  for (const { scores } of runs) {
    const limit = new Limit(measure, weight);
    const alarms = scores.map((score) => limit.isAlarm(score));
    const normal = alarms.slice(measure, measure + heldOut);
    falseAlarms += normal.filter((alarm) => alarm).length;
    for (let from = 0; from < heldOut; from += fault)
      stretches += Number(normal.slice(from, from + fault).includes(true));
    const first = alarms.slice(measure + heldOut).indexOf(true);
    delays.push(first < 0 ? Infinity : first + 1);
  }
  return {
    falseAlarms: falseAlarms / (runs.length * heldOut),
    detected: delays.filter((delay) => delay < Infinity).length / runs.length,
    byChance: stretches / (runs.length * Math.ceil(heldOut / fault)),
    medianDelay: delays.sort((a, b) => a - b)[runs.length >> 1],
  };
}

/** The buffers of the model and of its training in i32, with the last windows in RAM. */
export function modelBytes(): number {
  const config = { ...MODEL, preset: "tuned", vocabularySize: SYMBOLS + 1 } as const;
  return planMemory(config, { indexBytes: DOCUMENTS * (LENGTH + 1), ops: i32Ops }).bufferBytes;
}
