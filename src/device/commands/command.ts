import type { Device } from "../device";
import type { CheckpointStore } from "../checkpoint-store";
import { InputError } from "../../gpt/base/errors";
import type { Task } from "../../gpt/base/runner";
import { unattended } from "../../gpt/base/unattended";
import { OwnWords } from "../../gpt/data/own-words";
import { Generator } from "../../gpt/model/generate";
import { Random, siblingSeed } from "../../gpt/model/random";

/**
 * When a command may begin. One command runs at a time, in the order in which they came, but
 * - `at once`: it never waits, and acts on what runs now: what stops or rests
 *   that, how the log speaks (a program must be able to come and go at any time), and the lines of a transfer;
 * - `asks`: unless it was pasted with it, it may run beside one that `reads`, as it touches nothing that this uses;
 * - `reads`: it reads the weights over several turns;
 * - `changes`: it changes something that others read.
 */
export type Order = "at once" | "asks" | "reads" | "changes";

/** What commands act on. */
export class CommandContext {
  /** Its stream is its own: asking for names does not change what training does. */
  readonly generator: Generator;
  /** Whether names are written until a key is pressed. */
  isStreaming = false;

  constructor(readonly device: Device) {
    const { trainer, seed } = device;
    this.generator = new Generator(trainer.model, new Random(siblingSeed(seed)));
  }
}

/** A command of the console. */
export interface Command {
  readonly name: string;
  /** What stands behind the name, for help; nothing where it is not given. */
  readonly takes?: string;
  /** One line; "" where help has the name alone. Not of what programs alone send. */
  readonly help?: string;
  readonly order: Order;
  /** Whether nothing more can be said to a program once it is carried out. */
  readonly isFarewell?: (tail: string) => boolean;
  /** Whether those typed with it wait for the end of the training, where that comes by itself. */
  readonly beginsTraining?: boolean;
  /** What is done at once when it has to wait. */
  readonly whenItWaits?: (device: Device) => void;
  /**
   * Carries it out; returns a promise where that takes time, and for a transfer the place that it waits for. Throws,
   * or rejects with, an InputError where it cannot be.
   * @param tail what stands behind the name and the spaces that follow it: nothing where it takes nothing
   */
  readonly run: (context: CommandContext, tail: string) => unknown;
}

/** Says lines as there is room for them. @throws InputError (as a rejection) when it is stopped */
export function sayAll(device: Device, lines: readonly string[]): Promise<void> {
  return emitAll(device, lines.length, (i) => device.say(lines[i]));
}

/** Tells so many things likewise. */
export async function emitAll(device: Device, count: number, emit: (i: number) => void): Promise<void> {
  let told = 0;
  const task: Task = {
    work() {
      if (told < count) emit(told++);
      return told < count;
    },
  };
  const isWhole = await device.tasks.run((run) => run(device.tasks.withBackPressure(task)));
  if (!isWhole) throw new InputError("Stopped.");
}

/** Changes the words, or their share, and saves that soon. */
export function changeWords(device: Device, change: (own: OwnWords) => void): void {
  const { trainer, context } = device;
  const own = trainer.dataset.own ?? new OwnWords();
  change(own);
  trainer.dataset.own = own;
  // A batch is drawn from the same words from its first name to its last.
  trainer.abandonBatch();
  unattended(device.saveSoon(), context.platform);
}

/** @throws InputError (as a rejection) where it cannot be stored */
export async function save(device: Device): Promise<void> {
  const checkpoints = checkpointsOf(device);
  checkNotFetching(device);
  await device.runBetweenSteps(() => device.saving(() => checkpoints.save(device.seed)));
}

/** @throws InputError while a checkpoint is being fetched, which then must stay as it is */
export function checkNotFetching({ transfer }: Device): void {
  if (transfer?.isFetching) throw new InputError("The checkpoint is being fetched: try again when that has ended.");
}

/** @throws InputError where there is no storage */
export function checkpointsOf({ checkpoints }: Device): CheckpointStore {
  if (!checkpoints) throw new InputError("There is no storage.");
  return checkpoints;
}
