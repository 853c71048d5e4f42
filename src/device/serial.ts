import { utf8Byte, utf8Size } from "../gpt/base/utf8";
import { LineEditor } from "./line-editor";

/** The bytes of a port, as its driver has them. None of this waits but `flush`. */
export interface Port {
  /** Fills `bytes` with what has arrived and returns how many there were. */
  readonly read: (bytes: Uint8Array) => number;
  /** Takes as many of bytes[from] to bytes[to - 1] as there is room for, and returns how many. */
  readonly write: (bytes: Uint8Array, from: number, to: number) => number;
  /** Waits until everything is sent, at most so many milliseconds; false when that was not enough. */
  readonly flush: (milliseconds: number) => boolean;
}

/** What a console does with what is typed. */
export interface Listener {
  /** Gets each line, without its end. */
  readonly receive: (line: string) => void;
  /** Gets a sentence in the place of a line that will not do, and its first byte. */
  readonly refuse: (answer: string, first: number) => void;
  /** Is called with every key that is pressed, before that. */
  readonly key: () => void;
  /** Whether it wants to be told, in a line for people, that lines were dropped. */
  readonly isPerson: () => boolean;
}

/** Half of what the 128 bytes of a UART last for. */
const POLL_MILLISECONDS = 5;
/** Bytes of text that can wait for the port: plan.ts counts them. At 115200 baud they are 180 ms. */
const QUEUE_BYTES = 2048;
/** Bytes and lines of input that one poll takes. The driver keeps what is beyond: commands need memory while they run. */
const MAX_INPUT = 2048;
const MAX_LINES = 1;
/** flush() waits so many times, and each time so long, for the port to send what it has taken. */
const MAX_FLUSHES = 32;
const FLUSH_MILLISECONDS = 100;
const NEWLINE = 10;
const RETURN = 13;

/**
 * The port as a console: text out, lines in. Output waits in a queue for the port, so that writing
 * does not block. When the queue is full, whole lines are dropped until half of it is free again; then a
 * line says how many there were. Nothing is allocated after the constructor but the lines that come in.
 */
export class Serial {
  /** A ring of `waiting` bytes from `first` on. */
  private readonly queue = new Uint8Array(QUEUE_BYTES);
  private first = 0;
  private waiting = 0;
  /** Lines that were dropped since the last one that said how many. */
  private dropped = 0;
  /** The last text ended within a line, of which a part has been dropped, or was sent. */
  private isDropping = false;
  private isWithinLine = false;
  /** What was read, of which the first so many bytes are taken, and what was read behind it. */
  private input = new Uint8Array(256);
  private ahead = new Uint8Array(256);
  private aheadSize = 0;
  private inputSize = 0;
  private inputTaken = 0;
  private readonly editor: LineEditor;

  /** @param repeat calls back again and again, every so many milliseconds */
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

  /** Whether something waits to be sent, or to be taken. */
  get isBusy(): boolean {
    return this.waiting > 0 || this.inputTaken < this.inputSize || this.aheadSize > 0;
  }

  /** Bytes that wait to be sent. */
  get bytesWaiting(): number {
    return this.waiting;
  }

  /** Sends text, or keeps it for later, or drops those of its lines for which there is no room. */
  write(text: string): void {
    for (let start = 0; start < text.length;) {
      const newline = text.indexOf("\n", start);
      const end = newline < 0 ? text.length : newline + 1;
      this.enqueue(text, start, end);
      start = end;
    }
    this.send();
  }

  /** Waits until everything is sent, or the port has stopped, or 3.2 s are over: before a restart. */
  flush(): void {
    for (let i = 0; i < MAX_FLUSHES; i++) {
      this.send();
      if (!this.port.flush(FLUSH_MILLISECONDS) || this.waiting === 0) return;
    }
  }

  private poll(): void {
    this.send();
    // Also while lines wait: what the hardware keeps is little.
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

  /** Queues text[start] to text[end - 1], which is a line, or a part of one. */
  private enqueue(text: string, start: number, end: number): void {
    const isWhole = text.charCodeAt(end - 1) === NEWLINE;
    if (this.isDropping || this.dropped > 0) {
      // Of a line that has lost a part, the rest goes, too.
      if (!this.isDropping) this.dropped++;
    } else {
      const { waiting } = this;
      for (let i = start; i < end; i++) {
        const codePoint = text.codePointAt(i) ?? 0;
        if (codePoint > 0xffff) i++;
        if (codePoint === NEWLINE) this.put(RETURN);
        const size = utf8Size(codePoint);
        for (let j = 0; j < size; j++) this.put(utf8Byte(codePoint, size, j));
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

  /** A byte for which there is no room is only counted. */
  private put(byte: number): void {
    if (this.waiting < QUEUE_BYTES) this.queue[(this.first + this.waiting) % QUEUE_BYTES] = byte;
    this.waiting++;
  }

  /** Hands the port what it takes: from the ring that is one piece, or two. */
  private send(): void {
    while (this.waiting > 0) {
      const { first } = this;
      const to = Math.min(first + this.waiting, QUEUE_BYTES);
      const taken = this.port.write(this.queue, first, to);
      this.first = (first + taken) % QUEUE_BYTES;
      this.waiting -= taken;
      if (first + taken < to) break;
    }
    if (this.dropped > 0 && this.waiting <= QUEUE_BYTES / 2) this.tellDropped();
  }

  private tellDropped(): void {
    const { dropped, isWithinLine, isDropping } = this;
    const lines = dropped === 1 ? "1 line was" : `${dropped} lines were`;
    this.dropped = 0;
    this.isDropping = false;
    if (!this.listener.isPerson()) return;
    this.write(`${isWithinLine ? "\n" : ""}(${lines} dropped: the port was too slow.)\n`);
    this.isDropping = isDropping;
  }
}
