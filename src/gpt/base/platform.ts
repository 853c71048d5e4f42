/*
 * The interfaces between the program and the place where it runs: ESP32, XS on a desktop, Node, a browser.
 * Everything depends on this file, so it imports nothing.
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
  /** The dataset's bytes, read in place. */
  readonly names: Uint8Array;
  /** What error messages call them. */
  readonly namesFile: string;
  /** How to read them, where the place has something faster than src/gpt/data/scan.ts. */
  readonly datasetKernels?: DatasetKernels;
  /** Where checkpoints go; not every place has one. */
  readonly storage?: Storage | undefined;
  /** Why there is none, in a sentence. */
  readonly storageProblem?: string | undefined;
  /** A number that a restart keeps, where the place has memory for it: see src/device/boot-guard.ts. */
  readonly bootMarker?: BootMarker | undefined;
  /** Memory that the XS machine can have; undefined where there is no limit. */
  memoryBudget(): MemoryBudget | undefined;
}

/** A whole number of 32 bits: 0 when the power comes, and what was set last when a failure has restarted the program. */
export interface BootMarker {
  readonly get: () => number;
  readonly set: (value: number) => void;
}

/** Available memory in bytes: in all, and the largest contiguous block. */
export interface MemoryBudget {
  readonly total: number;
  readonly largestPiece: number;
}

/** The result of a scan over a dataset. */
export interface ScanResult {
  /** Byte offset of every n-th document; at most 1,280 entries. */
  readonly index: Uint32Array;
  /** Code points in ascending order; at most 255. */
  readonly characters: Uint32Array;
  /** See scan.ts. */
  readonly numbers: Uint32Array;
}

/** The loops over a list's bytes. */
export interface DatasetKernels {
  /** Fills `findings`. */
  readonly scan: (bytes: Uint8Array, result: ScanResult) => void;
  /** Byte offset of the `documents`-th document after the one that begins at `at`. */
  readonly skip: (bytes: Uint8Array, at: number, documents: number) => number;
  /**
   * Writes the tokens of the characters from `at` on into `tokens`, from its second place on and as many as
   * fit, up to a byte without a token; returns the place behind the last, also where it did not fit.
   * @param byteTokens the token of each byte below 128, 0 where it has none
   */
  readonly encode: (bytes: Uint8Array, at: number, byteTokens: Uint8Array, tokens: Uint8Array) => number;
  /** See crc32.ts. */
  readonly crc32: (bytes: Uint8Array, crc?: number) => number;
}

/**
 * Files by name. Methods throw, or reject with, an InputError with one sentence for the user. Opening a
 * file may take a turn of the event loop, as in a browser; reading and writing do not.
 */
export interface Storage {
  /** Opens a file for reading; undefined when there is none. */
  open(name: string): Promise<StoredFile | undefined>;
  /**
   * Begins a file that takes the place of `name` at once and whole when it is committed. One of this name that was
   * begun before and is still being written is given up.
   */
  create(name: string): Promise<NewFile>;
  /** Gives a file another name, in the place of what has that name; does nothing when there is no `from`. */
  move(from: string, to: string): Promise<void>;
  /** Removes a file; does nothing when there is none. */
  remove(name: string): Promise<void>;
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
