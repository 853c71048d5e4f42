import { Random } from "esp32gpt";

/*
 * A pump with a vibration sensor, simulated: it stands in for the sensor of a real one. All numbers are sums, products
 * and quotients of a seeded random stream, so a seed gives the same samples on every engine.
 */

/** What repeats: `transfer` is a pump that moves batches; `filter` one that flushes its filter in every third cycle. */
export type Machine = "transfer" | "filter";

/** A part of a cycle. */
interface Stage {
  /** Velocity of the vibration at normal load, RMS, in µm/s. */
  readonly vibration: number;
  /** Least and most seconds. */
  readonly least: number;
  readonly most: number;
  /** Whether the pump works against a load: then load and wear change how it vibrates and how long it takes. */
  readonly isLoaded: boolean;
}

const stage = (vibration: number, least: number, most: number, isLoaded = false): Stage =>
  Object.freeze({ vibration, least, most, isLoaded });

const IDLE = stage(300, 20, 40);
const START = stage(4500, 2, 4, true);
const FILL = stage(2000, 8, 14, true);
const RUN = stage(3200, 25, 45, true);
const DRAIN = stage(1500, 8, 12);
const STOP = stage(800, 3, 5);
const FLUSH = stage(2000, 8, 14, true);

/** A batch; one in ten only tops up, and is not filled. */
const BATCH = Object.freeze([IDLE, START, FILL, RUN, DRAIN, STOP]);
const TOP_UP = Object.freeze([IDLE, START, RUN, DRAIN, STOP]);
const TOP_UP_SHARE = 0.1;
/** A cycle of the filter pump, and the one with a flush, which is due in every third cycle. */
const FILTER = Object.freeze([IDLE, START, RUN, STOP]);
const FILTER_FLUSH = Object.freeze([IDLE, START, RUN, FLUSH, STOP]);
const FLUSH_EVERY = 3;

/** The load of a cycle: a mean of 1, a standard deviation of 9 %, and much of that of the cycle before. */
const LOAD_STAYS = 0.9;
const LOAD_CHANGE = 0.04;
/** Temperature changes the vibration by ±6 % over a day, up and down in straight lines. */
const DAY_SECONDS = 86_400;
const TEMPERATURE = 0.06;
/** Standard deviation of a sample, as a share of it; the sensor's own noise in µm/s. */
const NOISE = 0.12;
const SENSOR_NOISE = 30;
/** One sample in so many is a knock from outside. */
const KNOCK_EVERY = 600;
const KNOCK = 2;
/** Seconds from the beginning of a fault until it is complete. */
const GROWTH_SECONDS = 3 * 3600;
/** What the complete wear of a bearing adds: vibration, seconds of a start, time under load, noise; as shares. */
const WORN_VIBRATION = 0.4;
const WORN_START_SECONDS = 2;
const WORN_TIME = 0.2;
const WORN_NOISE = 1;

export class Pump {
  private readonly random: Random;
  private seconds = 0;
  /** When the fault began; -1 before that. */
  private faultAt = -1;
  private load = 1;
  private cycle: readonly Stage[] = [];
  private next = 0;
  private stage = IDLE;
  private secondsLeft = 0;
  private flushIn = FLUSH_EVERY;

  /** @param seed from 1 to 2^32 - 1 */
  constructor(
    private readonly machine: Machine,
    seed: number,
  ) {
    this.random = new Random(seed);
    // Neighbouring seeds begin with similar numbers.
    for (let i = 0; i < 8; i++) this.random.uint32();
    this.seconds = this.random.index(DAY_SECONDS);
  }

  /** From now on the bearing of the transfer pump wears, and the counter of the filter pump errs more and more often. */
  beginFault(): void {
    this.faultAt = this.seconds;
  }

  /** The vibration of the next second: its velocity, RMS, in whole µm/s. */
  sample(): number {
    if (this.secondsLeft === 0) this.beginStage();
    this.secondsLeft--;
    this.seconds++;
    const { vibration, isLoaded } = this.stage;
    const wear = isLoaded ? this.wear : 0;
    const strength = isLoaded ? this.load * (1 + WORN_VIBRATION * wear) : 1;
    const noise = 1 + NOISE * (1 + WORN_NOISE * wear) * this.gaussian();
    const knock = this.random.index(KNOCK_EVERY) === 0 ? KNOCK : 1;
    const felt = vibration * strength * this.temperature * noise * knock + SENSOR_NOISE * this.gaussian();
    return Math.max(0, Math.round(felt));
  }

  /** How far the fault has grown, from 0 to 1. */
  get fault(): number {
    return this.faultAt < 0 ? 0 : Math.min(1, (this.seconds - this.faultAt) / GROWTH_SECONDS);
  }

  private get wear(): number {
    return this.machine === "transfer" ? this.fault : 0;
  }

  private get temperature(): number {
    const ofDay = (this.seconds % DAY_SECONDS) / DAY_SECONDS;
    return 1 + TEMPERATURE * (Math.abs(4 * ofDay - 2) - 1);
  }

  private beginStage(): void {
    if (this.next === this.cycle.length) this.beginCycle();
    const stage = this.cycle[this.next++];
    const { random, wear } = this;
    let seconds = stage.least + random.index(stage.most - stage.least + 1);
    if (stage === START) seconds += wear * WORN_START_SECONDS;
    else if (stage.isLoaded) seconds *= this.load * (1 + WORN_TIME * wear);
    this.stage = stage;
    this.secondsLeft = Math.max(1, Math.round(seconds));
  }

  private beginCycle(): void {
    const { random } = this;
    this.next = 0;
    this.load = 1 + LOAD_STAYS * (this.load - 1) + LOAD_CHANGE * this.gaussian();
    if (this.machine === "transfer") {
      this.cycle = random.uniform() < TOP_UP_SHARE ? TOP_UP : BATCH;
      return;
    }
    this.flushIn--;
    this.cycle = this.flushIn === 0 ? FILTER_FLUSH : FILTER;
    if (this.flushIn > 0) return;
    // The counter that errs is as often early as late, so that the mean stays.
    const isWrong = random.uniform() < this.fault;
    this.flushIn = FLUSH_EVERY + (isWrong ? 2 * random.index(2) - 1 : 0);
  }

  /** Nearly normal, mean 0 and variance 1, without a function whose last bits are the engine's choice. */
  private gaussian(): number {
    const { random } = this;
    return (random.uniform() + random.uniform() + random.uniform() + random.uniform() - 2) * 1.7320508;
  }
}
