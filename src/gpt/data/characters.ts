import { codePointAt } from "../base/utf8";

/*
 * Which characters a document may have, and which white space around it is trimmed.
 */

export const NEWLINE = 10;
export const RETURN = 13;
export const SPACE = 32;

/**
 * White space as in Python's strip(): U+0009–000D, 001C–0020, 0085, 00A0, 1680, 2000–200A, 2028,
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
 * Whether a document may have a character. Excluded are the controls C0 and C1; U+2028 and U+2029, which end
 * lines; the bidirectional controls (Unicode's property Bidi_Control), which can make a line look like another;
 * and surrogates, which UTF-8 does not encode.
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

/** Whether a byte ends a line: LF or CR; in CR LF, both are line ends. */
export function isLineEnd(byte: number): boolean {
  return byte === NEWLINE || byte === RETURN;
}

/** Bytes of white space from `at` on, up to a line end or another character. */
export function whiteSize(bytes: Uint8Array, at: number): number {
  let end = at;
  for (;;) {
    const byte = bytes[end];
    if (byte < 0x80) {
      if (isLineEnd(byte) || !isWhite(byte)) break;
      end++;
    } else {
      // The lead bytes of white space in UTF-8; most text need not be decoded.
      if (byte !== 0xc2 && byte !== 0xe1 && byte !== 0xe2 && byte !== 0xe3) break;
      if (!isWhite(codePointAt(bytes, end))) break;
      end += byte === 0xc2 ? 2 : 3;
    }
  }
  return end - at;
}

const BYTE_ORDER_MARK = Object.freeze([0xef, 0xbb, 0xbf]);

/** Where the text begins: after the byte-order mark, if there is one. */
export function beginOf(bytes: Uint8Array): number {
  return BYTE_ORDER_MARK.every((byte, i) => bytes[i] === byte) ? BYTE_ORDER_MARK.length : 0;
}
