import { provideOps } from "../../host/node/run-on-node";
import { Console } from "../../src/device/console";
import { Device } from "../../src/device/device";
import type { Emit } from "../../src/protocol/events";
import { LineEditor } from "../../src/device/line-editor";
import type { Port } from "../../src/device/serial";
import { readSettings, type Settings } from "../../src/device/settings";
import { SerialConsole } from "../../src/device/serial-console";
import { type DeviceLine, openLine } from "../../src/protocol/lines";
import { utf8 } from "../helpers";
import type { BootMarker } from "../../src/gpt/base/platform";
import { MemoryPlatform } from "./memory-platform";
import { MemoryStorage } from "./memory-storage";

export const NAMES = ["emma", "olivia", "ava", "isabella", "thequickbrown", "foxjumps", "overlazydog"];

/** The raw bytes of a serial port, and a time in which they pass; nothing can be typed then. */
export interface TestCable {
  readonly port: Port;
  readonly repeat: (callback: () => void, milliseconds: number) => void;
  readonly platformOf: (names: Uint8Array, storage: MemoryStorage | undefined) => MemoryPlatform;
}

interface Options {
  readonly names?: readonly string[];
  /** Milliseconds that a look at the clock takes. */
  readonly tick?: number;
  readonly cable?: TestCable | undefined;
  readonly onEvent?: Emit;
  readonly canWrite?: () => boolean;
  /** Memory that a restart keeps. */
  readonly marker?: BootMarker;
}

/** The device program in memory, with a console, and a clock that moves by a look at it. */
export class TestDevice {
  /** What it has said since the last look. */
  private said = "";
  readonly platform: MemoryPlatform;
  device!: Device;
  readonly console: Console | undefined;
  private readonly editor: LineEditor | undefined;
  private failure: Error | undefined;

  constructor(
    settings: Settings = {},
    readonly storage: MemoryStorage | undefined = new MemoryStorage(),
    { names = NAMES, tick = 10, cable, onEvent, canWrite, marker }: Options = {},
  ) {
    const list = utf8(names.join("\n"));
    this.platform = cable?.platformOf(list, storage) ?? new MemoryPlatform(list, storage, tick);
    this.platform.bootMarker = marker;
    const fail = (error: unknown): void => void (this.failure = error as Error);
    const options = {
      platform: this.platform,
      settings: { ops: "typescript", steps: 20, samples: 2, log_every: 5, ...settings } as Settings,
      provideOps,
      reboot: () => void (this.rebooted = true),
      ...(onEvent && { onEvent }),
    };
    if (cable) {
      // With a dtype in the settings the device is there at once.
      options.settings = { dtype: "f32", ...options.settings };
      new SerialConsole(cable.port, cable.repeat).begin(options, (device) => (this.device = device)).catch(fail);
      return;
    }
    const write = (text: string): void => void (this.said += text);
    this.device = new Device({
      ...options,
      settings: readSettings(options.settings),
      write,
      ...(canWrite && { canWrite }),
    });
    const { device } = this;
    const console = (this.console = new Console(device, fail));
    this.editor = new LineEditor(console.receive, console.refuse, console.key);
    device.run().catch(fail);
  }

  rebooted = false;

  /** What it has said since this was asked last. */
  take(): string {
    const { said } = this;
    this.said = "";
    return said;
  }

  /** Its lines for programs since this was asked last. */
  takeLines(): DeviceLine[] {
    return this.take()
      .split("\n")
      .slice(0, -1)
      .map((text) => {
        const line = openLine(text);
        if (!line) throw new Error(`This is no line for programs: ${text}`);
        return line;
      });
  }

  /** Lets the event loop turn a number of times, or until it idles. */
  async live(turns = Infinity): Promise<void> {
    for (let turn = 0; turn < turns; turn++) {
      await new Promise(setImmediate);
      this.check();
      if (!this.platform.turn()) {
        await new Promise(setImmediate);
        if (!this.platform.turn()) return;
      }
    }
  }

  /** @throws what it has failed with: a mistake in the program */
  check(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  type(text: string | Uint8Array): void {
    for (const byte of typeof text === "string" ? utf8(text) : text) this.editor?.take(byte);
  }

  /** What it answers to a line, once all that it has begun is done or so many turns are over. */
  async answer(line: string, turns = Infinity): Promise<string> {
    this.take();
    this.type(`${line}\n`);
    await this.live(turns);
    return this.take();
  }

  /** The parameters, Adam's moments and the random state, for comparison. */
  get state(): string {
    const { trainer } = this.device;
    const { model, adam, dataset } = trainer;
    const numbers = [model.parameters, adam.m, adam.v].map((floats) =>
      Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength).toString("base64"),
    );
    const own = dataset.own ? [dataset.own.text, dataset.own.share] : [];
    return JSON.stringify([numbers, trainer.state, trainer.config, own]);
  }
}

/** Names in which all letters occur. */
export const ALL_LETTERS = { names: [...NAMES, "quiz", "jvwky"] };

/** A device that has trained and idles. */
export async function finished(settings: Settings = {}, storage = new MemoryStorage()): Promise<TestDevice> {
  const device = new TestDevice(settings, storage, ALL_LETTERS);
  await device.live();
  device.take();
  return device;
}

/** One that trains for long. */
export async function underWay(settings: Settings = {}, storage = new MemoryStorage()): Promise<TestDevice> {
  const device = new TestDevice({ steps: 5000, save_every: 0, ...settings }, storage, ALL_LETTERS);
  await device.live(8);
  device.take();
  return device;
}
