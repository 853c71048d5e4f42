import { Console } from "./console";
import { Device } from "./device";
import type { DeviceContext } from "./device-context";
import { InputError } from "../gpt/base/errors";
import type { Platform } from "../gpt/base/platform";
import type { Dtype } from "../gpt/model/ops";
import { type Port, Serial } from "./serial";
import { type FirmwareSettings, readSettings, type Settings } from "./settings";
import { storedDtype } from "./stored-dtype";

/** What a device program needs besides its port. */
export interface DeviceOptions extends Pick<DeviceContext, "platform" | "provideOps" | "reboot" | "onEvent"> {
  readonly settings: Settings;
}

/** Connects a port to a device program: the device's output goes to the port, input lines go to its console. */
export class SerialConsole {
  private readonly serial: Serial | undefined;
  private device: Device | undefined;
  private console: Console | undefined;
  /** Why the program could not start: the answer to each line. */
  private refusal = "";

  /**
   * @param port undefined when there is only an output: `trace`
   * @param repeat calls the callback at an interval in milliseconds
   * @param trace receives the log when there is no port
   */
  constructor(
    port: Port | undefined,
    repeat: (callback: () => void, milliseconds: number) => void,
    private readonly trace: (text: string) => void = () => undefined,
  ) {
    if (!port) return;
    this.serial = new Serial(port, repeat, {
      receive: (line) => {
        if (this.console) this.console.receive(line);
        else this.write(this.refusal);
      },
      refuse: (answer, first) => {
        if (this.console) this.console.refuse(answer, first);
        else this.write(`${answer}\n`);
      },
      key: () => this.console?.key(),
      isPerson: () => !this.device?.log.isJson,
    });
  }

  /** Whether there is a port. */
  get isOpen(): boolean {
    return this.serial !== undefined;
  }

  readonly write = (text: string): void => {
    if (this.serial) this.serial.write(text);
    else this.trace(text);
  };

  /** Whether data waits to be sent or to be read. */
  readonly isBusy = (): boolean => this.serial?.isBusy ?? false;

  /** Whether at most `most` bytes wait to be sent; by default, whether half of the queue is free. */
  readonly canWrite = (most?: number): boolean => {
    const { serial } = this;
    if (!serial) return true;
    return most === undefined ? serial.canWrite : serial.bytesWaiting <= most;
  };

  /** Call at the end of the input: ends `stream`. Returns whether all commands have ended and all output is sent. */
  finish(): boolean {
    this.console?.key();
    return !this.isBusy() && !this.console?.isBusy;
  }

  /** Blocks until all output is sent or the port stalls: call before a restart. */
  flush(): void {
    this.serial?.flush();
  }

  /** See stored-dtype.ts. Input waits in the port meanwhile, as there is no console yet. */
  private async storedDtype(platform: Platform, settings: FirmwareSettings): Promise<Dtype | undefined> {
    const { serial } = this;
    if (serial) serial.isHeld = true;
    try {
      return await storedDtype(platform, settings);
    } finally {
      if (serial) serial.isHeld = false;
    }
  }

  /**
   * Starts the device program. When it cannot start, the reason is written at once and as the answer to each line.
   * @param made called with the device before it runs
   * @returns a promise that stays pending while the device runs; it rejects only on internal errors
   */
  async begin(options: DeviceOptions, made: (device: Device) => void = () => undefined): Promise<void> {
    let device: Device;
    try {
      const { write, canWrite, isBusy } = this;
      const settings = readSettings(options.settings);
      const stored = settings.dtype === undefined ? await this.storedDtype(options.platform, settings) : undefined;
      device = new Device({ ...options, settings, storedDtype: stored, write, canWrite, isBusy });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.refusal = `${error.message}\n`;
      this.write(this.refusal);
      return;
    }
    this.device = device;
    made(device);
    await new Promise<never>((_end, broken) => {
      this.console = new Console(device, broken);
      device.run().catch(broken);
    });
  }
}
