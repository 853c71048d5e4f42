import { ByteReader } from "./byte-reader";
import { codePointAt, decodeUtf8 } from "../base/utf8";
import type { StoredFile } from "../base/platform";

/** Maximum bytes of a string that are decoded at once. */
const PIECE_BYTES = 64;
/** Maximum characters of a number: no valid number of a header has more. */
const MAX_NUMBER_LENGTH = 32;
/** Maximum nesting of objects and lists. The header of a safetensors file needs three levels. */
const MAX_DEPTH = 16;

const SPACE = 0x20;
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const UPPER_E = 0x45;
const BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const BRACKET_END = 0x5d;
const LOWER_E = 0x65;
const LOWER_U = 0x75;
const BRACE = 0x7b;
const BRACE_END = 0x7d;

/**
 * A streaming parser of JSON (RFC 8259) in a part of a file. Beside the strings that it returns, it takes the same few
 * hundred bytes of memory for any length and depth of the text. JSON.parse would allocate everything, on XS would never
 * free the names of members, and would need stack for each level.
 */
export class JsonReader {
  /** Whether the last string was longer than its limit, and how many of its bytes were kept. */
  wasCut = false;
  keptBytes = 0;
  private readonly bytes: ByteReader;
  private readonly piece = new Uint8Array(PIECE_BYTES);
  private readonly character = new Uint8Array(4);

  /**
   * @param position offset of the first byte
   * @param end offset after the last byte
   * @param bad makes the error for invalid JSON or UTF-8, from words that end a sentence about the text
   */
  constructor(
    file: StoredFile,
    position: number,
    end: number,
    private readonly bad: (what: string) => Error,
  ) {
    this.bytes = new ByteReader(file, position, end, () => bad("ends early"));
  }

