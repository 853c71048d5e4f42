// The parts of the Moddable SDK that the firmware uses, for editors and for tsc without the SDK; mcconfig compiles
// against the SDK's own declarations.

declare module "mc/config" {
  const config: Readonly<Record<string, unknown>>;
  export default config;
}

declare module "timer" {
  const Timer: {
    set(callback: () => void, milliseconds?: number): object;
    repeat(callback: () => void, milliseconds: number): object;
  };
  export default Timer;
}

declare module "time" {
  const Time: {
    /** Milliseconds, wrapping around. */
    readonly ticks: number;
    delta(start: number, end?: number): number;
  };
  export default Time;
}

declare module "Resource" {
  class Resource extends ArrayBuffer {
    constructor(path: string);
  }
  export default Resource;
}

declare module "modules" {
  const Modules: {
    /** Returns the default export of a module. @throws what the module throws when it is loaded */
    importNow(specifier: string): unknown;
  };
  export default Modules;
}

declare module "embedded:storage/files" {
  interface Status {
    /** In bytes. */
    readonly size: number;
    /** 0 when there is no such file or folder. */
    readonly mode: number;
    isFile(): boolean;
    isDirectory(): boolean;
  }
  interface File {
    /** Fills the buffer, or less at the end of the file, and returns the number of bytes read. */
    read(buffer: Uint8Array, position: number): number;
    write(buffer: Uint8Array, position: number): void;
    status(): Status;
    flush(): void;
    /** May be called again. */
    close(): void;
  }
  interface Directory {
    openFile(options: { path: string; mode?: "r" | "w" }): File;
    openDirectory(options: { path: string }): Directory;
    /** Returns false when it exists already. */
    createDirectory(path: string): boolean;
    /** Returns false when there is no such file. */
    delete(path: string): boolean;
    /** Overwrites an existing file. */
    move(from: string, to: string): void;
    status(path: string): Status;
  }
}

declare function trace(...values: (string | number)[]): void;
