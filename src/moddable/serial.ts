import Timer from "timer";
import { device } from "./esp32/device";

const POLL_MILLISECONDS = 20;
const LONGEST_LINE = 200;
const NEWLINE = 10;
const RETURN = 13;

/**
 * The serial port as a console: text out, lines in. Output waits in a queue for the port, so that
 * writing neither blocks nor loses anything.
 */
export class Serial {
  private readonly queue: Uint8Array[] = [];
  /** How much of the first in the queue is sent. */
  private sent = 0;
  private readonly input = new Uint8Array(256);
  private line = "";

  /** @param receive called with each line, without its end */
  constructor(private readonly receive: (line: string) => void) {
    Timer.repeat(() => this.poll(), POLL_MILLISECONDS);
  }

  write(text: string): void {
    this.queue.push(new Uint8Array(ArrayBuffer.fromString(text.replaceAll("\n", "\r\n"))));
    this.send();
  }

  /** Waits until everything is sent: for the last words before a restart. */
  flush(): void {
    while (this.queue.length > 0) {
      this.send();
      device.flushUart();
    }
  }

  private poll(): void {
    this.send();
    for (let count = device.readUart(this.input); count > 0; count = device.readUart(this.input))
      for (let i = 0; i < count; i++) this.take(this.input[i]);
  }

  private send(): void {
    while (this.queue.length > 0) {
      const [bytes] = this.queue;
      this.sent += device.writeUart(bytes, this.sent);
      if (this.sent < bytes.length) return;
      this.queue.shift();
      this.sent = 0;
    }
  }

  private take(byte: number): void {
    if (byte === NEWLINE || byte === RETURN) {
      const { line } = this;
      this.line = "";
      if (line !== "") this.receive(line);
    } else if (this.line.length < LONGEST_LINE) this.line += String.fromCharCode(byte);
  }
}
