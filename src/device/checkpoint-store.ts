import { BootGuard } from "./boot-guard";
import { type Build, recordToGoOnWith, recordToLoad } from "./checkpoint-fit";
import { ASIDE, CheckpointFiles, MAKE_ROOM, NEXT, RECEIVED, STORED } from "./checkpoint-files";
import { LoadingTask } from "../gpt/checkpoint/loading";
import type { TrainingRecord } from "../gpt/checkpoint/record";
import { InputError } from "../gpt/base/errors";
import type { Emit } from "../protocol/events";
import type { Trainer } from "../gpt/training/trainer";
import { headerLimits } from "../gpt/plan";
import type { BootMarker, Storage } from "../gpt/base/platform";
import type { Runner } from "../gpt/base/runner";
import { load, restoreTraining, saveTraining } from "../gpt/checkpoint/training-checkpoint";
import { inheritWords, lostWords } from "../gpt/checkpoint/stored-words";

/** The dependencies of a CheckpointStore. */
export interface CheckpointStoreParts {
  readonly storage: Storage;
  readonly runner: Runner;
  readonly trainer: Trainer;
  /**
   * The settings that a run depends on, as `name=value` separated by spaces. A checkpoint with other settings is not
   * resumed.
   */
  readonly build: string;
  readonly emit: Emit;
  /** See BootGuard. */
  readonly marker?: BootMarker | undefined;
}

/** Saves and restores the training of a device: its state survives a loss of power. */
export class CheckpointStore {
  /** Why the last save failed, in a sentence; undefined when it succeeded. */
  trouble: string | undefined;
  /** Whether the stored checkpoint belongs to another training and must not be overwritten. */
  private isBlocked = false;
  private readonly guard: BootGuard;
  readonly files: CheckpointFiles;

  constructor(private readonly parts: CheckpointStoreParts) {
    const { storage, trainer, marker } = parts;
    this.guard = new BootGuard(marker);
    this.files = new CheckpointFiles(storage, headerLimits(trainer.model.config));
  }

  // --- saving ---

  /**
   * Saves the training.
   * @param seed of the run
   * @throws InputError (as a rejection) when it cannot be saved; the previous checkpoint is intact
   */
  async save(seed: number): Promise<void> {
    if (this.isBlocked && (await this.files.has(STORED))) await this.replace(seed);
    else await this.saveAs(STORED, seed);
    this.isBlocked = false;
    this.trouble = undefined;
    this.parts.emit({ type: "saved", file: STORED, isEarly: false });
  }

  /** Saves; the first of consecutive failures emits a remark. */
  async saveOrSay(seed: number): Promise<void> {
    // forget() retries once a slot is free.
    if (!this.isBlocked) await this.trySave(seed);
  }

  private async trySave(seed: number): Promise<void> {
    try {
      await this.save(seed);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      const message = `${error.message} Progress since the last save is not kept.`;
      if (this.trouble === undefined) this.parts.emit({ type: "remark", message });
      this.trouble = error.message;
    }
  }

  private saveAs(name: string, seed: number): Promise<void> {
    const { storage, runner, trainer, build } = this.parts;
    return saveTraining(runner, storage, name, { trainer, seed, build });
  }

  /**
   * Moves the stored checkpoint aside and saves this training in its place; returns the new name of the old one.
   * A loss of power at any moment leaves the old checkpoint, or both.
   * @throws InputError (as a rejection) when there is no room; the stored checkpoint is intact
   */
  private async replace(seed: number): Promise<string> {
    const { storage } = this.files;
    const place = await this.files.freePlace();
    if (place === undefined)
      throw new InputError(`${ASIDE.length} checkpoints of other trainings are kept already: ${MAKE_ROOM}.`);
    try {
      await this.saveAs(NEXT, seed);
      await storage.move(STORED, place);
      this.isBlocked = false;
    } catch (error) {
      if (error instanceof InputError) await this.withoutError(storage.remove(NEXT));
      throw error;
    }
    await storage.move(NEXT, STORED);
    return place;
  }

  // --- at power-on ---

