import { LastAnswers } from "../host/monitor/last-answers";

/* When a session whose input has ended is over, in simulated time; as a process: monitor-pipe.test.ts. */

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

test("a board of ours that says nothing of a training is waited for as well, and its state is not shown", () => {
  const sent: string[] = [];
  let isOver = false;
  let shown = "";
  const answers = new LastAnswers({
    send: (line) => void sent.push(line),
    isHeldUp: () => false,
    over: () => (isOver = true),
  });
  answers.sent();
  answers.inputEnded();
  jest.advanceTimersByTime(1000);
  expect(sent.at(-1)).toBe("end-of-input");
  // eval is silent until its end, and the unknown command waits behind it.
  if (sent.includes("status")) shown += answers.said("Step 5 of 5, loss 2.1, 2 words of your own; idle.\r\n");
  jest.advanceTimersByTime(120_000);
  expect(isOver).toBe(false);
  shown += answers.said("Mean loss: 2.4957 over 32257 names\r\n");
  shown += answers.said("There is no command end-of-input: help lists them.\r\n");
  jest.runAllTimers();
  expect([isOver, shown]).toEqual([true, "Mean loss: 2.4957 over 32257 names\r\n"]);
});

test("another board is left after ten seconds", () => {
  let isOver = false;
  const answers = new LastAnswers({ send: () => undefined, isHeldUp: () => false, over: () => (isOver = true) });
  answers.sent();
  answers.inputEnded();
  jest.advanceTimersByTime(1000);
  answers.said("unknown: status\r\n");
  jest.advanceTimersByTime(9_000);
  expect(isOver).toBe(false);
  jest.advanceTimersByTime(2_000);
  expect(isOver).toBe(true);
});
