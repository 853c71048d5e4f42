/*
 * The interfaces between the program and the platform that it runs on: ESP32, XS on a desktop, Node, a browser.
 * Everything depends on this file, so it imports nothing.
 */

/** The clock and the event loop of a platform. */
export interface Clock {
  /** Milliseconds since an arbitrary moment. */
  now(): number;
  /** Calls `slice` from the event loop, after all pending callbacks. */
  schedule(slice: () => void): void;
}

/** What the program needs of the platform that it runs on. */
export interface Platform extends Clock {
  /** Its name in the banner: ESP32, XS, Node. */
  readonly place: string;
  /** The dataset's bytes, read in place. */
  readonly names: Uint8Array;
  /** The dataset's name in messages. */
  readonly namesFile: string;
  /** Kernels that replace those of src/gpt/data/scan.ts; undefined where these are the fastest. */
  readonly datasetKernels?: DatasetKernels;
  /** Where checkpoints are stored; undefined if there is no storage. */
  readonly storage?: Storage | undefined;
  /** Why there is no storage, in a sentence. */
  readonly storageProblem?: string | undefined;
  /** A number that survives a reset, if the platform has memory for it: see src/device/boot-guard.ts. */
  readonly bootMarker?: BootMarker | undefined;
  /** Memory available to the XS machine; undefined if there is no limit. */
  memoryBudget(): MemoryBudget | undefined;
}

/** An unsigned 32-bit integer: 0 after power-on; after a reset caused by a failure, the value that was set last. */
export interface BootMarker {
  readonly get: () => number;
  readonly set: (value: number) => void;
}

/** Available memory in bytes: in total, and the largest contiguous block. */
export interface MemoryBudget {
  readonly total: number;
  readonly largestPiece: number;
  /** The free blocks before the machine is created, in the order in which malloc tries them, where they are known. */
  readonly pieces?: readonly number[];
}

/** The result of a scan over a dataset. */
export interface ScanResult {
  /** Byte offset of every n-th document; at most 1,280 entries. */
  readonly index: Uint32Array;
  /** Code points in ascending order; at most 255. */
  readonly characters: Uint32Array;
  /** Counts and positions, by the indices of scan.ts. */
  readonly numbers: Uint32Array;
}

/** The loops over a dataset's bytes. */
export interface DatasetKernels {
  /** Fills `result`: see scan.ts. */
  readonly scan: (bytes: Uint8Array, result: ScanResult) => void;
  /** Byte offset of the `documents`-th document after the one that begins at `at`. */
  readonly skip: (bytes: Uint8Array, at: number, documents: number) => number;
  /**
   * Writes the tokens of the characters from byte `at` on into `tokens`, from index 1 on, as many as fit, up to
   * the first byte without a token. Returns the index after the last token, as if all of them had fit.
   * @param byteTokens the token of each byte below 128; 0 if it has none
   */
  readonly encode: (bytes: Uint8Array, at: number, byteTokens: Uint8Array, tokens: Uint8Array) => number;
  /** See crc32.ts. */
  readonly crc32: (bytes: Uint8Array, crc?: number) => number;
  /** See utf8.ts, which is used without it. */
  readonly encodeUtf8?: (text: string) => Uint8Array;
}

/**
 * Files by name. Methods throw, or reject with, an InputError: one sentence for the user. Opening a file may
 * take a turn of the event loop, as in a browser; reading and writing are synchronous.
 */
export interface Storage {
  /** Opens a file for reading; undefined if it does not exist. */
  open(name: string): Promise<StoredFile | undefined>;
  /**
   * Creates a file that replaces `name` atomically when it is committed. Aborts an earlier one of this name that is
   * still being written.
   */
  create(name: string): Promise<NewFile>;
  /** Renames a file, replacing `to`; does nothing if `from` does not exist. */
  move(from: string, to: string): Promise<void>;
  /** Removes a file; does nothing if it does not exist. */
  remove(name: string): Promise<void>;
}

export interface StoredFile {
  /** Size in bytes. */
  readonly size: number;
  /** Reads into `bytes` from byte `position` of the file; returns the number of bytes read. */
  read(position: number, bytes: Uint8Array): number;
  /** Call it once, when no more is read. */
  close(): void;
}

export interface NewFile {
  /** Appends bytes. */
  write(bytes: Uint8Array): void;
  /** Replaces the old file, atomically. */
  commit(): Promise<void>;
  /** Discards what was written; the old file stays. */
  abort(): void;
}
