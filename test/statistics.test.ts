import { Statistics, type UsageReport } from "../host/terminal/statistics";
import type { StartEvent, TrainedEvent } from "../src/gpt/training/events";

/* What --stats says of a training that went on from a checkpoint: its own steps, not those before. */

const START: StartEvent = {
  type: "start",
  place: "XS",
  ops: "native",
  parameters: 1,
  nHead: 1,
  nEmbd: 1,
  names: 1,
  steps: 1000,
  batchSize: 1,
  from: 0,
};
const USAGE: UsageReport = {
  type: "usage",
  bytecodes: 50_000,
  collections: 0,
  heap: { slots: 1, chunks: 1, stack: 1, peak: 1, usedSlots: 1, usedChunks: 1 },
  flash: { bytecode: 1, names: 1 },
};

function statisticsOf(from: number, stepsDone: number, milliseconds: number): unknown {
  const trained: TrainedEvent = { type: "trained", ending: "done", stepsDone, steps: 1000, from, milliseconds };
  const statistics = new Statistics();
  for (const event of [{ ...START, from }, trained, USAGE]) statistics.onEvent(event);
  return JSON.parse(statistics.format());
}

test("times and bytecodes are of the steps that were done here", () => {
  const expected = { steps: 100, seconds: 0.05, microsecondsPerStep: 500, bytecodesPerStep: 500 };
  expect(statisticsOf(0, 100, 50)).toMatchObject(expected);
  expect(statisticsOf(900, 1000, 50)).toMatchObject(expected);
});

test("a training that was over has none to divide by", () => {
  expect(statisticsOf(1000, 1000, 0)).toMatchObject({ steps: 0, microsecondsPerStep: null, bytecodesPerStep: null });
});
