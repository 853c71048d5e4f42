/*
 * What the program needs of its surroundings: the same on the ESP32, on XS on a desktop, on Node and in
 * a browser. Everything stands on this file, so it imports nothing.
 */

/** The event loop of a place. */
export interface Clock {
  /** Milliseconds since some moment. */
  now(): number;
  /** Calls `slice` from the event loop, after everything else that waits. */
  schedule(slice: () => void): void;
}

/** The place where the program runs. */
export interface Platform extends Clock {
  /** What the banner calls it: ESP32, XS, Node. */
  readonly place: string;
  /** The dataset's bytes, where they lie. */
  readonly names: Uint8Array;
  /** What error messages call them. */
  readonly namesFile: string;
  /** How to find a name in them, where the place has something faster than the dataset's own way. */
  readonly skipLines?: SkipLines;
  /** Where checkpoints go; not every place has one. */
  readonly storage?: Storage;
  /** Memory that the XS machine can have; undefined where there is no such limit. */
  room(): Room | undefined;
}

/** Memory that can be had: in all, and the largest piece of it. Bytes. */
export interface Room {
  readonly total: number;
  readonly largestPiece: number;
}

/** Where the name begins that stands so many names behind the one that begins at `at`. */
export type SkipLines = (bytes: Uint8Array, at: number, names: number) => number;

/**
 * Files by name. Methods throw, or reject with, an InputError with one sentence for the user. Opening a
 * file may take a turn of the event loop, as in a browser; reading and writing do not.
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
  commit(): Promise<void>;
  /** Forgets what was written; the old file stays. */
  abort(): void;
}
