import { join } from "node:path";
import { Duplex } from "node:stream";
import type { Board, BoardOptions } from "./board";
import type { Platform } from "../../src/gpt/base/platform";
import type { Port } from "../../src/device/serial";
import type { ProvideOps } from "../../src/gpt/model/ops";
import { SerialConsole } from "../../src/device/serial-console";
import { LIST, readRegular } from "../files/inputs";
import { provideOps } from "../node/run-on-node";
import { NodeStorage } from "../../src/places/node/storage";

/** The device program in this process, for computers without XS. */
export class NodeBoard implements Board {
  readonly port: Duplex;
  /** Received input that is not read yet, and the callback for when it is. */
  private arrived: { readonly bytes: Uint8Array; readonly done: () => void } | undefined;
  /** Whether the input has ended. */
  private isLast = false;
  /** Whether the reader of the output applies back pressure. */
  private isFull = false;
  private timer: NodeJS.Timeout | undefined;
  /** Counts power cycles, so that callbacks of an earlier one are ignored. */
  private power = 0;
  private end: () => void = () => undefined;
  private fail: (error: unknown) => void = () => undefined;
  private readonly storage: NodeStorage;

  constructor(private readonly options: BoardOptions) {
    this.storage = new NodeStorage((name) => join(options.folder, name));
    this.port = new Duplex({
      read: () => void (this.isFull = false),
      write: (bytes: Uint8Array, _encoding, done) => void (this.arrived = { bytes, done: () => done() }),
      final: (done) => {
        this.isLast = true;
        done();
      },
    });
  }

  live(): Promise<void> {
    return new Promise((end, fail) => {
      this.end = end;
      this.fail = fail;
      this.powerOn();
    });
  }

  switchOff(): void {
    this.endOfPower();
    this.port.destroy();
  }

  private endOfPower(): void {
    this.powerOff();
    this.port.push(null);
    this.end();
  }

  private powerOff(): void {
    this.power++;
    this.take();
    clearInterval(this.timer);
    this.storage.abort();
  }

  private powerOn(): void {
    const platform = this.platform();
    const repeat = (callback: () => void, every: number): void => void (this.timer = setInterval(callback, every));
    const serialConsole: SerialConsole = new SerialConsole(
      this.endOfCable(() => serialConsole.finish()),
      repeat,
    );
    const reboot = (): void => {
      this.powerOff();
      this.powerOn();
    };
    const { settings, dtype } = this.options;
    const opsOfChip: ProvideOps = (wanted = dtype, ops) => provideOps(wanted, ops);
    serialConsole.begin({ platform, settings, provideOps: opsOfChip, reboot }).catch(this.fail);
  }

  private platform(): Platform {
    const { namesFile, namesName } = this.options;
    const { power, storage } = this;
    return {
      place: "Node",
      names: readRegular(namesFile, LIST),
      namesFile: namesName,
      storage,
      now: () => performance.now(),
      schedule: (slice) => void setImmediate(() => power === this.power && slice()),
      memoryBudget: () => undefined,
    };
  }

  /**
   * The serial port of the device program.
   * @param finish returns whether all input is executed
   */
  private endOfCable(finish: () => boolean): Port {
    const { power } = this;
    return {
      read: (bytes) => {
        if (power !== this.power) return 0;
        const { arrived } = this;
        if (!arrived) {
          if (this.isLast && finish()) this.endOfPower();
          return 0;
        }
        const piece = arrived.bytes.subarray(0, bytes.length);
        bytes.set(piece);
        if (piece.length < arrived.bytes.length)
          this.arrived = { ...arrived, bytes: arrived.bytes.subarray(piece.length) };
        else this.take();
        return piece.length;
      },
      write: (bytes, from, to) => {
        if (this.isFull || power !== this.power) return 0;
        this.isFull = !this.port.push(bytes.slice(from, to));
        return to - from;
      },
      flush: () => true,
    };
  }

  /** The pending input was read or is discarded: accept more. */
  private take(): void {
    const { arrived } = this;
    this.arrived = undefined;
    arrived?.done();
  }
}
