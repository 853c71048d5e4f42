import { crc32 } from "../../../src/gpt/base/crc32";
import { encodeUtf8 } from "../../../src/gpt/base/utf8";
import { encode, scan, skip } from "../../../src/gpt/data/scan";
import type { PortChoice } from "../../../src/device/settings";
import { Flash } from "./files";

/**
 * A board for the firmware's edge on Node: a clock that a test moves, timers, and a port with a tiny FIFO.
 * The modules beside this file are what the sources then import in the place of the SDK's.
 */
class Board {
  /** What mc/config holds of ours, and beside it. */
  settings: Record<string, unknown> = {};
  beside: Record<string, unknown> = {};
  names = new TextEncoder().encode("emma\nolivia\nava\n");
  /** What chip it is: without a port, as in a simulator, the firmware speaks through trace(). */
  hasPort = true;
  hasUsb = false;
  /** Whether a host is at the USB cable. */
  hasHost = false;
  refusesPins = false;
  freeHeap: number | undefined = 226_000;
  largestPiece = 110_592;
  resetReason = 1;
  /** Bytes that the hardware takes at once, and those that leave it in a millisecond. */
  fifoSize = 16;
  bytesAMillisecond = 11;
  /** What has been handed to the hardware. */
  sent: number[] = [];
  traced = "";
  /** Whether the chip has been restarted. */
  restarts = 0;
  opened: "uart" | "usb" | undefined;
  /** Whether the SDK has files on this platform. */
  hasFiles = true;
  /** The partition of the file system; without one, there is none in the table. */
  flash: Flash | undefined = new Flash();
  pins: readonly number[] = [];
  now = 0;
  /** Milliseconds that the program takes between two looks at the clock. */
  pace = 5;
  private fifoUsed = 0;
  private input: number[] = [];
  private timers: { at: number; every?: number; callback: () => void }[] = [];

  /** What a terminal shows; UTF-8 that is broken is refused. */
  get text(): string {
    return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(this.sent));
  }

  type(bytes: string | readonly number[]): void {
    for (const byte of typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes) this.input.push(byte);
  }

  /** Lets time pass, and what was to happen in it. */
  run(milliseconds: number): void {
    const end = this.now + milliseconds;
    for (;;) {
      this.timers.sort((a, b) => a.at - b.at);
      const [next] = this.timers;
      if (this.timers.length === 0 || next.at > end) break;
      this.wait(Math.max(0, next.at - this.now));
      if (next.every === undefined) this.timers.shift();
      else next.at = this.now + next.every;
      next.callback();
    }
    this.wait(Math.max(0, end - this.now));
  }

  /** The same for a program that waits for promises. */
  async live(milliseconds: number): Promise<void> {
    const end = this.now + milliseconds;
    for (let isOver = false; !isOver;) {
      await new Promise(setImmediate);
      const due = Math.min(end, ...this.timers.map(({ at }) => at));
      isOver = due >= end;
      this.run(Math.max(0, due - this.now));
    }
    await new Promise(setImmediate);
  }

  /** Time in which the program does nothing else. */
  wait(milliseconds: number): void {
    this.now += milliseconds;
    this.fifoUsed = Math.max(0, this.fifoUsed - milliseconds * this.bytesAMillisecond);
  }

  addTimer(callback: () => void, delay: number, every?: number): object {
    const timer = { at: this.now + delay, callback, ...(every !== undefined && { every }) };
    this.timers.push(timer);
    return timer;
  }

  open(port: PortChoice, baud: number, transmit: number, receive: number): boolean {
    if (!this.hasPort) return false;
    if (this.opened) throw new Error("a port is open");
    if (port === "usb" && !this.hasUsb) throw new Error("USB cannot be opened: error -1");
    if (port === "usb" || (port === "auto" && this.hasUsb && this.hasHost)) this.opened = "usb";
    else {
      if ((this.refusesPins && transmit >= 0) || baud <= 0) throw new Error("UART0 cannot be opened: error -1");
      this.opened = "uart";
      this.pins = [transmit, receive];
    }
    return true;
  }

  read(bytes: Uint8Array): number {
    const piece = this.input.splice(0, bytes.length);
    bytes.set(piece);
    return piece.length;
  }

  write(bytes: Uint8Array, from: number, to: number): number {
    if (from < 0 || to < from || to > bytes.length) throw new RangeError(`${from} to ${to} in ${bytes.length} bytes`);
    const count = Math.min(to - from, Math.floor(this.fifoSize - this.fifoUsed));
    this.sent.push(...bytes.subarray(from, from + count));
    this.fifoUsed += count;
    return count;
  }

  flush(milliseconds: number): boolean {
    for (let i = 0; i < milliseconds && this.fifoUsed > 0; i++) this.wait(1);
    return this.fifoUsed === 0;
  }

  /** What a reset of the chip keeps: `reset()` is power-on. */
  slots: (number | undefined)[] = [];
  crash: string | undefined;
  hasFpu = true;

  takeCrash(): string | undefined {
    const { crash } = this;
    this.crash = undefined;
    return crash;
  }

  restart(reason: string, message: unknown): void {
    this.restarts++;
    const text = `Restarting: ${reason}${typeof message === "string" ? `: ${message}` : ""}\r\n`;
    this.sent.push(...new TextEncoder().encode(text));
  }

  reset(): void {
    Object.assign(this, new Board());
  }
}

export const board = new Board();

// What the SDK has among its globals. The names of native functions are theirs in C.
const natives: Record<string, (...values: never[]) => unknown> = {
  gpt_xs_scan(bytes: Uint8Array, ...views: Uint8Array[]): void {
    const [index, characters, numbers] = views.map(
      (view) => new Uint32Array(view.buffer, view.byteOffset, view.length / 4),
    );
    scan(bytes, { index, characters, numbers });
  },
  gpt_xs_skip: skip,
  gpt_xs_encode: encode,
  gpt_xs_crc32: crc32,
  gpt_xs_encode_utf8: (text: string) => encodeUtf8(text).buffer,
  gpt_xs_has_fpu: () => board.hasFpu,
};
Object.assign(globalThis, {
  native: (name: string) => natives[name],
  trace: (...values: (string | number)[]) => void (board.traced += values.join("")),
});
