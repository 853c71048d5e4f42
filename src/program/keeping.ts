import { Checkpoint } from "../checkpoint/reader";
import { LoadingTask } from "../checkpoint/loading";
import type { TrainingRecord } from "../checkpoint/record";
import { saveCheckpoint } from "../checkpoint/saving";
import { InputError } from "../errors";
import type { Ending, Tell } from "./events";
import { checkWord } from "../data/fitting";
import { DEFAULT_SHARE, OwnWords } from "../data/own-words";
import type { Model } from "../model/model";
import type { Trainer } from "../model/trainer";
import type { Storage } from "../platform";
import type { Runner } from "./runner";

/*
 * A training goes into a checkpoint and comes out of it again, and then goes on bit for bit: with the same
 * engine, ops and precision, the parameters at its end are those of a run that was never interrupted.
 */

/**
 * Saves all that the training needs to go on. Until it has ended the training must rest.
 * @param seed with which the run began
 * @param build the settings of the firmware that began the run
 * @throws InputError (as a rejection) as saveCheckpoint does
 */
export function saveTraining(
  runner: Runner,
  storage: Storage,
  name: string,
  trainer: Trainer,
  seed: number,
  build = "",
): Promise<void> {
  const { model, adam, dataset, totalSteps } = trainer;
  const record = recordOf(trainer, seed, build);
  return saveCheckpoint(runner, storage, name, model, totalSteps, { adam, record }, dataset.crc32);
}

export function recordOf({ dataset, config, state }: Trainer, seed: number, build = ""): TrainingRecord {
  const { own, checksum } = dataset;
  return {
    config,
    state,
    seed,
    dataset: checksum,
    ownWords: own?.text ?? "",
    ownShare: own?.share ?? DEFAULT_SHARE,
    build,
  };
}

/**
 * Fills a trainer with what a checkpoint of its model has. Everything is checked before anything is changed.
 * @param record of the checkpoint
 * @throws InputError (as a rejection) when it cannot be used
 */
export async function restoreTraining(
  runner: Runner,
  checkpoint: Checkpoint,
  record: TrainingRecord,
  trainer: Trainer,
): Promise<Ending> {
  const { model, adam, dataset } = trainer;
  const own = ownWordsOf(checkpoint, record, model);
  if (record.state.nextName >= dataset.count) throw checkpoint.bad("its next_name is beyond the end of the list");
  const ending = await load(runner, new LoadingTask(checkpoint, model, adam, dataset.crc32));
  if (ending === "stopped") return ending;
  dataset.own = own;
  trainer.beginSchedule(record.config.steps, record.config.learningRate);
  trainer.restore(record.state);
  return ending;
}

/** The stored checkpoint, the one that a device could not use, and the one that comes over the cable. */
export const STORED = "checkpoint.safetensors";
export const UNUSED = "unused.safetensors";
export const RECEIVED = "received.safetensors";

/** What a device remembers when its power is off. */
export class Keeper {
  /** Whether the last save failed, and that has been told. */
  private hasFailed = false;

  /**
   * @param build the settings that a run depends on, as `name=value` with spaces between: a checkpoint of
   *   others is not gone on with
   */
  constructor(
    private readonly storage: Storage,
    private readonly runner: Runner,
    private readonly trainer: Trainer,
    private readonly build: string,
    private readonly tell: Tell,
  ) {}

  /** @throws InputError (as a rejection) when it cannot be saved; the old checkpoint stays */
  async save(seed: number): Promise<void> {
    await saveTraining(this.runner, this.storage, STORED, this.trainer, seed, this.build);
    this.hasFailed = false;
    this.tell({ type: "saved", file: STORED, isEarly: false });
  }

  /** Saves, and says once when it cannot be done. */
  async saveOrSay(seed: number): Promise<void> {
    try {
      await this.save(seed);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      if (!this.hasFailed)
        this.tell({
          type: "remark",
          message: `${error.message} What is learnt since the last save is not kept.`,
        });
      this.hasFailed = true;
    }
  }

