import fc from "fast-check";
import { formatText } from "../../src/protocol/text-log";
import type { DeviceLine } from "../../src/protocol/lines";
import { parseEvent, parseText, parseStatus } from "../../src/client/parse-line";

const STEP = { n: 3, type: "step", step: 100, steps: 1000, loss: 2.4193, mean: 2.5, learningRate: 0.01, name: 7 };

test("lines become the events that they tell", () => {
  expect(formatText(parseEvent({ ...STEP, isLogged: true }) ?? fail())).toBe("step  100/1000: loss = 2.4193\n");
  expect(formatText(parseEvent({ ...STEP, isLogged: true, loss: "passed over" }) ?? fail())).toContain("passed over");
  const name = { n: 4, type: "name", number: 1, name: "anais" };
  expect(formatText(parseEvent(name) ?? fail())).toBe("   1. anais\n");
  expect(parseEvent({ n: 1, type: "future" })).toBeUndefined();
  expect(parseEvent({ n: 1, type: "constructor" })).toBeUndefined();
  expect(parseEvent({ ...STEP, loss: null, isLogged: true })).toBeUndefined();
});

test("states and sayings are told apart from the rest", () => {
  const state = { n: 1, type: "state", state: "paused", step: 5, steps: 10, loss: null };
  expect(parseStatus(state)).toEqual({ state: "paused", step: 5, steps: 10, loss: undefined });
  expect(parseStatus({ ...state, state: {} })).toBeUndefined();
  expect(parseText({ n: 1, type: "answer", text: "Step 7." })).toBe("Step 7.");
  expect(parseText({ n: 1, type: "word", number: 2, text: "ada" })).toBe("   2. ada");
  expect(parseText({ n: 1, type: "error", message: "no" })).toBe("no");
  expect(parseText({ n: 1, type: "answer", text: 5 })).toBeUndefined();
  expect(parseText(STEP)).toBeUndefined();
});

test("numbers are finite, counts are whole, and texts have an end", () => {
  const step = { ...STEP, isLogged: true };
  expect(parseEvent({ ...step, loss: Infinity })).toBeUndefined();
  expect(parseEvent({ ...step, step: -1 })).toBeUndefined();
  expect(parseEvent({ ...step, step: 1.5 })).toBeUndefined();
  expect(parseEvent({ ...step, isLogged: 1 })).toBeUndefined();
  const name = { n: 4, type: "name", number: 1 };
  expect(parseEvent({ ...name, name: "x".repeat(1000) })).toBeDefined();
  expect(parseEvent({ ...name, name: "x".repeat(1001) })).toBeUndefined();
  const trained = { n: 5, type: "trained", stepsDone: 5, steps: 10, milliseconds: 1.5 };
  for (const ending of ["done", "stopped"]) expect(parseEvent({ ...trained, ending })).toMatchObject({ ending });
  expect(parseEvent({ ...trained, ending: "failed" })).toBeUndefined();
});

test("optional fields are kept where they are sound, and left out where they are not", () => {
  const step = { ...STEP, isLogged: true };
  expect(parseEvent({ ...step, validationLoss: 2.5 })).toMatchObject({ validationLoss: 2.5, mean: 2.5 });
  expect(parseEvent({ ...step, validationLoss: "2.5", mean: null })).toMatchObject({
    validationLoss: undefined,
    mean: undefined,
  });
  const name = { n: 4, type: "name", number: 1, name: "anais" };
  expect(parseEvent({ ...name, isKnown: true })).toMatchObject({ isKnown: true });
  expect(parseEvent({ ...name, isKnown: {} })).toMatchObject({ isKnown: undefined });
  const names = { n: 5, type: "names", temperature: 0.5 };
  expect(parseEvent({ ...names, topK: 6, topP: "1" })).toMatchObject({ topK: 6, topP: undefined });
  const measured = { loss: 2, names: 7, passedOver: 0, tokens: 41, natsPerToken: 2, bitsPerCharacter: 3 };
  const evaluated = { n: 6, type: "evaluated", ...measured };
  expect(parseEvent({ ...evaluated, step: 5, steps: 10, written: {} })).toMatchObject({
    ...{ step: 5, steps: 10, written: undefined },
  });
  expect(parseEvent({ ...evaluated, step: 5 })).toMatchObject({ step: undefined, steps: undefined });
});

test("a state with numbers of another type has none", () => {
  const state = { n: 1, type: "state", state: "paused", step: "5", steps: 10, loss: 2.5 };
  expect(parseStatus(state)).toEqual({ state: "paused", step: undefined, steps: 10, loss: 2.5 });
  expect(parseStatus({ ...state, type: "answer" })).toBeUndefined();
});

test("remarks, errors and words are said, if they are text", () => {
  expect(parseText({ n: 1, type: "remark", message: "so" })).toBe("so");
  expect(parseText({ n: 1, type: "answer", message: "so" })).toBeUndefined();
  expect(parseText({ n: 1, type: "word", text: "ada", number: -1 })).toBeUndefined();
  expect(parseText({ n: 1, type: "error", message: {} })).toBeUndefined();
});

test("whatever fields a board sends can be shown", () => {
  const types = "start step trained saved names name progress evaluated remark error done state answer word".split(" ");
  const fields =
    "place parameters nHead nEmbd names characters steps batchSize step loss mean learningRate name isLogged " +
    "validationLoss ending stepsDone milliseconds file isEarly temperature number isKnown done total passedOver tokens " +
    "natsPerToken bitsPerCharacter written message job outcome state text";
  const value = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom<unknown>(1, 2.5, true, "done", "stopped", "train", { toString: 1 }, { count: 1 }),
  );
  const line = fc.record(Object.fromEntries(fields.split(" ").map((field) => [field, value] as const)), {
    requiredKeys: fields.split(" ").filter((_, i) => i % 2 === 0),
  });
  fc.assert(
    fc.property(fc.constantFrom(...types), line, (type, fields) => {
      const told: DeviceLine = { ...fields, n: 1, type };
      const event = parseEvent(told);
      if (event) expect(typeof formatText(event)).toBe("string");
      expect(["string", "undefined"]).toContain(typeof parseText(told));
      parseStatus(told);
    }),
    { numRuns: 2000 },
  );
});

function fail(): never {
  throw new Error("there is no event");
}
