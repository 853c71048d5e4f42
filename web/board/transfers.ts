import { signal } from "@preact/signals";
import type { ProtocolClient } from "../../src/client/client";
import { MAX_FILE_BYTES } from "../../src/client/fetching";
import { verifyCheckpoint } from "../../src/client/verify-checkpoint";
import { InputError, printable } from "../../src/gpt/base/errors";
import type { Clock } from "../../src/gpt/base/platform";
import { sendWords } from "../workbench/send-words";

const clock: Clock = { now: () => performance.now(), schedule: (slice) => void setTimeout(slice) };

/** Progress of a transfer. */
export interface TransferProgress {
  readonly what: string;
  readonly done: number;
  readonly total: number;
}

/** The reason of a transfer that was interrupted by the user or a disconnect. */
export class Interrupted extends InputError {}

/** What transfers need of the session with the board. */
export interface TransferHost {
  /** @throws InputError if no board answers */
  client(): ProtocolClient;
  /** Runs an action of the user; undefined if it fails, which is then told. */
  attempt<T>(work: () => Promise<T>): Promise<T | undefined>;
  /** @param sentence what has been done */
  tell(sentence: string): void;
}

/** Carries checkpoints and words between the page and a board, one at a time. */
export class Transfers {
  /** The transfer in progress. */
  readonly carrying = signal<TransferProgress | undefined>(undefined);

  constructor(private readonly host: TransferHost) {}

  /** The board's current checkpoint and its number of steps; undefined on failure. */
  async fetchCheckpoint(): Promise<{ readonly bytes: Uint8Array; readonly steps: number } | undefined> {
    return this.carry("Fetching the checkpoint", async (client, progress) => {
      const bytes = await client.fetch(progress);
      const steps = await verifyCheckpoint(bytes, "The board's checkpoint", clock);
      this.host.tell(`Fetched ${bytes.length} bytes, after ${steps} steps.`);
      return { bytes, steps };
    });
  }

  /**
   * Sends a checkpoint, which replaces the board's.
   * @param name its name in messages
   */
  async sendCheckpoint(bytes: Uint8Array, name: string): Promise<void> {
    await this.carry("Sending the checkpoint", async (client, progress) => {
      if (bytes.length > MAX_FILE_BYTES) throw new InputError(tooLarge(name));
      const steps = await verifyCheckpoint(bytes, name, clock);
      await client.send(bytes, progress, name);
      this.host.tell(`Sent ${bytes.length} bytes, after ${steps} steps.`);
    });
  }

  /** Sends a checkpoint file: one that was chosen, or dropped. */
  async takeCheckpoint(file: File): Promise<void> {
    const bytes = await this.host.attempt(async () => {
      if (file.size > MAX_FILE_BYTES) throw new InputError(tooLarge(file.name));
      return file.arrayBuffer().catch((error: unknown) => {
        throw new InputError(`${printable(file.name)} could not be read: ${messageOf(error)}`);
      });
    });
    if (bytes) await this.sendCheckpoint(new Uint8Array(bytes), file.name);
  }

  /** Adds user words to the board, one per line; resolves to whether it has taken all of them. */
  async teach(text: string): Promise<boolean> {
    const isTaught = await this.carry("Teaching words", async (client, progress) => {
      const sentence = await sendWords(text, {
        add: (word) => client.run(`add ${word}`).then(() => undefined),
        progress,
        isOver: (error) => error instanceof Interrupted,
      });
      this.host.tell(sentence);
      return true;
    });
    return isTaught ?? false;
  }

  private async carry<T>(
    what: string,
    work: (client: ProtocolClient, progress: (done: number, total: number) => void) => Promise<T>,
  ): Promise<T | undefined> {
    return this.host.attempt(async () => {
      const client = this.host.client();
      if (this.carrying.value) throw new InputError("A transfer is running: wait for it, or cancel it.");
      this.carrying.value = { what, done: 0, total: 1 };
      try {
        return await work(client, (done, total) => (this.carrying.value = { what, done, total }));
      } finally {
        this.carrying.value = undefined;
      }
    });
  }
}

function tooLarge(name: string): string {
  return `${printable(name)} is too large to be a checkpoint of a board.`;
}

/** The message of an error of the browser, as the end of a sentence. */
export function messageOf(error: unknown): string {
  return `${printable(error instanceof Error ? error.message : String(error), 200).replace(/\.+$/, "")}.`;
}
