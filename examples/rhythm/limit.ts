/*
 * When a score is an alarm: when it is above the limit that a given share of the scores of normal operation exceed.
 */

/** Share of the windows of normal operation that may raise an alarm. */
export const FALSE_ALARMS = 0.01;

export class Limit {
  /** The highest scores of normal operation, in descending order. Only they are kept: 1 % of them. */
  private readonly highest: Float64Array;
  private smooth = 0;
  private taken = 0;

  /**
   * @param windows of normal operation to measure first
   * @param weight of a new score in the running mean that is compared; 1 compares the scores themselves
   */
  constructor(
    private readonly windows: number,
    private readonly weight: number,
    share = FALSE_ALARMS,
  ) {
    this.highest = new Float64Array(Math.max(1, Math.ceil(windows * share))).fill(-Infinity);
  }

  /** Whether the limit stands: enough windows of normal operation have been measured. */
  get isSet(): boolean {
    return this.taken >= this.windows;
  }

  /** The limit, from what has been measured up to now. */
  get value(): number {
    return this.highest[this.highest.length - 1];
  }

  /** The running mean of the scores. */
  get score(): number {
    return this.smooth;
  }

  /** Takes the score of the next window; returns whether it is an alarm. */
  isAlarm(score: number): boolean {
    const isSet = this.isSet;
    this.taken++;
    // The mean of the first scores is a plain one, so that the very first does not count for long.
    this.smooth += Math.max(this.weight, 1 / this.taken) * (score - this.smooth);
    if (isSet) return this.smooth > this.value;
    if (this.taken * this.weight >= 1) this.keep(this.smooth);
    return false;
  }

  private keep(score: number): void {
    const { highest } = this;
    let i = highest.length - 1;
    if (score <= highest[i]) return;
    for (; i > 0 && highest[i - 1] < score; i--) highest[i] = highest[i - 1];
    highest[i] = score;
  }
}
