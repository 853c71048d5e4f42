import { NEWLINE } from "./characters";
import { InputError, printable } from "../base/errors";
import { SETTINGS } from "../base/settings";
import { decodeUtf8, encodeUtf8 } from "../base/utf8";

/** Bytes that all of them may have together, each with the end of its line. */
export const MAX_OWN_BYTES = 1536;
/** How large a part of what is trained on they are, unless it is said. */
export const DEFAULT_SHARE: number = SETTINGS.own_share.default;

/** Documents of one's own, which join a dataset: a list as a file has it, but in RAM and of bounded size. */
export class OwnWords {
  /** The list; behind its end are zeros. */
  readonly bytes = new Uint8Array(MAX_OWN_BYTES + 1);
  /** How many there are. */
  count = 0;
  /** The probability with which one of them is drawn, from 0 to 1, where there are any. */
  share = DEFAULT_SHARE;
  private size = 0;

  /** @throws InputError for one that is there already, or for which there is no room */
  add(word: string): void {
    if (this.find(word) >= 0) throw new InputError(`"${printable(word)}" is one of your words already.`);
    const line = encodeUtf8(`${word}\n`);
    if (this.size + line.length > MAX_OWN_BYTES)
      throw new InputError(`There is no room for "${printable(word)}": ${MAX_OWN_BYTES} bytes of words at most; forget some.`);
    this.bytes.set(line, this.size);
    this.size += line.length;
    this.count++;
  }

  has(word: string): boolean {
    return this.find(word) >= 0;
  }

  /** @throws InputError for one that is not there */
  forget(word: string): void {
    const at = this.find(word);
    if (at < 0) throw new InputError(`"${printable(word)}" is not one of your words.`);
    const { bytes, size } = this;
    const end = bytes.indexOf(NEWLINE, at) + 1;
    bytes.copyWithin(at, end, size);
    this.size = size - (end - at);
    bytes.fill(0, this.size, size);
    this.count--;
  }

  /** Where word `i` begins. */
  offset(i: number): number {
    let at = 0;
    for (; i > 0; i--) at = this.bytes.indexOf(NEWLINE, at) + 1;
    return at;
  }

  /** All of them, each with a newline behind it. */
  get text(): string {
    return decodeUtf8(this.bytes.subarray(0, this.size)) ?? "";
  }

  /** Where it begins, or -1. */
  private find(word: string): number {
    const wanted = encodeUtf8(word);
    for (let i = 0, at = 0; i < this.count; i++) {
      const end = this.bytes.indexOf(NEWLINE, at);
      if (end - at === wanted.length && wanted.every((byte, k) => byte === this.bytes[at + k])) return at;
      at = end + 1;
    }
    return -1;
  }
}

/** How many words a list of them has, each with the end of its line. */
export function countWords(text: string): number {
  return text.split("\n").length - 1;
}
