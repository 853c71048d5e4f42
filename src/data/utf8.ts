const LAST = 0x10ffff;
/** What stands for a surrogate without its partner, which UTF-8 has no bytes for. */
const REPLACEMENT = 0xfffd;
/** Characters that are put together before they join the text: the cost of a text stays linear. */
const PIECE = 32;

/** Bytes that a code point takes in UTF-8. */
export function utf8Size(codePoint: number): number {
  return codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
}

/**
 * The code point whose bytes begin at `at`, or -1 where the bytes there are not UTF-8 (RFC 3629):
 * overlong forms, surrogates, code points beyond U+10FFFF and what is cut off are not.
 */
export function codePointAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at];
  if (first < 0x80) return first;
  const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (!(first >= 0xc2 && first <= 0xf4)) return -1;
  let codePoint = first & (0x7f >> size);
  for (let i = 1; i < size; i++) {
    const byte = bytes[at + i];
    if (!(byte >= 0x80 && byte < 0xc0)) return -1;
    codePoint = (codePoint << 6) | (byte & 0x3f);
  }
  const isSound = utf8Size(codePoint) === size && codePoint <= LAST && !isSurrogate(codePoint);
  return isSound ? codePoint : -1;
}

/** The text that the bytes are, or undefined when they are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  const pieces: string[] = [];
  let piece = "";
  for (let at = 0; at < bytes.length;) {
    const codePoint = codePointAt(bytes, at);
    if (codePoint < 0) return undefined;
    at += utf8Size(codePoint);
    piece += String.fromCodePoint(codePoint);
    if (piece.length < PIECE) continue;
    pieces.push(piece);
    piece = "";
  }
  return pieces.join("") + piece;
}

export function encodeUtf8(text: string): Uint8Array {
  let size = 0;
  for (const character of text) size += utf8Size(character.codePointAt(0) ?? 0);
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const character of text) {
    let codePoint = character.codePointAt(0) ?? 0;
    if (isSurrogate(codePoint)) codePoint = REPLACEMENT;
    const end = at + utf8Size(codePoint);
    bytes[at] = end - at === 1 ? codePoint : ((0xf00 >> (end - at)) & 0xff) | (codePoint >> (6 * (end - at - 1)));
    while (++at < end) bytes[at] = 0x80 | ((codePoint >> (6 * (end - at - 1))) & 0x3f);
  }
  return bytes;
}

function isSurrogate(codePoint: number): boolean {
  return codePoint >= 0xd800 && codePoint <= 0xdfff;
}
