import { InputError } from "../errors";
import { Model } from "../model/model";
import type { OpsName } from "../model/ops";
import type { Clock } from "../platform";
import { Rehearsal } from "./rehearsal";
import type { Task } from "./runner";
import type { Surroundings } from "./surroundings";
import { Trainer } from "../model/trainer";

/**
 * Says what a step takes with the ops that the place has. The trainer's numbers serve all of them; it must be
 * between two batches, and goes on as if nothing had been.
 * @param run resolves to false when it was cut short
 */
export async function benchmark(
  trainer: Trainer,
  provideOps: Surroundings["provideOps"],
  clock: Clock,
  run: (task: Task) => Promise<boolean>,
  say: (text: string) => void,
): Promise<void> {
  for (const name of ["native", "typescript"] as const) {
    const twin = twinOf(trainer, provideOps, name);
    if (!twin) continue;
    const rehearsal = new Rehearsal(twin, clock);
    if (!(await run(rehearsal))) throw new InputError("Stopped.");
    say(`${name}: ${rehearsal.millisecondsAStep.toPrecision(3)} ms a step`);
  }
}

function twinOf(trainer: Trainer, provideOps: Surroundings["provideOps"], name: OpsName): Trainer | undefined {
  const { model, dataset, config, random } = trainer;
  if (model.ops.name === name) return trainer;
  try {
    const twin = new Model(model.config, provideOps("f32", name), model.vocabulary, model);
    return new Trainer(twin, dataset, random, { ...config, holdout: 0 }, trainer);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return undefined;
  }
}
