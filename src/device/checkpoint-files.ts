import type { CheckpointLimits } from "../gpt/checkpoint/checkpoint-header";
import { Checkpoint } from "../gpt/checkpoint/reader";
import { InputError, printable } from "../gpt/base/errors";
import type { Storage } from "../gpt/base/platform";
import { RECEIVED } from "../protocol/lines";

/** The stored checkpoint; RECEIVED is the one that comes over the cable. */
export const STORED = "checkpoint.safetensors";
export { RECEIVED };
/** Those of other trainings, which the firmware that found them could not go on with. */
export const ASIDE: readonly string[] = Object.freeze([
  "unused-1.safetensors",
  "unused-2.safetensors",
  "unused-3.safetensors",
]);
/** What a firmware that kept but one called it. */
const FORMER_ASIDE = "unused.safetensors";
/** The first of a training, until the one that it follows is put aside. */
export const NEXT = "next.safetensors";
/** All that a device may have, in the order of a list of them; NEXT only between two moves. */
export const LISTED: readonly string[] = Object.freeze([STORED, ...ASIDE, FORMER_ASIDE, RECEIVED]);
export const ALL_FILES: readonly string[] = Object.freeze([...LISTED, NEXT]);

/** How to make room. */
export const MAKE_ROOM = "checkpoints lists them, forget-checkpoint NAME makes room";
const SUFFIX = ".safetensors";

/** The checkpoints of a device, by their names. */
export class CheckpointFiles {
  /** @param limits of what is read */
  constructor(
    readonly storage: Storage,
    private readonly limits: CheckpointLimits,
  ) {}

  /** @throws InputError (as a rejection) when there is one that cannot be read; undefined when there is none */
  find(name: string, shown?: string): Promise<Checkpoint | undefined> {
    return Checkpoint.find(this.storage, name, this.limits, shown);
  }

  /** Ends what a power cut has left half done, and gives a number to what a former firmware has left. */
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
   * The whole name of one that there is: nothing else that is typed reaches the storage.
   * @throws InputError (as a rejection)
   */
  async resolve(text: string): Promise<string> {
    const name = LISTED.find((known) => known === text || known === text + SUFFIX);
    if (name === undefined || !(await this.has(name)))
      throw new InputError(`There is no checkpoint ${printable(text)}: checkpoints lists those that there are.`);
    return name;
  }

  /** A name under which one can be put aside; undefined when all are taken. */
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