  /**
   * Resumes the stored checkpoint, or begins a new training. A checkpoint that cannot be resumed is reported and moved
   * aside, and the new training inherits its user words.
   * @param seed of a new training
   * @param begin initializes its weights
   * @returns the seed of the resumed run; undefined for a new training
   */
  async restoreOrBegin(seed: number, begin: () => void): Promise<number | undefined> {
    await this.withoutError(this.files.tidy());
    const { guard } = this;
    const mayRead = guard.begin("checkpoint");
    let refusal: InputError;
    try {
      if (!mayRead) throw new InputError(`${STORED} was not read: reading it restarted the board twice.`);
      const found = await this.restore();
      guard.end("checkpoint");
      if (found === undefined) begin();
      return found;
    } catch (error) {
      // Any other error ends the program: the guard has counted this attempt.
      if (!(error instanceof InputError)) throw error;
      refusal = error;
    }
    const { model, dataset } = this.parts.trainer;
    const lost = mayRead ? await inheritWords(() => this.files.find(STORED), model, dataset) : undefined;
    begin();
    const words = lost ? "" : " Any words of your own in it cannot be restored.";
    const isKept = await this.putAside(seed, refusal.message + words);
    // A checkpoint that could not be moved and must not be read stays skipped at the next boot.
    if (mayRead || isKept) guard.end("checkpoint");
    if (lost && lost.count > 0) this.parts.emit({ type: "remark", message: lostWords(lost) });
    return undefined;
  }

  /** Moves a checkpoint aside that cannot be resumed and reports the outcome; returns whether it was moved. */
  private async putAside(seed: number, reason: string): Promise<boolean> {
    let fate: string;
    this.isBlocked = true;
    try {
      fate = `It is kept as ${await this.replace(seed)}.`;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.trouble = error.message;
      fate = `It stays, and this training is not saved: ${error.message}`;
    }
    this.parts.emit({ type: "remark", message: `${reason} ${fate} Training starts afresh.` });
    return !this.isBlocked;
  }

  // --- loading ---

  /**
   * Resumes from a checkpoint; returns the seed of its run, or undefined when there is no such file.
   * @throws InputError (as a rejection) when it cannot be resumed; nothing is changed
   */
  async restore(name = STORED): Promise<number | undefined> {
    const { runner, trainer } = this.parts;
    const checkpoint = await this.files.find(name);
    if (!checkpoint) return undefined;
    try {
      const record =
        name === STORED ? recordToGoOnWith(checkpoint, name, this.here) : recordToLoad(checkpoint, name, this.here);
      await restoreTraining(runner, checkpoint, record, trainer);
      return record.seed;
    } finally {
      checkpoint.close();
    }
  }

  /**
   * Loads the received checkpoint: the whole training state when its dataset, dtype, batch size, sampling and holdout equal
   * this training's, otherwise only the weights. Returns the seed of its run; undefined for weights only.
   * @param shown what messages call it
   * @throws InputError (as a rejection) when it does not fit this model; nothing is changed
   */
  async adopt(shown?: string): Promise<number | undefined> {
    const { runner, trainer } = this.parts;
    const checkpoint = await this.files.find(RECEIVED, shown);
    if (!checkpoint) throw new InputError(`There is no file ${RECEIVED}.`);
    try {
      checkpoint.checkModel(trainer.model);
      const record = checkpoint.record();
      const isOurDtype = (checkpoint.dtype === "i32") === (trainer.model.ops.dtype === "i32");
      if (record && isOurDtype && this.isLikeOurs(record)) {
        await restoreTraining(runner, checkpoint, record, trainer);
        return record.seed;
      }
      await load(runner, new LoadingTask(checkpoint, trainer.model, undefined, trainer.dataset.crc32));
      trainer.reset();
      return undefined;
    } finally {
      checkpoint.close();
    }
  }

  private get here(): Build {
    const { trainer, build } = this.parts;
    return { model: trainer.model, dataset: trainer.dataset.checksum, build };
  }

  private isLikeOurs({ config, dataset }: TrainingRecord): boolean {
    const { trainer } = this.parts;
    const { batchSize, sampling, holdout } = trainer.config;
    return (
      dataset === trainer.dataset.checksum &&
      config.batchSize === batchSize &&
      config.sampling === sampling &&
      config.holdout === holdout
    );
  }

  /**
   * Deletes a checkpoint, and retries a save that has failed. Call between two steps.
   * @param name as returned by CheckpointFiles.resolve()
   * @throws InputError (as a rejection) when it cannot be deleted
   */
  async forget(name: string, seed: number): Promise<void> {
    await this.files.storage.remove(name);
    await this.files.tidy();
    if (this.trouble !== undefined) await this.trySave(seed);
  }

  /** Ignores an InputError: for cleanup that may fail. */
  private async withoutError(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
    }
  }
}
