import type { EvaluatedEvent, StartEvent, WrittenNames } from "../src/gpt/training/events";
import type { Event } from "../src/protocol/events";
import { formatText } from "../src/protocol/text-log";

/* Which values of an event the log shows, and when; not in which words. */

const START: StartEvent = {
  ...{ type: "start", place: "ESP32", ops: "native", parameters: 4192, nHead: 4, nEmbd: 16, names: 32033 },
  ...{ steps: 1000, batchSize: 1 },
};

const EVALUATED: EvaluatedEvent = {
  ...{ type: "evaluated", loss: 2.25, names: 7, passedOver: 0, tokens: 41, natsPerToken: 2.125, bitsPerCharacter: 3.5 },
};

const WRITTEN: WrittenNames = {
  ...{ count: 20, temperature: 0.5, newShare: 0.85, emptyShare: 0.15, duplicateShare: 0.05, letterDistance: 0.1875 },
  ...{ length: { mean: 5.25, deviation: 1.5 }, dataLength: { mean: 6.75, deviation: 1.25 } },
};

/** The numbers in a text, in their order. */
function numbersOf(text: string): readonly number[] {
  return Array.from(text.matchAll(/(?<![\w.])\d+(\.\d+)?/g), ([number]) => Number(number));
}

/** What the log shows of the numbers of an event. */
function shown(event: Event): readonly number[] {
  return numbersOf(formatText(event));
}

describe("the start of a training", () => {
  test("has the size of the model and the dataset, and the steps", () => {
    expect(formatText(START)).toContain("ESP32");
    expect(shown(START)).toEqual([4192, 4, 16, 32033, 1000]);
  });

  test("has the characters where they are not a to z, names a step where there are several, and steps done", () => {
    expect(shown({ ...START, characters: 33 })).toEqual([4192, 4, 16, 32033, 33, 1000]);
    expect(shown({ ...START, batchSize: 8 })).toEqual([4192, 4, 16, 32033, 1000, 8]);
    expect(shown({ ...START, from: 250 })).toEqual([4192, 4, 16, 32033, 1000, 250]);
  });

  test("is not told a second time, and a training that is complete does not go on", () => {
    expect(shown({ ...START, isAgain: true, from: 250 })).toEqual([1000, 250]);
    expect(formatText({ ...START, isAgain: true, from: 1000 })).toBe("");
  });
});

describe("an evaluation", () => {
  test("has its results, one a line", () => {
    expect(shown(EVALUATED)).toEqual([2.25, 7, 2.125, 3.5, 7, 41]);
    expect(formatText(EVALUATED).trimEnd().split("\n")).toHaveLength(5);
  });

  test("says how many names were too long, and on a device after which step", () => {
    expect(shown({ ...EVALUATED, passedOver: 3 })).toEqual([2.25, 7, 3, 2.125, 3.5, 7, 41]);
    expect(shown({ ...EVALUATED, step: 250, steps: 1000 })).toEqual([2.25, 7, 250, 1000, 2.125, 3.5, 7, 41]);
  });

  test("has shares as percentages, and both lengths with their deviations", () => {
    const rows = formatText({ ...EVALUATED, written: WRITTEN })
      .trimEnd()
      .split("\n")
      .slice(5)
      .map(numbersOf);
    expect(rows).toEqual([[20, 0.5], [85], [15], [5], [5.25, 1.5, 6.75, 1.25], [0.1875, 0, 1]]);
  });

  test("has the sampling limits if there are any", () => {
    const limits = (written: WrittenNames) => numbersOf(formatText({ ...EVALUATED, written }).split("\n")[5]);
    expect(limits({ ...WRITTEN, topK: 6 })).toEqual([20, 0.5, 6]);
    expect(limits({ ...WRITTEN, topP: 0.9 })).toEqual([20, 0.5, 0.9]);
  });

  test("on another dataset claims of no name that it is new", () => {
    const own = formatText({ ...EVALUATED, written: WRITTEN });
    const other = formatText({ ...EVALUATED, written: WRITTEN, isOfAnotherList: true });
    const rows = own.split("\n");
    expect(other).toBe([...rows.slice(0, 6), ...rows.slice(7)].join("\n"));
  });

  test("has its values in one column", () => {
    const rows = formatText({ ...EVALUATED, step: 250, steps: 1000, written: WRITTEN })
      .trimEnd()
      .split("\n")
      .slice(1);
    for (const row of rows) expect(row.slice(0, 34)).toMatch(/^\D.*\d( %)?$|^.*±.*$/);
  });
});

describe("a line for a", () => {
  test("step stands where it is to be logged, with its validation loss", () => {
    const step = { learningRate: 0.01, name: 3, mean: undefined, validationLoss: undefined };
    const event = { ...step, type: "step", step: 99, steps: 1000, loss: 2.5, isLogged: true } as const;
    expect(shown(event)).toEqual([99, 1000, 2.5]);
    expect(shown({ ...event, validationLoss: 2.75 })).toEqual([99, 1000, 2.5, 2.75]);
    expect(shown({ ...event, loss: "passed over" })).toEqual([99, 1000]);
    expect(formatText({ ...event, isLogged: false })).toBe("");
  });

  test("name says whether the dataset has it", () => {
    const name = { type: "name", number: 3, name: "anna" } as const;
    const known = formatText({ ...name, isKnown: true });
    expect(known).toMatch(/^ +3\. anna .+\n$/);
    expect(formatText({ ...name, isKnown: false })).toBe(formatText(name));
    expect(formatText({ ...name, isKnown: true, isAnswer: true })).toBe("anna\n");
  });

  test("training, a save or a job stands where it ended early, or is over", () => {
    const trained = { type: "trained", stepsDone: 250, steps: 1000, from: 0, milliseconds: 1 } as const;
    expect(shown({ ...trained, ending: "stopped" })).toEqual([250, 1000]);
    expect(formatText({ ...trained, ending: "done" })).toBe("");
    expect(formatText({ type: "saved", file: "anna.safetensors", isEarly: true })).toContain("anna.safetensors");
    expect(formatText({ type: "saved", file: "anna.safetensors", isEarly: false })).toBe("");
    expect(formatText({ type: "done", job: "train", outcome: "done" })).not.toBe("");
    for (const event of [
      { type: "done", job: "eval", outcome: "done" },
      { type: "done", job: "train", outcome: "stopped" },
      { type: "done", job: "train", outcome: "failed" },
    ] as const)
      expect(formatText(event)).toBe("");
  });

  test("program is none in the log", () => {
    const state = { step: 1, steps: 2, totalSteps: 2, words: 0, seed: 1, parameters: 1, loss: null };
    for (const event of [
      { type: "progress", done: 1, total: 2 },
      { type: "remark", message: "x" },
      { type: "error", message: "x" },
      { type: "hello", protocol: 1, version: "1", place: "x" },
      { type: "state", state: "idle", ...state },
      { type: "ack", id: 1, ok: true },
      { type: "chunk", at: 0, size: 1, data: "" },
    ] as const)
      expect(formatText(event)).toBe("");
    expect(formatText({ type: "damaged" })).not.toBe("");
  });
});
