/** The global object `host` that the C host provides: see engine/bindings.c and engine/storage.c. */
export interface Host {
  /** The request of the command line, as JSON. */
  readonly request: string;
  /** The bytes of the dataset, outside the XS heap. */
  readonly names: ArrayBuffer;
  /** Errors are thrown with a one-sentence message without a full stop. */
  readonly storage: {
    open(path: string): HostFile | undefined;
    create(path: string): HostNewFile;
    move(from: string, to: string): void;
    remove(path: string): void;
  };
  /** Writes to standard output; blocks until it is written. @throws Error when it is full or closed */
  write(text: string): void;
  /**
   * Reads available bytes from standard input into `bytes`; returns their number, or -1 at the end of the input or
   * after SIGTERM. Never blocks.
   */
  read(bytes: Uint8Array): number;
  /**
   * Writes bytes[from] to bytes[to - 1] to standard output, as many as it takes without blocking; returns their
   * number. @throws Error when it is closed
   */
  send(bytes: Uint8Array, from: number, to: number): number;
  now(): number;
  schedule(callback: () => void, milliseconds: number): void;
  /**
   * Sets the listener for lines of standard input; lines of more than 4,096 bytes are skipped. At the end of the
   * input it is called once with undefined.
   */
  setLineListener(listener: ((line: string | undefined) => void) | undefined): void;
  usage(): HostUsage;
  /** Collects garbage, so that usage() reports live memory. */
  collect(): void;
  /** Prints the message on standard error and exits. */
  fail(message: string, exitCode: number): never;
  exit(exitCode: number): never;
}

export interface HostFile {
  readonly size: number;
  /** @throws Error */
  read(position: number, bytes: Uint8Array): number;
  close(): void;
}

export interface HostNewFile {
  write(bytes: Uint8Array): void;
  commit(): void;
  abort(): void;
}

export interface HostUsage {
  readonly bytecodes: number;
  readonly slots: number;
  readonly chunks: number;
  readonly stack: number;
  /** Bytes that XS reserved in the heap; it never returns any. */
  readonly peak: number;
  /** Now in use, including garbage. */
  readonly usedSlots: number;
  readonly usedChunks: number;
  readonly collections: number;
  /** Bytes of bytecode and of property names, which a device has in flash. */
  readonly code: number;
  readonly names: number;
}
