import { utf8Byte, utf8Size } from "../gpt/base/utf8";
import { LineEditor } from "./line-editor";

/** The driver of a port. Only `flush` blocks. */
export interface Port {
  /** Reads received bytes into `bytes` and returns their number. */
  readonly read: (bytes: Uint8Array) => number;
  /** Accepts as many of bytes[from] to bytes[to - 1] as there is room for, and returns their number. */
  readonly write: (bytes: Uint8Array, from: number, to: number) => number;
  /** Waits until all accepted bytes are sent; false on timeout. */
  readonly flush: (milliseconds: number) => boolean;
}

/** Callbacks for the input of a port. */
export interface Listener {
  /** Called with each line, without its end. */
  readonly receive: (line: string) => void;
  /** Called for an invalid line with a message and the line's first byte. */
  readonly refuse: (answer: string, first: number) => void;
  /** Called for every key, before it is processed. */
  readonly key: () => void;
  /** Whether to report dropped lines, as text for people. */
  readonly isPerson: () => boolean;
}

/** Half the time in which the 128 bytes of a UART's hardware buffer fill up at 115200 baud. */
const POLL_MILLISECONDS = 5;
/** Size of the output queue in bytes, included in plan.ts: 180 ms at 115200 baud. */
const QUEUE_BYTES = 2048;
/** Bytes and lines of input per poll. The rest stays in the driver's buffer: running commands need memory. */
const MAX_INPUT = 2048;
const MAX_LINES = 1;
/** flush() waits at most MAX_FLUSHES times FLUSH_MILLISECONDS. */
const MAX_FLUSHES = 32;
const FLUSH_MILLISECONDS = 100;
const NEWLINE = 10;
/** Characters below have one byte. */
const BYTES = 0x80;
const RETURN = 13;

/**
 * The port as a console: text out, lines in. Output is queued, so that writing does not block. When the queue
 * overflows, whole lines are dropped until half of it is free again; then a line reports their number. After the
 * constructor only the input lines are allocated.
 */
export class Serial {
  /** Ring buffer: `waiting` bytes, the first at index `first`. */
  private readonly queue = new Uint8Array(QUEUE_BYTES);
  private first = 0;
  private waiting = 0;
  /** Lines dropped since the last report. */
  private dropped = 0;
  /** Whether the last text ended within a line, which is being dropped (isDropping) or was queued (isWithinLine). */
  private isDropping = false;
  private isWithinLine = false;
  /** Double buffer for input: `input`, of which inputTaken bytes are processed, and the bytes read after it. */
  private input = new Uint8Array(256);
  private ahead = new Uint8Array(256);
  private aheadSize = 0;
  private inputSize = 0;
  private inputTaken = 0;
  private readonly editor: LineEditor;
  /** Whether input waits in the port. */
  isHeld = false;

  /** @param repeat calls the callback at an interval in milliseconds */
  constructor(
    private readonly port: Port,
    repeat: (callback: () => void, milliseconds: number) => void,
    private readonly listener: Listener,
  ) {
    const { receive, refuse, key } = listener;
    this.editor = new LineEditor(receive, refuse, key);
    repeat(() => this.poll(), POLL_MILLISECONDS);
  }

  /** Whether half of the queue is free. */
  get canWrite(): boolean {
    return this.waiting <= QUEUE_BYTES / 2;
  }

  /** Whether data waits to be sent or to be processed. */
  get isBusy(): boolean {
    return this.waiting > 0 || this.inputTaken < this.inputSize || this.aheadSize > 0;
  }

  /** Bytes waiting to be sent. */
  get bytesWaiting(): number {
    return this.waiting;
  }

  /** Sends or queues text; lines that do not fit into the queue are dropped. */
  write(text: string): void {
    for (let start = 0; start < text.length;) {
      const newline = text.indexOf("\n", start);
      const end = newline < 0 ? text.length : newline + 1;
      this.enqueue(text, start, end);
      start = end;
    }
    this.send();
  }

  /** Blocks until everything is sent, the port stalls, or 3.2 s have passed: call before a restart. */
  flush(): void {
    for (let i = 0; i < MAX_FLUSHES; i++) {
      this.send();
      if (!this.port.flush(FLUSH_MILLISECONDS) || this.waiting === 0) return;
    }
  }

  private poll(): void {
    this.send();
    if (this.isHeld) return;
    // Read ahead even while lines are unprocessed: the hardware buffer is small.
    if (this.aheadSize === 0) this.aheadSize = this.port.read(this.ahead);
    for (let taken = 0, lines = 0; taken < MAX_INPUT && lines < MAX_LINES; taken++) {
      if (this.inputTaken === this.inputSize) {
        if (this.aheadSize === 0) return;
        const { input } = this;
        this.input = this.ahead;
        this.inputSize = this.aheadSize;
        this.inputTaken = 0;
        this.ahead = input;
        this.aheadSize = this.port.read(input);
      }
      if (this.editor.take(this.input[this.inputTaken++])) lines++;
    }
  }

  /** Queues text[start] to text[end - 1]: one line, or a part of one. */
  private enqueue(text: string, start: number, end: number): void {
    const isWhole = text.charCodeAt(end - 1) === NEWLINE;
    if (this.isDropping || this.dropped > 0) {
      // The rest of a partly dropped line is dropped, too; it counts once.
      if (!this.isDropping) this.dropped++;
    } else {
      const { waiting } = this;
      for (let i = start; i < end; i++) {
        const unit = text.charCodeAt(i);
        if (unit < BYTES) {
          if (unit === NEWLINE) this.put(RETURN);
          this.put(unit);
        } else i += this.putCharacter(text.codePointAt(i) ?? 0) - 1;
      }
      if (this.waiting <= QUEUE_BYTES) {
        this.isWithinLine = !isWhole;
        return;
      }
      this.waiting = waiting;
      this.dropped = 1;
    }
    this.isDropping = !isWhole;
  }

  /** Queues a character of several bytes; returns its length in a text, which on XS is always 1. */
  private putCharacter(codePoint: number): number {
    const size = utf8Size(codePoint);
    for (let i = 0; i < size; i++) this.put(utf8Byte(codePoint, size, i));
    return codePoint > 0xffff ? String.fromCodePoint(codePoint).length : 1;
  }

  /** Queues a byte; on overflow it is only counted, so that the caller can roll back. */
  private put(byte: number): void {
    if (this.waiting < QUEUE_BYTES) this.queue[(this.first + this.waiting) % QUEUE_BYTES] = byte;
    this.waiting++;
  }

  /** Writes to the port what it accepts: at most two contiguous parts of the ring buffer. */
  private send(): void {
    while (this.waiting > 0) {
      const { first } = this;
      const to = Math.min(first + this.waiting, QUEUE_BYTES);
      const taken = this.port.write(this.queue, first, to);
      this.first = (first + taken) % QUEUE_BYTES;
      this.waiting -= taken;
      if (first + taken < to) break;
    }
    if (this.dropped > 0 && this.waiting <= QUEUE_BYTES / 2) this.reportDropped();
  }

  private reportDropped(): void {
    const { dropped, isWithinLine, isDropping } = this;
    const lines = dropped === 1 ? "1 line was" : `${dropped} lines were`;
    this.dropped = 0;
    this.isDropping = false;
    if (!this.listener.isPerson()) return;
    this.write(`${isWithinLine ? "\n" : ""}(${lines} dropped: the port was too slow.)\n`);
    this.isDropping = isDropping;
  }
}
