import { Console, type Controls } from "./console";
import type { DeviceLog } from "./device-log";
import { InputError } from "../errors";
import { type Port, Serial } from "./serial";

/** A device program, as a console sees it. */
export interface Program {
  readonly controls: Controls;
  readonly log: DeviceLog;
  readonly run: () => Promise<never>;
}

/** The end of a serial cable: what a device says goes out, what is typed goes to its console. */
export class Station {
  private readonly serial: Serial | undefined;
  private program: Program | undefined;
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
      isPerson: () => !this.program?.log.isJson,
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

  readonly hasRoom = (): boolean => this.serial?.hasRoom ?? true;

  /** Waits until everything is sent, or the port has stopped: before a restart. */
  flush(): void {
    this.serial?.flush();
  }

  /**
   * Begins the program, or says why it cannot: then, and to whoever types.
   * @returns what ends with a mistake in the program only
   */
  async begin(make: () => Program): Promise<void> {
    try {
      this.program = make();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.refusal = `${error.message}\n`;
      this.write(this.refusal);
      return;
    }
    this.console = new Console(this.program.controls, this.program.log.tell);
    await this.program.run();
  }
}
