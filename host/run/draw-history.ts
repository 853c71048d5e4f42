import type { Sampling } from "../../src/gpt/model/config";
import type { Holdout } from "../../src/gpt/training/holdout";
import { Random, previousState } from "../../src/gpt/model/random";
import type { TrainingState } from "../../src/gpt/training/training-state";

/** The sequence of documents that a training drew, walked backwards from its current state. */
export class DrawHistory {
  private word: number;
  private nextName: number;

  constructor(
    private readonly state: TrainingState,
    private readonly sampling: Sampling,
    private readonly count: number,
    private readonly holdout: Holdout | undefined,
  ) {
    this.word = state.random.state | 0;
    this.nextName = state.nextName;
  }

  /** The next document that the training will draw. */
  following(): number {
    const random = Random.at(this.state.random);
    let { nextName } = this.state;
    for (;;) {
      const name = this.sampling === "random" ? random.index(this.count) : nextName++ % this.count;
      if (!this.holdout?.has(name)) return name;
    }
  }

  /** Steps back by one draw and returns its document. */
  previous(): number {
    for (;;) {
      const name = this.last;
      this.goBack();
      if (!this.holdout?.has(name)) return name;
    }
  }

  /** Whether the random stream can have had this state when the first of these documents was drawn. */
  canBeginAt(word: number): boolean {
    while (this.word !== word && this.sampling === "random" && this.holdout?.has(this.last)) this.goBack();
    return this.word === word;
  }

  private get last(): number {
    const { count, nextName } = this;
    return this.sampling === "random" ? (this.word >>> 0) % count : (nextName + count - 1) % count;
  }

  private goBack(): void {
    if (this.sampling === "random") this.word = previousState(this.word);
    else this.nextName = this.last;
  }
}
