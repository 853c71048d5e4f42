// What the firmware uses of the Moddable SDK, for editors and for tsc without the SDK at hand; mcconfig
// compiles against the SDK's own declarations.

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

declare function trace(...values: (string | number)[]): void;
