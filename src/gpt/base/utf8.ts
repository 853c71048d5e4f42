const LAST = 0x10ffff;
/** Replaces a lone surrogate, which UTF-8 cannot encode. */
const REPLACEMENT = 0xfffd;
/** Maximum one-byte characters that are converted to text at once. */
const PIECE = 64;
/** Maximum bytes for each unit of a text's length: on XS, a character that is a pair elsewhere has the length 1. */
const LONGEST = 4;

/** Size of a code point in UTF-8, in bytes. */
export function utf8Size(codePoint: number): number {
  return codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
}

/** Byte `i` of the `size` UTF-8 bytes of a code point. */
export function utf8Byte(codePoint: number, size: number, i: number): number {
  if (size === 1) return codePoint;
  const bits = codePoint >> (6 * (size - 1 - i));
  return i === 0 ? ((0xf00 >> size) & 0xff) | bits : 0x80 | (bits & 0x3f);
}

/**
 * Decodes the code point at byte `at`; -1 if the bytes are not valid UTF-8 (RFC 3629): overlong forms,
 * surrogates, code points beyond U+10FFFF, truncated sequences.
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

/** Decodes UTF-8; undefined if the bytes are not valid. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  const pieces: string[] = [];
  const { length } = bytes;
  for (let at = 0; at < length;) {
    const last = Math.min(length, at + PIECE);
    let end = at;
    while (end < last && bytes[end] < 0x80) end++;
    if (end > at) pieces.push(String.fromCharCode.apply(undefined, bytes.subarray(at, end) as unknown as number[]));
    else {
      const codePoint = codePointAt(bytes, at);
      if (codePoint < 0) return undefined;
      pieces.push(String.fromCodePoint(codePoint));
      end = at + utf8Size(codePoint);
    }
    at = end;
  }
  return pieces.join("");
}

/** Encodes a text in UTF-8; a lone surrogate becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  // Counting the bytes first would take a second pass, which leaves as much garbage again. Most texts are ASCII.
  let bytes = new Uint8Array(text.length);
  let at = 0;
  for (const character of text) {
    let codePoint = character.codePointAt(0) ?? 0;
    if (codePoint < 0x80) {
      bytes[at++] = codePoint;
      continue;
    }
    if (bytes.length === text.length) bytes = withRoom(bytes, LONGEST * text.length);
    if (isSurrogate(codePoint)) codePoint = REPLACEMENT;
    const size = utf8Size(codePoint);
    for (let i = 0; i < size; i++) bytes[at++] = utf8Byte(codePoint, size, i);
  }
  return at === bytes.length ? bytes : bytes.slice(0, at);
}

function withRoom(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(length);
  copy.set(bytes);
  return copy;
}

function isSurrogate(codePoint: number): boolean {
  return codePoint >= 0xd800 && codePoint <= 0xdfff;
}
