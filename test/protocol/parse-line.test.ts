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
