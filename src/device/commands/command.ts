import type { Device } from "../device";
import type { CheckpointStore } from "../checkpoint-store";
import { InputError } from "../../gpt/base/errors";
import type { Task } from "../../gpt/base/runner";
import { unattended } from "../../gpt/base/unattended";
import { OwnWords } from "../../gpt/data/own-words";
import { Generator } from "../../gpt/model/generate";
import { Random, siblingSeed } from "../../gpt/model/random";

/**
 * When a command may begin. Commands run one at a time in the order of arrival, except:
 * - `at once`: never waits, and acts on what runs now: commands that cancel or pause it, the format of the log (a
 *   program must be able to connect and disconnect at any time), and the lines of a transfer;
 * - `asks`: touches no shared state, so it may run during a command that `reads`, unless it was pasted with it;
 * - `reads`: reads the weights over several time slices;
 * - `changes`: changes state that others read.
 */
export type Order = "at once" | "asks" | "reads" | "changes";

/** What commands act on. */
export class CommandContext {
  /** Has its own random stream: generating names does not affect the training. */
  readonly generator: Generator;
  /** Whether `stream` is running, until a key is pressed. */
  isStreaming = false;

  constructor(readonly device: Device) {
    const { trainer, seed } = device;
    this.generator = new Generator(trainer.model, new Random(siblingSeed(seed)));
  }
}

/** A command of the console. */
export interface Command {
  readonly name: string;
  /** Arguments as help shows them; undefined when it takes none. */
  readonly takes?: string;
  /** One line; "" when help lists only the name; undefined for commands that only programs send. */
  readonly help?: string;
  readonly order: Order;
  /** Whether the connection to a program ends with it: it is acknowledged before it runs. */
  readonly isFarewell?: (tail: string) => boolean;
  /** Whether commands pasted with it wait until the training ends or pauses. */
  readonly beginsTraining?: boolean;
  /** Called when it is queued. */
  readonly whenItWaits?: (device: Device) => void;
  /**
   * Executes it.
   * @param tail the arguments: the text after the name and its spaces
   * @returns a promise for work that takes time; a transfer's commands return (or resolve to) the next offset
   * @throws InputError, also as a rejection, when it cannot be executed
   */
  readonly run: (context: CommandContext, tail: string) => unknown;
}

/** Writes lines with back pressure. @throws InputError (as a rejection) when cancelled */
export function sayAll(device: Device, lines: readonly string[]): Promise<void> {
  return emitAll(device, lines.length, (i) => device.say(lines[i]));
}

/** Calls `emit` with 0 to count - 1, with back pressure. @throws InputError (as a rejection) when cancelled */
export async function emitAll(device: Device, count: number, emit: (i: number) => void): Promise<void> {
  let emitted = 0;
  const task: Task = {
    work() {
      if (emitted < count) emit(emitted++);
      return emitted < count;
    },
  };
  const isWhole = await device.tasks.run((run) => run(device.tasks.withBackPressure(task)));
  if (!isWhole) throw new InputError("Stopped.");
}

/** Changes the user words or their share, and schedules a save. */
export function changeWords(device: Device, change: (own: OwnWords) => void): void {
  const { trainer, context } = device;
  const own = trainer.dataset.own ?? new OwnWords();
  change(own);
  trainer.dataset.own = own;
  // All documents of a batch must be drawn from the same words.
  trainer.abandonBatch();
  unattended(device.saveSoon(), context.platform);
}

/** Saves a checkpoint between two steps. @throws InputError (as a rejection) when it cannot be saved */
export async function save(device: Device): Promise<void> {
  const checkpoints = checkpointsOf(device);
  checkNotFetching(device);
  await device.runBetweenSteps(() => device.saving(() => checkpoints.save(device.seed)));
}

/** @throws InputError while a client fetches a checkpoint, which must not change meanwhile */
export function checkNotFetching({ transfer }: Device): void {
  if (transfer?.isFetching) throw new InputError("The checkpoint is being fetched: try again when that has ended.");
}

/** The checkpoint store. @throws InputError when there is no storage */
export function checkpointsOf({ checkpoints }: Device): CheckpointStore {
  if (!checkpoints) throw new InputError("There is no storage.");
  return checkpoints;
}
