/** The alphabet of RFC 4648, section 4. */
const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Encodes bytes as base64 with padding; ECMAScript 2023 has no function for it. */
export function encodeBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const bits = (bytes[i] << 16) | (left > 1 ? bytes[i + 1] << 8 : 0) | (left > 2 ? bytes[i + 2] : 0);
    text += DIGITS[bits >> 18] + DIGITS[(bits >> 12) & 63];
    text += left > 1 ? DIGITS[(bits >> 6) & 63] : "=";
    text += left > 2 ? DIGITS[bits & 63] : "=";
  }
  return text;
}

/** Decodes base64 with padding; undefined when it is invalid or not canonical (unused bits must be 0). */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  for (let i = 0, at = 0; i < text.length; i += 4) {
    let bits = 0;
    for (let k = 0; k < 4; k++) {
      const isPadding = i + k >= text.length - padding;
      const digit = isPadding ? 0 : DIGITS.indexOf(text[i + k]);
      if (digit < 0) return undefined;
      bits = (bits << 6) | digit;
    }
    for (let k = 0; k < 3; k++) {
      const byte = (bits >> (16 - 8 * k)) & 0xff;
      if (at < bytes.length) bytes[at++] = byte;
      else if (byte !== 0) return undefined;
    }
  }
  return bytes;
}
