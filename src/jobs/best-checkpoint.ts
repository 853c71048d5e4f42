import { Checkpoint } from "../gpt/checkpoint/reader";
import { LoadingTask } from "../gpt/checkpoint/loading";
import { InputError, printablePath } from "../gpt/base/errors";
import { EvaluationTask } from "../gpt/training/evaluation";
import { saveTraining } from "../gpt/checkpoint/training-checkpoint";
import { storageOf, type RunContext } from "./run-context";
import type { Trainer } from "../gpt/training/trainer";
import type { TrainingTask } from "../gpt/training/training";

/** Keeps the checkpoint with the lowest validation loss of a training, in a file of its own. */
export class BestCheckpoint {
  /** The step of the checkpoint in the file; -1 if there is none yet. */
  private step = -1;
  private loss = Infinity;

  /**
   * @param seed the seed of the run
   * @throws InputError if there is no validation loss
   */
  constructor(
    private readonly file: string,
    private readonly trainer: Trainer,
    private readonly seed: number,
    private readonly context: RunContext,
  ) {
    if (!trainer.holdout) throw new InputError("--keep-best needs --holdout: without it there is no validation loss.");
    if (trainer.holdout.sample.length === 0)
      throw new InputError("--keep-best needs a validation loss, and none of the names held out fits the block_size.");
  }

  /**
   * For a resumed training: keeps its file until the loss is lower than that of the file, which is measured again. The
   * model's parameters are restored afterwards.
   * @throws InputError (as a rejection) if the file is of another training, or cannot be used
   */
  async goOn(training: TrainingTask): Promise<void> {
    const { file, trainer, context, seed } = this;
    const checkpoint = await Checkpoint.find(storageOf(context.platform), file);
    if (!checkpoint) return;
    try {
      const { model, dataset, config } = trainer;
      const record = checkpoint.record();
      const isOfThisRun =
        record?.dataset === dataset.checksum && record.config.holdout === config.holdout && record.seed === seed;
      if (!isOfThisRun)
        throw new InputError(`${printablePath(file)} is of another training: name another file with --keep-best.`);
      checkpoint.modelConfig(model.config);
      const { parameters } = model;
      const before = parameters.slice();
      try {
        const loss = await this.measure(checkpoint);
        if (loss === undefined) return;
        this.loss = loss;
        this.step = record.state.stepsDone - 1;
        training.lowest.begin(this.step, loss);
      } finally {
        parameters.set(before);
      }
    } finally {
      checkpoint.close();
    }
  }

  /** Saves the training if the last validation loss is the lowest so far. Call it between two steps. */
  async keep({ lowest }: TrainingTask): Promise<void> {
    if (!(lowest.loss < this.loss)) return;
    const { file, trainer, seed, context } = this;
    await saveTraining(context.runner, storageOf(context.platform), file, { trainer, seed });
    this.loss = lowest.loss;
    this.step = lowest.step;
  }

  /** Emits a remark on what is kept. */
  emit(): void {
    const { loss, step, file } = this;
    if (step < 0) return;
    const message = `The lowest validation loss, ${loss.toFixed(4)}, was that after step ${step}: ${printablePath(file)} has it.`;
    this.context.emit({ type: "remark", message });
  }

  /** The validation loss of the checkpoint in the file; undefined if the runner was stopped. */
  private async measure(checkpoint: Checkpoint): Promise<number | undefined> {
    const { runner } = this.context;
    const { model, dataset, holdout } = this.trainer;
    if ((await runner.run(new LoadingTask(checkpoint, model, undefined, dataset.crc32))) === "stopped")
      return undefined;
    const evaluation = new EvaluationTask(model, dataset, holdout?.sample);
    return (await runner.run(evaluation)) === "stopped" ? undefined : evaluation.loss;
  }
}
