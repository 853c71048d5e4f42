import { decodeUtf8 } from "../gpt/base/utf8";
import { MAX_LINE_BYTES } from "../protocol/lines";

const TAB = 0x09;
const BACKSPACE = 0x08;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const DELETE = 0x7f;

const TOO_LONG = `The line is too long: at most ${MAX_LINE_BYTES} bytes.`;
const BROKEN = "The line is not UTF-8: set the terminal to UTF-8.";
const CONTROL = "The line has a control character (arrow key?): type it again without it.";

/**
 * Assembles lines from the bytes of a terminal. CR, LF and CR+LF end a line; BS and DEL delete its last character; a
 * tab becomes a space. A line that is longer than 120 bytes, contains other control characters or is not UTF-8 is
 * refused as a whole, with one answer at its end. Empty lines are ignored.
 */
export class LineEditor {
  private readonly bytes = new Uint8Array(MAX_LINE_BYTES);
  private length = 0;
  /** Why the current line will be refused; empty when it is valid so far. */
  private fault = "";
  private isAfterReturn = false;

  /**
   * @param receive called with each line, without its end
   * @param refuse called for an invalid line with a message and the line's first byte
   * @param key called for every byte except the LF of CR+LF, before the byte is processed
   */
  constructor(
    private readonly receive: (line: string) => void,
    private readonly refuse: (answer: string, first: number) => void,
    private readonly key: () => void = () => undefined,
  ) {}

  /** Takes the next byte that was typed; returns whether it ended a line. */
  take(byte: number): boolean {
    const isAfterReturn = this.isAfterReturn;
    this.isAfterReturn = byte === RETURN;
    if (byte !== NEWLINE || !isAfterReturn) this.key();
    if (byte === RETURN || (byte === NEWLINE && !isAfterReturn)) {
      this.end();
      return true;
    }
    if (byte === NEWLINE || this.fault === TOO_LONG) return false;
    if (byte === BACKSPACE || byte === DELETE) this.takeBack();
    else if (byte < SPACE && byte !== TAB) this.fault = CONTROL;
    else if (this.length === MAX_LINE_BYTES) this.fault = TOO_LONG;
    else this.bytes[this.length++] = byte === TAB ? SPACE : byte;
    return false;
  }

  /** Deletes the last UTF-8 character: its continuation bytes and its first byte. */
  private takeBack(): void {
    while (this.length > 0 && isContinuation(this.bytes[--this.length]));
  }

  private end(): void {
    const { length, fault } = this;
    this.length = 0;
    this.fault = "";
    const line = fault === "" ? decodeUtf8(this.bytes.subarray(0, length)) : "";
    const first = length > 0 ? this.bytes[0] : 0;
    if (fault !== "") this.refuse(fault, first);
    else if (line === undefined) this.refuse(BROKEN, first);
    else if (line !== "") this.receive(line);
  }
}

function isContinuation(byte: number): boolean {
  return byte >= 0x80 && byte < 0xc0;
}
