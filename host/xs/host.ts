/** The global object that the C host gives to the bundle: see engine/bindings.c and engine/storage.c. */
export interface Host {
  /** What the command line asks for, as JSON. */
  readonly request: string;
  /** The dataset's bytes, not in the XS heap. */
  readonly names: ArrayBuffer;
  /** What throws an Error says why in one sentence, without its full stop. */
  readonly storage: {
    open(path: string): HostFile | undefined;
    create(path: string): HostNewFile;
    move(from: string, to: string): void;
    remove(path: string): void;
  };
  /** To standard output, at once. @throws Error when it is full or closed */
  write(text: string): void;
  /** Fills `bytes` with what has come on standard input; -1 when it has ended, or SIGTERM has come. Never waits. */
  read(bytes: Uint8Array): number;
  /** Sends as many of bytes[from] to bytes[to - 1] to standard output as it takes at once. @throws Error */
  send(bytes: Uint8Array, from: number, to: number): number;
  now(): number;
  schedule(callback: () => void, milliseconds: number): void;
  /**
   * Listens to the lines of standard input; a line of more than 4,096 bytes is passed over. When it has
   * ended the listener is called with undefined, once.
   */
  setLineListener(listener: ((line: string | undefined) => void) | undefined): void;
  usage(): HostUsage;
  /** Collects garbage: what usage() calls used is then what is needed. */
  collect(): void;
  /** Says the message on standard error and ends the program. */
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
  /** What XS has taken of the heap: it gives nothing back. */
  readonly peak: number;
  /** In use now, garbage included. */
  readonly usedSlots: number;
  readonly usedChunks: number;
  readonly collections: number;
  /** Bytes of bytecode and of property names, which the device has in flash. */
  readonly code: number;
  readonly names: number;
}
