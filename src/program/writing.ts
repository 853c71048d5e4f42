import type { Generator } from "../model/generate";
import type { Task } from "./runner";

/** Writes names, one a bit. */
export class Writing implements Task {
  private written = 0;

  /**
   * @param prefix how every name begins
   * @param write called with each name and its number, from 1
   */
  constructor(
    private readonly generator: Generator,
    private readonly count: number,
    private readonly temperature: number,
    private readonly prefix: string,
    private readonly write: (name: string, number: number) => void,
  ) {}

  /** @throws InputError for a temperature or prefix that will not do */
  work(): boolean {
    if (this.written < this.count) this.write(this.generator.name(this.temperature, this.prefix), ++this.written);
    return this.written < this.count;
  }
}