  /** The next byte that is not white space, which is not consumed; -1 at the end. */
  next(): number {
    for (;;) {
      const byte = this.bytes.peek();
      if (byte !== SPACE && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
      this.bytes.take();
    }
  }

  get isObject(): boolean {
    return this.next() === BRACE;
  }

  get isList(): boolean {
    return this.next() === BRACKET;
  }

  get isString(): boolean {
    return this.next() === QUOTE;
  }

  get isNumber(): boolean {
    const byte = this.next();
    return byte === MINUS || isDigit(byte);
  }

  /** Reads an object; `member` must read or skip the value of each member. @param keyBytes limit for its name */
  object(keyBytes: number, member: (key: string) => void): void {
    this.expect(BRACE);
    if (this.takes(BRACE_END)) return;
    do {
      const key = this.string(keyBytes);
      this.expect(COLON);
      member(key);
    } while (this.takes(COMMA));
    this.expect(BRACE_END);
  }

  /** Reads an array; `element` must read or skip each value. */
  list(element: () => void): void {
    this.expect(BRACKET);
    if (this.takes(BRACKET_END)) return;
    do element();
    while (this.takes(COMMA));
    this.expect(BRACKET_END);
  }

  /** Reads a string; returns its beginning, up to the character that reaches `mostBytes`. See wasCut. */
  string(mostBytes: number): string {
    this.expect(QUOTE);
    const { piece } = this;
    const pieces: string[] = [];
    let used = 0;
    this.wasCut = false;
    this.keptBytes = 0;
    for (;;) {
      if (this.keptBytes < mostBytes) {
        const end = Math.min(PIECE_BYTES, used + mostBytes - this.keptBytes);
        const taken = this.bytes.takePlain(piece, used, end);
        this.keptBytes += taken - used;
        used = taken;
      }
      let byte = this.takeByte();
      if (byte === QUOTE) break;
      if (byte < SPACE) throw this.notJson();
      if (this.keptBytes >= mostBytes) this.wasCut = true;
      let unit = -1;
      if (byte === BACKSLASH) {
        byte = this.takeByte();
        unit = byte === LOWER_U ? this.hexadecimal() : unescaped(byte);
        if (unit < 0) throw this.notJson();
      } else if (byte >= 0x80) {
        const size = this.takeCharacter(byte);
        if (this.wasCut) continue;
        if (used + size > PIECE_BYTES) used = flush(piece, used, pieces);
        piece.set(this.character.subarray(0, size), used);
        used += size;
        this.keptBytes += size;
        continue;
      }
      if (this.wasCut) continue;
      if (unit >= 0x80 || used === PIECE_BYTES) used = flush(piece, used, pieces);
      if (unit >= 0x80) pieces.push(String.fromCharCode(unit));
      else piece[used++] = unit >= 0 ? unit : byte;
      this.keptBytes += unit >= 0x80 ? 3 : 1;
    }
    flush(piece, used, pieces);
    return pieces.join("");
  }

  /** Reads a number; NaN if it has more than MAX_NUMBER_LENGTH characters. */
  number(): number {
    let text = "";
    let length = 0;
    const take = (): void => {
      const byte = this.takeByte();
      if (length++ < MAX_NUMBER_LENGTH) text += String.fromCharCode(byte);
    };
    const digits = (): void => {
      if (!isDigit(this.peek())) throw this.notJson();
      while (isDigit(this.peek())) take();
    };
    if (this.next() === MINUS) take();
    if (this.peek() === ZERO) take();
    else digits();
    if (this.peek() === DOT) {
      take();
      digits();
    }
    if (this.peek() === LOWER_E || this.peek() === UPPER_E) {
      take();
      if (this.peek() === PLUS || this.peek() === MINUS) take();
      digits();
    }
    return length > MAX_NUMBER_LENGTH ? NaN : Number(text);
  }

  /** Skips a value of any type. */
  skip(): void {
    let depth = 0;
    /** A bit for each level, the lowest for the innermost: 1 for an object, 0 for an array. */
    let kinds = 0;
    for (;;) {
      const byte = this.next();
      if (byte === BRACE || byte === BRACKET) {
        if (++depth > MAX_DEPTH) throw this.bad(`is not JSON, or has more than ${MAX_DEPTH} levels`);
        this.bytes.take();
        kinds = 2 * kinds + (byte === BRACE ? 1 : 0);
        const isEmpty = this.next() === (byte === BRACE ? BRACE_END : BRACKET_END);
        if (!isEmpty) {
          if (byte === BRACE) this.skipKey();
          continue;
        }
      } else this.skipScalar(byte);
      for (;;) {
        if (depth === 0) return;
        const isInObject = (kinds & 1) === 1;
        if (this.takes(COMMA)) {
          if (isInObject) this.skipKey();
          break;
        }
        this.expect(isInObject ? BRACE_END : BRACKET_END);
        kinds >>= 1;
        depth--;
      }
    }
  }

  /** @throws what `bad` makes, if anything but white space follows */
  finish(): void {
    if (this.next() >= 0) throw this.notJson();
  }

  private skipKey(): void {
    this.string(0);
    this.expect(COLON);
  }

  private skipScalar(byte: number): void {
    if (byte === QUOTE) this.string(0);
    else if (byte === MINUS || isDigit(byte)) this.number();
    else if (byte === 0x74) this.word("true");
    else if (byte === 0x66) this.word("false");
    else if (byte === 0x6e) this.word("null");
    else throw this.notJson();
  }

  private word(word: string): void {
    for (let i = 0; i < word.length; i++) if (this.takeByte() !== word.charCodeAt(i)) throw this.notJson();
  }

  private expect(byte: number): void {
    if (!this.takes(byte)) throw this.notJson();
  }

  private takes(byte: number): boolean {
    if (this.next() !== byte) return false;
    this.bytes.take();
    return true;
  }

  /** Reads four hexadecimal digits. */
  private hexadecimal(): number {
    let unit = 0;
    for (let i = 0; i < 4; i++) {
      const byte = this.takeByte();
      const lower = byte | 0x20;
      if (isDigit(byte)) unit = 16 * unit + byte - ZERO;
      else if (lower >= 0x61 && lower <= 0x66) unit = 16 * unit + lower - 0x57;
      else throw this.notJson();
    }
    return unit;
  }

  /** Reads the rest of a multi-byte character into `character`; returns its size in bytes. */
  private takeCharacter(first: number): number {
    const { character } = this;
    const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    character[0] = first;
    for (let i = 1; i < size; i++) character[i] = this.takeByte();
    if (codePointAt(character, 0) < 0) throw this.bad("is not UTF-8");
    return size;
  }

  private takeByte(): number {
    const byte = this.bytes.peek();
    if (byte < 0) throw this.notJson();
    this.bytes.take();
    return byte;
  }

  private peek(): number {
    return this.bytes.peek();
  }

  private notJson(): Error {
    return this.bad("is not JSON");
  }
}

function flush(piece: Uint8Array, used: number, pieces: string[]): number {
  if (used > 0) pieces.push(decodeUtf8(piece.subarray(0, used)) ?? "");
  return 0;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

/** The character that an escape sequence stands for, from its second byte; -1 if there is no such sequence. */
function unescaped(byte: number): number {
  switch (byte) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f:
      return byte;
    case 0x62:
      return 0x08;
    case 0x66:
      return 0x0c;
    case 0x6e:
      return 0x0a;
    case 0x72:
      return 0x0d;
    case 0x74:
      return 0x09;
    default:
      return -1;
  }
}
