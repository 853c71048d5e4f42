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

  /** Consumes the byte that peek() has returned. */
  take(): void {
    this.at++;
  }
}
