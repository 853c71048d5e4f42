import { decodeBase64, encodeBase64 } from "../../src/protocol/base64";

/*
 * A short list of the user's own as a part of a link's fragment, which browsers do not send to servers: the text,
 * compressed (RFC 1951), in base64url.
 */

const NAME = "words";
/** Maximum length of the part: longer links are cut off by some programs. */
const LONGEST = 1800;
/** Maximum size of a list from a link, in bytes. */
const LARGEST = 64 << 10;

/** The part of a fragment that carries a list; undefined if it is too long for a link. */
export async function listToFragment(bytes: Uint8Array): Promise<string | undefined> {
  if (bytes.length > LARGEST) return undefined;
  const packed = await piped(bytes, new CompressionStream("deflate-raw"), Infinity);
  if (!packed) return undefined;
  const text = encodeBase64(packed).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  return text.length <= LONGEST ? `${NAME}=${text}` : undefined;
}

/** The list in a fragment; undefined if it has none, or one that is damaged or too large. */
export async function listFromFragment(fragment: string): Promise<Uint8Array | undefined> {
  const text = fragment
    .split("&")
    .find((part) => part.startsWith(`${NAME}=`))
    ?.slice(NAME.length + 1);
  if (text === undefined || text.length > LONGEST) return undefined;
  const padded = text
    .replaceAll("-", "+")
    .replaceAll("_", "/")
    .padEnd(Math.ceil(text.length / 4) * 4, "=");
  const packed = decodeBase64(padded);
  return packed && piped(packed, new DecompressionStream("deflate-raw"), LARGEST);
}

/** Whether a fragment carries a list, damaged or not. */
export function hasList(fragment: string): boolean {
  return fragment.split("&").some((part) => part.startsWith(`${NAME}=`));
}

/** What a stream makes of some bytes; undefined if it fails, or if it is more than `most` bytes. */
async function piped(
  bytes: Uint8Array,
  through: ReadableWritablePair<Uint8Array, BufferSource>,
  most: number,
): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  const reader = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(through).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      pieces.push(value);
      length += value.length;
      if (length <= most) continue;
      await reader.cancel();
      return undefined;
    }
  } catch {
    return undefined;
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
