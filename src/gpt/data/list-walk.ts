import { isMark } from "./canonical";
import { beginOf, isAdmissible, isLineEnd, NEWLINE, RETURN, SPACE, whiteSize } from "./characters";
import { isVisible } from "../base/errors";
import { codePointAt, utf8Size } from "../base/utf8";

/*
 * What messages say of a list: where something stands in it. Nothing here needs to be fast.
 */

/** Takes a character of a document; `before` is the one before it there, or -1. */
export type TakeCharacter = (codePoint: number, line: number, before: number) => void;

/** Passes over all characters of all documents of a list, sound or not, line by line. */
export class ListWalk {
  private at: number;
  private line = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly take: TakeCharacter,
  ) {
    this.at = beginOf(bytes);
  }

  /** Passes over a line; false when there is no more. */
  next(): boolean {
    const { bytes, take } = this;
    let at = this.at;
    if (at >= bytes.length) return false;
    this.line++;
    at += whiteSize(bytes, at);
    for (let before = -1; !isDocumentEnd(bytes, at);) {
      const codePoint = codePointAt(bytes, at);
      if (isAdmissible(codePoint)) take(codePoint, this.line, before);
      at += codePoint < 0 ? 1 : utf8Size(codePoint);
      before = codePoint;
    }
    at += whiteSize(bytes, at);
    if (bytes[at] === RETURN && bytes[at + 1] === NEWLINE) at++;
    this.at = at + 1;
    return true;
  }

  run(): void {
    while (this.next());
  }
}

/** Whether nothing but white space stands from `at` on in its line. */
export function isDocumentEnd(bytes: Uint8Array, at: number): boolean {
  const byte = bytes[at];
  if (byte > SPACE && byte < 0x80) return false;
  const end = at + whiteSize(bytes, at);
  return end >= bytes.length || isLineEnd(bytes[end]);
}

/** The first line that has a character; 0 where none has it. */
export function lineWith(bytes: Uint8Array, wanted: number): number {
  let first = 0;
  const walk = new ListWalk(bytes, (codePoint, line) => {
    if (first === 0 && codePoint === wanted) first = line;
  });
  while (first === 0 && walk.next());
  return first;
}

/** A character for a message: what cannot be seen by itself as its code. */
export function describe(codePoint: number): string {
  if (codePoint === SPACE) return "a space";
  return isVisible(codePoint) && !isMark(codePoint) ? `"${String.fromCodePoint(codePoint)}"` : codeOf(codePoint);
}

export function codeOf(codePoint: number): string {
  return `U+${hex(codePoint, 4).toUpperCase()}`;
}

/** At least so many digits. */
export function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
