import { clock, opsFor, print } from "esp32gpt/platform";
import { Limit } from "./limit";
import { Pump } from "./pump";
import { Rhythm } from "./rhythm";
import { WindowReader } from "./windows";

/** In windows of 16 symbols, some 4 minutes of the machine each. */
export interface Plan {
  /** Normal operation: to learn its rhythm, then to measure how surprising it stays. */
  readonly learn: number;
  readonly measure: number;
  /** Normal operation that is watched, and what follows after the bearing has begun to wear. */
  readonly normal: number;
  readonly fault: number;
}

const PLAN: Plan = Object.freeze({ learn: 800, measure: 400, normal: 40, fault: 50 });
const SEED = 1;
/** Weight of a window's score in the running mean that is compared with the limit. */
const WEIGHT = 0.15;
const REPORT_EVERY = 100;

/** The device's program: it learns a machine that it has never seen, and raises an alarm when its rhythm changes. */
export default function main(plan: Plan = PLAN): void {
  // On a machine of yours: the RMS of an accelerometer, once a second.
  const sensor = new Pump("transfer", SEED);
  const reader = new WindowReader(sensor);
  const rhythm = new Rhythm(opsFor("i32"), plan.learn);
  const limit = new Limit(plan.measure, WEIGHT);
  const faultAt = plan.learn + plan.measure + plan.normal;
  let window = 0;
  let alarms = 0;

  function next(): void {
    if (window === faultAt) {
      sensor.beginFault();
      print(`window ${window}: the bearing begins to wear`);
    }
    const { symbols } = reader.next();
    if (window % REPORT_EVERY === 0) print(`window ${window}: ${rhythm.score(symbols).toFixed(2)} nats a symbol`);
    if (window < plan.learn) rhythm.learn(symbols);
    else if (limit.isAlarm(rhythm.score(symbols))) {
      alarms++;
      print(`window ${window}: ALARM, ${limit.score.toFixed(2)} nats a symbol, above ${limit.value.toFixed(2)}`);
    }
    window++;
    if (window < faultAt + plan.fault) clock.schedule(next);
    else print(`${alarms} alarms`);
  }

  next();
}
