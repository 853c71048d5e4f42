import { codePointAt } from "../base/utf8";

/*
 * Which characters a document may have, and which white space around it does not belong to it.
 */

export const NEWLINE = 10;
export const RETURN = 13;
export const SPACE = 32;

/**
 * White space as Python's strip() takes it: U+0009–000D, 001C–0020, 0085, 00A0, 1680, 2000–200A, 2028,
 * 2029, 202F, 205F, 3000.
 */
export function isWhite(codePoint: number): boolean {
  if (codePoint < 0x80) return codePoint === SPACE || (codePoint >= 9 && codePoint <= 13) || isSeparator(codePoint);
  if (codePoint < 0x1680) return codePoint === 0x85 || codePoint === 0xa0;
  return (
    codePoint === 0x1680 ||
    (codePoint >= 0x2000 && codePoint <= 0x200a) ||
    codePoint === 0x2028 ||
    codePoint === 0x2029 ||
    codePoint === 0x202f ||
    codePoint === 0x205f ||
    codePoint === 0x3000
  );
}

function isSeparator(codePoint: number): boolean {
  return codePoint >= 0x1c && codePoint <= 0x1f;
}

/**
 * Whether a document may have it: not the controls C0 and C1, U+2028 and U+2029, which end lines, and the
 * bidirectional controls (Unicode's property Bidi_Control), which would make a line look like another, and
 * no half of a surrogate pair, which UTF-8 does not have either.
 */
export function isAdmissible(codePoint: number): boolean {
  if (codePoint < 0x80) return codePoint >= SPACE && codePoint < 0x7f;
  if (codePoint < 0xa0) return false;
  if (codePoint < 0x61c) return true;
  return !(
    codePoint === 0x61c ||
    codePoint === 0x200e ||
    codePoint === 0x200f ||
    (codePoint >= 0x2028 && codePoint <= 0x202e) ||
    (codePoint >= 0x2066 && codePoint <= 0x2069) ||
    (codePoint >= 0xd800 && codePoint <= 0xdfff)
  );
}

/** Whether a byte ends a line: LF, CR, or CR LF, of which either byte does. */
export function isLineEnd(byte: number): boolean {
  return byte === NEWLINE || byte === RETURN;
}

/** Bytes of the white space at `at` that ends no line: 0 where something else stands. */
export function whiteSize(bytes: Uint8Array, at: number): number {
  let end = at;
  for (;;) {
    const byte = bytes[end];
    if (byte < 0x80) {
      if (isLineEnd(byte) || !isWhite(byte)) break;
      end++;
    } else {
      // The first bytes of white space in UTF-8; most text needs not be decoded.
      if (byte !== 0xc2 && byte !== 0xe1 && byte !== 0xe2 && byte !== 0xe3) break;
      if (!isWhite(codePointAt(bytes, end))) break;
      end += byte === 0xc2 ? 2 : 3;
    }
  }
  return end - at;
}

const BYTE_ORDER_MARK = Object.freeze([0xef, 0xbb, 0xbf]);

/** Where the text begins: behind the byte-order mark, where there is one. */
export function beginOf(bytes: Uint8Array): number {
  return BYTE_ORDER_MARK.every((byte, i) => bytes[i] === byte) ? BYTE_ORDER_MARK.length : 0;
}