  /**
   * Goes on where the stored checkpoint is; returns the seed of its run, or undefined when there is none.
   * @throws InputError (as a rejection) when it cannot be used; nothing is changed
   */
  async restore(): Promise<number | undefined> {
    const checkpoint = await Checkpoint.find(this.storage, STORED);
    if (!checkpoint) return undefined;
    try {
      this.check(checkpoint);
      const record = checkpoint.record();
      if (!record) throw new InputError(`${STORED} does not say where its training is.`);
      if (record.dataset !== this.trainer.dataset.checksum)
        throw new InputError(`${STORED} was trained on another list of names.`);
      if (record.build !== this.build) throw otherBuild(record.build, this.build);
      await restoreTraining(this.runner, checkpoint, record, this.trainer);
      return record.seed;
    } finally {
      checkpoint.close();
    }
  }

  /** The same at power-on: what cannot be used is told, and kept under another name. */
  async restoreOrKeep(): Promise<number | undefined> {
    try {
      return await this.restore();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      const fate = await this.putAside();
      this.tell({ type: "remark", message: `${error.message} ${fate} Training starts afresh.` });
      return undefined;
    }
  }

  /**
   * Takes over what has come over the cable: a training like this one with all its state, of any other the
   * weights. Returns the seed of its run; undefined for weights alone.
   * @throws InputError (as a rejection) when it is no checkpoint of this model; nothing is changed
   */
  async adopt(): Promise<number | undefined> {
    const { runner, trainer, storage } = this;
    const checkpoint = await Checkpoint.open(storage, RECEIVED);
    try {
      this.check(checkpoint);
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

  private isLikeOurs({ config, dataset }: TrainingRecord): boolean {
    const { batchSize, sampling, holdout } = this.trainer.config;
    return (
      dataset === this.trainer.dataset.checksum &&
      config.batchSize === batchSize &&
      config.sampling === sampling &&
      config.holdout === holdout
    );
  }

  /** @throws InputError unless it holds a model of this shape and vocabulary */
  private check(checkpoint: Checkpoint): void {
    const { config, vocabulary } = this.trainer.model;
    checkpoint.modelConfig(config);
    if (String(checkpoint.vocabulary(vocabulary)) !== String(vocabulary))
      throw checkpoint.bad("its model knows other characters");
  }

  private async putAside(): Promise<string> {
    try {
      await this.storage.move(STORED, UNUSED);
      return `It is kept as ${UNUSED}.`;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return error.message;
    }
  }
}

function otherBuild(stored: string, now: string): InputError {
  const others = new Set(stored.split(" "));
  const changed = now.split(" ").find((setting) => !others.has(setting)) ?? "other settings";
  return new InputError(`${STORED} is of a build with other settings: this one has ${changed}.`);
}

/** A checkpoint could not be read to its end, when a part of it had already taken the place of what was there. */
export class HalfLoaded extends InputError {}

async function load(runner: Runner, task: LoadingTask): Promise<Ending> {
  try {
    return await runner.run(task);
  } catch (error) {
    if (!(error instanceof InputError) || !task.hasBegun) throw error;
    throw new HalfLoaded(`${error.message} The weights are a mixture now: load again, or reset.`);
  }
}

function ownWordsOf(
  checkpoint: Checkpoint,
  { ownWords, ownShare }: TrainingRecord,
  model: Model,
): OwnWords | undefined {
  if (ownWords === "" && ownShare === DEFAULT_SHARE) return undefined;
  if (ownWords !== "" && !ownWords.endsWith("\n")) throw checkpoint.bad("its own_words are cut off");
  const own = new OwnWords();
  own.share = ownShare;
  for (const word of ownWords.split("\n").slice(0, -1)) {
    checkWord(model, word);
    own.add(word);
  }
  return own;
}
