import { isMark } from "./canonical";
import { beginOf, isAdmissible, isLineEnd, NEWLINE, RETURN, SPACE, whiteSize } from "./characters";
import { isVisible } from "../base/errors";
import { codePointAt, utf8Size } from "../base/utf8";

/*
 * Finds lines and characters of a dataset for messages. Nothing here needs to be fast.
 */

/** Receives a character of a document; `before` is the character before it, or -1. */
export type TakeCharacter = (codePoint: number, line: number, before: number) => void;

/** Walks over the characters of all documents of a dataset, valid or not, line by line. */
export class ListWalk {
  private at: number;
  private line = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly take: TakeCharacter,
  ) {
    this.at = beginOf(bytes);
  }

  /** Walks over a line; false at the end. */
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

/** Whether only white space follows from `at` to the end of the line. */
export function isDocumentEnd(bytes: Uint8Array, at: number): boolean {
  const byte = bytes[at];
  if (byte > SPACE && byte < 0x80) return false;
  const end = at + whiteSize(bytes, at);
  return end >= bytes.length || isLineEnd(bytes[end]);
}

/** The first line that has a character; 0 if none has it. */
export function lineWith(bytes: Uint8Array, wanted: number): number {
  let first = 0;
  const walk = new ListWalk(bytes, (codePoint, line) => {
    if (first === 0 && codePoint === wanted) first = line;
  });
  while (first === 0 && walk.next());
  return first;
}

/** A character for a message: as its code if it is invisible or a mark. */
export function describe(codePoint: number): string {
  if (codePoint === SPACE) return "a space";
  return isVisible(codePoint) && !isMark(codePoint) ? `"${String.fromCodePoint(codePoint)}"` : codeOf(codePoint);
}

export function codeOf(codePoint: number): string {
  return `U+${hex(codePoint, 4).toUpperCase()}`;
}

/** A number in hexadecimal, with at least `digits` digits. */
export function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
