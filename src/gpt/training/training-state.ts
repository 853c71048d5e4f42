import type { RandomState } from "../model/random";

/** The state of a training: with the parameters and Adam's moments, all that it needs to resume bit for bit. */
export interface TrainingState {
  /** Steps done in total, for Adam's bias correction. */
  readonly totalSteps: number;
  /** Steps done of the schedule, for the learning rate. */
  readonly stepsDone: number;
  readonly random: RandomState;
  /** Index of the next name in file order. */
  readonly nextName: number;
}
