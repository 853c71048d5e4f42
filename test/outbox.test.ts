import type { StepEvent } from "../src/gpt/training/events";
import type { TrainingUpdate } from "../web/worker/messages";
import { Outbox } from "../web/worker/outbox";

/* What the worker of the page tells it: steps that follow each other go together. */

function step(number: number, more: Partial<StepEvent> = {}): StepEvent {
  return {
    type: "step",
    step: number,
    steps: 100,
    loss: number / 10,
    learningRate: 0.01,
    name: 0,
    isLogged: false,
    validationLoss: undefined,
    mean: undefined,
    ...more,
  };
}

/** What arrives of it, with the steps of each piece: number and loss. */
function sent(...updates: readonly TrainingUpdate[]): unknown[] {
  const posted: TrainingUpdate[] = [];
  const outbox = new Outbox((all) => posted.push(...all));
  jest.useFakeTimers();
  for (const update of updates) outbox.put(update);
  jest.runAllTimers();
  jest.useRealTimers();
  return posted.map((update) =>
    update.type === "steps"
      ? Array.from(update.losses, (loss, i) => [update.from + i, loss])
      : update.type === "step"
        ? ["with validation", update.step, update.loss]
        : update.type,
  );
}

test("steps in a row are one piece", () => {
  expect(sent(step(3), step(4), step(5))).toEqual([
    [
      [3, 0.3],
      [4, 0.4],
      [5, 0.5],
    ],
  ]);
});

test("every step keeps its number, where some are missing or it goes back", () => {
  expect(sent(step(0), step(1), step(5), step(6), step(2))).toEqual([
    [
      [0, 0],
      [1, 0.1],
    ],
    [
      [5, 0.5],
      [6, 0.6],
    ],
    [[2, 0.2]],
  ]);
});

test("a validation loss comes in its place, and what follows with its own number", () => {
  expect(sent(step(0), step(1, { validationLoss: 2 }), step(2))).toEqual([
    [[0, 0]],
    ["with validation", 1, 0.1],
    [[2, 0.2]],
  ]);
});
