import { Console } from "./console";
import { Device } from "./device";
import type { DeviceContext } from "./device-context";
import { InputError } from "../gpt/base/errors";
import { type Port, Serial } from "./serial";
import { readSettings, type Settings } from "./settings";

/** What a device program needs beside its port. */
export interface DeviceOptions extends Pick<DeviceContext, "platform" | "provideOps" | "reboot" | "onEvent"> {
  readonly settings: Settings;
}

/** The end of a serial cable: what a device says goes out, what is typed goes to its console. */
export class SerialConsole {
  private readonly serial: Serial | undefined;
  private device: Device | undefined;
  private console: Console | undefined;
  /** Why there is no program to talk to. */
  private refusal = "";

  /**
   * @param port undefined where a device can only be listened to
   * @param repeat calls back again and again, every so many milliseconds
   * @param trace takes the log where there is no port
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

  /** Whether something waits to be sent, or to be taken: it needs its turn soon. */
  readonly isBusy = (): boolean => this.serial?.isBusy ?? false;

  /** Whether no more bytes than these wait to be sent; by default, whether half of the queue is free. */
  readonly canWrite = (most?: number): boolean => {
    const { serial } = this;
    if (!serial) return true;
    return most === undefined ? serial.canWrite : serial.bytesWaiting <= most;
  };

  /** Nothing more will be typed: ends a stream. Returns whether all that came is carried out, and what it says sent. */
  finish(): boolean {
    this.console?.key();
    return !this.isBusy() && !this.console?.isBusy;
  }

  /** Waits until everything is sent, or the port has stopped: before a restart. */
  flush(): void {
    this.serial?.flush();
  }

  /**
   * Begins the device program, or says why it cannot: then, and to whoever types.
   * @param made gets it before it runs
   * @returns what ends with a mistake in the program only
   */
  async begin(options: DeviceOptions, made: (device: Device) => void = () => undefined): Promise<void> {
    let device: Device;
    try {
      const { write, canWrite, isBusy } = this;
      device = new Device({ ...options, settings: readSettings(options.settings), write, canWrite, isBusy });
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
