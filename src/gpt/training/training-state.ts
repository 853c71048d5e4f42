import type { RandomState } from "../model/random";

/** Where a training is: with the parameters and Adam's moments, all that it needs to go on bit for bit. */
export interface TrainingState {
  /** Steps done in all, by which Adam corrects its bias. */
  readonly totalSteps: number;
  /** Steps done of the schedule, by which the learning rate falls. */
  readonly stepsDone: number;
  readonly random: RandomState;
  /** The name that comes next in the order of the file. */
  readonly nextName: number;
}
