import { BootGuard } from "./boot-guard";
import { type Build, checkModel, recordToGoOnWith, recordToLoad } from "./checkpoint-fit";
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

/** What a CheckpointStore works on. */
export interface CheckpointStoreParts {
  readonly storage: Storage;
  readonly runner: Runner;
  readonly trainer: Trainer;
  /**
   * The settings that a run depends on, as `name=value` with spaces between: a checkpoint of others is not gone on
   * with.
   */
  readonly build: string;
  readonly emit: Emit;
  /** See BootGuard. */
  readonly marker?: BootMarker | undefined;
}

/** What a device remembers when its power is off. */
export class CheckpointStore {
  /** Why what is learnt is not saved, in a sentence; undefined while it is. */
  trouble: string | undefined;
  /** Whether the stored checkpoint is of another training, and must stay. */
  private isBlocked = false;
  private readonly guard: BootGuard;
  readonly files: CheckpointFiles;

  constructor(private readonly parts: CheckpointStoreParts) {
    const { storage, trainer, marker } = parts;
    this.guard = new BootGuard(marker);
    this.files = new CheckpointFiles(storage, headerLimits(trainer.model.config));
  }

  // --- saving ---

  /** @throws InputError (as a rejection) when it cannot be saved; the old checkpoint stays */
  async save(seed: number): Promise<void> {
    if (this.isBlocked && (await this.files.has(STORED))) await this.replace(seed);
    else await this.saveAs(STORED, seed);
    this.isBlocked = false;
    this.trouble = undefined;
    this.parts.emit({ type: "saved", file: STORED, isEarly: false });
  }

  /** Saves, and says once when it cannot be done. */
  async saveOrSay(seed: number): Promise<void> {
    // Whoever makes room asks for the first save.
    if (!this.isBlocked) await this.trySave(seed);
  }

  private async trySave(seed: number): Promise<void> {
    try {
      await this.save(seed);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      const message = `${error.message} What is learnt since the last save is not kept.`;
      if (this.trouble === undefined) this.parts.emit({ type: "remark", message });
      this.trouble = error.message;
    }
  }

  private saveAs(name: string, seed: number): Promise<void> {
    const { storage, runner, trainer, build } = this.parts;
    return saveTraining(runner, storage, name, { trainer, seed, build });
  }

  /**
   * Keeps the stored checkpoint under a name of its own and stores this training in its place; returns that name.
   * The power may go at any moment: then the old one is still there, or both are.
   * @throws InputError (as a rejection) when there is no room; the stored one stays
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
   * Goes on where the stored checkpoint is, or begins: what cannot be used is told, and kept under another name, and
   * its words are those of the training that begins.
   * @param seed of a training that begins
   * @param begin draws its weights
   * @returns the seed of the run that goes on; undefined of one that begins
   */
  async restoreOrBegin(seed: number, begin: () => void): Promise<number | undefined> {
    await this.withoutError(this.files.tidy());
    const { guard } = this;
    const mayRead = guard.begin("checkpoint");
    let refusal: InputError;
    try {
      if (!mayRead) throw new InputError(`${STORED} is left unread: reading it has restarted the board, twice.`);
      const found = await this.restore();
      guard.end("checkpoint");
      if (found === undefined) begin();
      return found;
    } catch (error) {
      // What is no sentence for the user ends the program: the guard then has counted it.
      if (!(error instanceof InputError)) throw error;
      refusal = error;
    }
    const { model, dataset } = this.parts.trainer;
    const lost = mayRead ? await inheritWords(() => this.files.find(STORED), model, dataset) : undefined;
    begin();
    const words = lost ? "" : " Words of your own that it may have cannot be taken over.";
    const isKept = await this.putAside(seed, refusal.message + words);
    // One that stays, and must not be read, is not read at the next start either.
    if (mayRead || isKept) guard.end("checkpoint");
    if (lost && lost.length > 0) this.parts.emit({ type: "remark", message: lostWords(lost) });
    return undefined;
  }

  /** Tells what becomes of a checkpoint that cannot be used: whether it is kept, and this training saved. */
  private async putAside(seed: number, reason: string): Promise<boolean> {
    let fate: string;
    this.isBlocked = true;
    try {
      fate = `It is kept as ${await this.replace(seed)}.`;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.trouble = error.message;
      fate = `It stays, and what is learnt now is not saved: ${error.message}`;
    }
    this.parts.emit({ type: "remark", message: `${reason} ${fate} Training starts afresh.` });
    return !this.isBlocked;
  }

  // --- loading ---

  /**
   * Goes on where a checkpoint is; returns the seed of its run, or undefined when there is none.
   * @throws InputError (as a rejection) when it cannot be used; nothing is changed
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
   * Takes over what has come over the cable: a training like this one with all its state, of any other the
   * weights. Returns the seed of its run; undefined for weights alone.
   * @throws InputError (as a rejection) when it is no checkpoint of this model; nothing is changed
   */
  async adopt(shown?: string): Promise<number | undefined> {
    const { runner, trainer } = this.parts;
    const checkpoint = await this.files.find(RECEIVED, shown);
    if (!checkpoint) throw new InputError(`There is no file ${RECEIVED}.`);
    try {
      checkModel(checkpoint, trainer.model);
      const record = checkpoint.record();
      if (record && this.isLikeOurs(record)) {
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
   * Removes one. Call between two steps; where this training could not be saved, that is tried again.
   * @param name as CheckpointFiles.resolve() gives it
   * @throws InputError (as a rejection) when it cannot be removed
   */
  async forget(name: string, seed: number): Promise<void> {
    await this.files.storage.remove(name);
    await this.files.tidy();
    if (this.trouble !== undefined) await this.trySave(seed);
  }

  /** What is tried, and not needed for what follows. */
  private async withoutError(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
    }
  }
}
