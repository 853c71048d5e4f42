import type { StoredFile } from "../base/platform";

const BUFFER_BYTES = 512;

/** Reads a part of a file byte by byte, through a small buffer. */
export class ByteReader {
  private readonly buffer = new Uint8Array(BUFFER_BYTES);
  private filled = 0;
  private at = 0;

  /**
   * @param position offset of the first byte
   * @param end offset after the last byte
   * @param tooShort makes the error for a file that ends before `end`
   */
  constructor(
    private readonly file: StoredFile,
    private position: number,
    private readonly end: number,
    private readonly tooShort: () => Error,
  ) {}

  /** The next byte, which is not consumed; -1 at the end. */
  peek(): number {
    if (this.at < this.filled) return this.buffer[this.at];
    const wanted = Math.min(BUFFER_BYTES, this.end - this.position);
    if (wanted <= 0) return -1;
    const count = this.file.read(this.position, this.buffer.subarray(0, wanted));
    if (count < wanted) throw this.tooShort();
    this.position += count;
    this.filled = count;
    this.at = 0;
    return this.buffer[0];
  }

  /**
   * Consumes bytes of the buffer, from `#` to DEL without the backslash: they stand for themselves in a string of JSON.
   * Copies them to `into`, from index `from` up to `end` - 1, and returns the index after the last. A byte takes a third
   * of the bytecodes of peek() and take().
   */
  takePlain(into: Uint8Array, from: number, end: number): number {
    const { buffer } = this;
    let { at } = this;
    const shift = from - at;
    const last = Math.min(this.filled, end - shift);
    let byte: number;
    for (; at < last; at++) {
      byte = buffer[at];
      if (byte <= 0x22 || byte === 0x5c || byte >= 0x80) break;
      into[at + shift] = byte;
    }
    this.at = at;
    return at + shift;
  }

  /** Consumes the byte that peek() has returned. */
  take(): void {
    this.at++;
  }
}
