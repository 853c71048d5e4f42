import type { SkipLines } from "./dataset";
import type { Room } from "./plan";

/**
 * What the program needs of its surroundings: the same on the ESP32, on XS on a desktop, on Node and
 * in a browser.
 */
export interface Platform {
  /** What the banner calls this place: ESP32, XS, Node. */
  readonly engine: string;
  /** The dataset's bytes, where they lie. */
  readonly names: Uint8Array;
  /** What error messages call them. */
  readonly namesFile: string;
  /** How to find a name in them, where the engine has something faster than the dataset's own way. */
  readonly skipLines?: SkipLines;
  /** Where checkpoints go; not every place has one. */
  readonly storage?: Storage;
  /** Writes text to the log. */
  write(text: string): void;
  /** Milliseconds since some moment. */
  now(): number;
  /** Calls `slice` from the event loop, after everything else that waits. */
  schedule(slice: () => void): void;
  /** Memory that the XS machine can have; undefined where there is no such limit. */
  room(): Room | undefined;
  /** What the engine has used so far, where it counts. */
  usage(): Usage;
}

/**
 * Slots, chunks and stack in use at their peak, garbage included, and `peak`, what the engine had taken
 * of the device for them; bytes. Null where an engine has no such figure.
 */
export interface Usage {
  readonly bytecodes: number | null;
  readonly slots: number | null;
  readonly chunks: number | null;
  readonly stack: number | null;
  readonly peak: number | null;
  readonly collections: number | null;
  /** What the device has in flash instead of in its memory: bytecode and property names. */
  readonly flash: { readonly bytecode: number; readonly names: number } | null;
}

/** Of an engine that counts none of this. */
export const NO_USAGE: Usage = Object.freeze({
  bytecodes: null,
  slots: null,
  chunks: null,
  stack: null,
  peak: null,
  collections: null,
  flash: null,
});

/**
 * Files by name. Opening and ending a file may take a turn of the event loop, as it does in a browser; what
 * lies between does not. Everything throws an InputError with one sentence for the user.
 */
export interface Storage {
  /** Opens a file for reading; undefined when there is none. */
  open(name: string): Promise<StoredFile | undefined>;
  /** Begins a file that takes the place of `name` at once and whole when it is committed. */
  create(name: string): Promise<NewFile>;
}

export interface StoredFile {
  /** Bytes. */
  readonly size: number;
  /** Fills `bytes` from `position` on and returns how many there were. */
  read(position: number, bytes: Uint8Array): number;
  close(): void;
}

export interface NewFile {
  write(bytes: Uint8Array): void;
  /** When it fails, what was written is forgotten and the old file stays. */
  commit(): Promise<void>;
  /** Forgets what was written; the old file stays. Never throws. */
  abort(): void;
}
