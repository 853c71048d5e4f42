import { Status } from "../host/monitor/status";
import type { StepEvent } from "../src/gpt/training/events";

/* The speed in the monitor's last line. */

/** A training that a monitor hears of every 200 ms: seconds, and how many steps each of them brings. */
function speedAfter(...parts: readonly (readonly [seconds: number, stepsASecond: number])[]): number {
  const status = new Status();
  let step = 0;
  let time = 0;
  for (const [seconds, stepsASecond] of parts)
    for (const end = time + 1000 * seconds; time < end; time += 200) {
      const event: StepEvent = {
        type: "step",
        step: Math.round(step),
        steps: 1e6,
        loss: 2,
        learningRate: 0.01,
        name: 0,
        isLogged: false,
        validationLoss: undefined,
        mean: undefined,
      };
      status.onEvent(event, time);
      step += stepsASecond / 5;
    }
  return status.speed ?? NaN;
}

test("it is that of the last seconds, not of all the time before", () => {
  expect(speedAfter([60, 400])).toBeCloseTo(400, 0);
  expect(speedAfter([60, 400], [6, 100])).toBeCloseTo(100, 0);
  expect(speedAfter([60, 100], [6, 400])).toBeCloseTo(400, 0);
});

test("a change is seen within five seconds, and not at once taken for all there is", () => {
  const speed = speedAfter([60, 400], [2.5, 100]);
  expect(speed).toBeGreaterThan(150);
  expect(speed).toBeLessThan(350);
});
