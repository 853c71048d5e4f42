import type { CheckpointLimits } from "../gpt/checkpoint/checkpoint-header";
import { Checkpoint } from "../gpt/checkpoint/reader";
import { InputError, printable } from "../gpt/base/errors";
import type { Storage } from "../gpt/base/platform";
import { RECEIVED } from "../protocol/lines";

/** File name of the stored checkpoint; RECEIVED is the one that a client sends. */
export const STORED = "checkpoint.safetensors";
export { RECEIVED };
/** Checkpoints of other trainings, set aside because the firmware that found them could not resume them. */
export const ASIDE: readonly string[] = Object.freeze([
  "unused-1.safetensors",
  "unused-2.safetensors",
  "unused-3.safetensors",
]);
/** Name used by an earlier firmware, which kept only one. */
const FORMER_ASIDE = "unused.safetensors";
/** The first checkpoint of a new training, until the stored one has been moved aside. */
export const NEXT = "next.safetensors";
/** All file names in the order of the listing. NEXT exists only between two renames. */
export const LISTED: readonly string[] = Object.freeze([STORED, ...ASIDE, FORMER_ASIDE, RECEIVED]);
export const ALL_FILES: readonly string[] = Object.freeze([...LISTED, NEXT]);

/** Advice for messages: how to free a slot. */
export const MAKE_ROOM = "checkpoints lists them, forget-checkpoint NAME makes room";
const SUFFIX = ".safetensors";

/** The checkpoint files of a device. */
export class CheckpointFiles {
  /** @param limits largest header that is accepted */
  constructor(
    readonly storage: Storage,
    private readonly limits: CheckpointLimits,
  ) {}

  /**
   * Opens a checkpoint; undefined when there is no such file.
   * @param shown what messages call it
   * @throws InputError (as a rejection) when it cannot be read
   */
  find(name: string, shown?: string): Promise<Checkpoint | undefined> {
    return Checkpoint.find(this.storage, name, this.limits, shown);
  }

  /** Completes a replacement that a power cut interrupted, and renames the file of an earlier firmware. */
  async tidy(): Promise<void> {
    const { storage } = this;
    if (await this.has(NEXT)) {
      if (await this.has(STORED)) await storage.remove(NEXT);
      else await storage.move(NEXT, STORED);
    }
    if (!(await this.has(FORMER_ASIDE))) return;
    const place = await this.freePlace();
    if (place !== undefined) await storage.move(FORMER_ASIDE, place);
  }

  /**
   * The file name for a typed name, with or without its extension. No other input reaches the storage.
   * @throws InputError (as a rejection) when there is no such checkpoint
   */
  async resolve(text: string): Promise<string> {
    const name = LISTED.find((known) => known === text || known === text + SUFFIX);
    if (name === undefined || !(await this.has(name)))
      throw new InputError(`There is no checkpoint ${printable(text)}: type checkpoints for a list.`);
    return name;
  }

  /** An unused name from ASIDE; undefined when all are taken. */
  async freePlace(): Promise<string | undefined> {
    for (const name of ASIDE) if (!(await this.has(name))) return name;
    return undefined;
  }

  async has(name: string): Promise<boolean> {
    const file = await this.storage.open(name);
    file?.close();
    return file !== undefined;
  }
}
