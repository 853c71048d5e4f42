/*
 * UTF-8 with the encoder and decoder of a page or Node: in dist/inference.js it takes the place of src/gpt/base/utf8.ts,
 * as XS has neither.
 */

/** Bytes of a code point in UTF-8. */
export function utf8Size(codePoint: number): number {
  return codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
}

/** A text in UTF-8; a lone surrogate becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The text of UTF-8; undefined if that is not valid. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The code point at byte `at` of valid UTF-8. */
export function codePointAt(bytes: Uint8Array, at: number): number {
  const size = Math.max(1, Math.clz32(~bytes[at] << 24));
  return decodeUtf8(bytes.subarray(at, at + size))?.codePointAt(0) ?? -1;
}
