import { NEWLINE } from "./characters";
import { InputError, printable } from "../base/errors";
import { SETTINGS } from "../base/settings";
import { decodeUtf8, encodeUtf8 } from "../base/utf8";

/** Maximum total size of the words, each with its newline, in bytes. */
export const MAX_OWN_BYTES = 1536;
/** Default probability of drawing one of the words in training. */
export const DEFAULT_SHARE: number = SETTINGS.own_share.default;

/** Words of the user, documents that are added to a dataset: stored like its file, but in RAM and of bounded size. */
export class OwnWords {
  /** The words, one per line, followed by zeros. */
  readonly bytes = new Uint8Array(MAX_OWN_BYTES + 1);
  /** Number of words. */
  count = 0;
  /** Probability of drawing one of the words, from 0 to 1, if there are any. */
  share = DEFAULT_SHARE;
  private size = 0;

  /** @throws InputError if the word is there already, or does not fit */
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

  /** @throws InputError if the word is not there */
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

  /** Byte offset of word `i`. */
  offset(i: number): number {
    let at = 0;
    for (; i > 0; i--) at = this.bytes.indexOf(NEWLINE, at) + 1;
    return at;
  }

  /** All words, each followed by a newline. */
  get text(): string {
    return decodeUtf8(this.bytes.subarray(0, this.size)) ?? "";
  }

  /** Byte offset of a word, or -1. */
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

/** Number of words in a text where each is followed by a newline. */
export function countWords(text: string): number {
  return text.split("\n").length - 1;
}
