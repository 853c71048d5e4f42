/*
 * Recognizes files that are given as a dataset or a checkpoint by mistake, by their first bytes.
 */

/** Number of first bytes that are looked at. */
export const HEAD_BYTES = 1024;

/** Pairs: the first bytes of a file, one per character, and what it is. */
const SIGNATURES = Object.freeze([
  "version https://git-lfs.github.com/spec/",
  "a Git LFS pointer, not the file itself: git lfs pull fetches that",
  "PK\u0003\u0004",
  "a ZIP archive, as .docx, .npz and PyTorch's .pt are",
  "\u001f\u008b",
  "packed by gzip: unpack it",
  "\u00fd7zXZ",
  "packed by xz: unpack it",
  "BZh91AY",
  "packed by bzip2: unpack it",
  "\u0028\u00b5\u002f\u00fd",
  "packed by zstd: unpack it",
  "%PDF-",
  "a PDF document, not its text",
  "{\\rtf",
  "a document in RTF, not its text",
]);

const HTML = "an HTML page: download the file itself; on GitHub, click Raw";
const HTML_TAGS = Object.freeze(["<!doctype html", "<html"]);
/** Bytes of the header's length, with which a safetensors file begins; the last five are zero in any that is read. */
const LENGTH_BYTES = 8;
/** Larger bytes do not occur in UTF-8. */
const MAX_UTF8_BYTE = 0xf4;
const SPACE = 0x20;

/**
 * What a file is that was given by mistake, with what to do; undefined if it may be what is wanted.
 * @param head its first bytes, at most HEAD_BYTES of them
 */
export function foreignKind(head: Uint8Array, wanted: "list" | "checkpoint"): string | undefined {
  let at = begins(head, 0, "\u00ef\u00bb\u00bf") ? 3 : 0;
  for (let i = 0; i < SIGNATURES.length; i += 2) if (begins(head, at, SIGNATURES[i])) return SIGNATURES[i + 1];
  at = behindPreamble(head, at);
  for (const tag of HTML_TAGS) {
    const behind = head[at + tag.length];
    // The tag's name must end there, as a longer word may begin with it.
    if (begins(head, at, tag) && (behind === 0x3e || isWhite(behind))) return HTML;
  }
  return wanted === "list" ? safetensorsKind(head) : undefined;
}

function safetensorsKind(head: Uint8Array): string | undefined {
  for (let i = LENGTH_BYTES - 5; i < LENGTH_BYTES; i++) if (head[i] !== 0) return undefined;
  return begins(head, LENGTH_BYTES, "{") ? "a checkpoint in safetensors, not a list of names" : undefined;
}

/** Whether a checkpoint begins like text. As a header's length, such bytes would be far too large. */
export function isText(head: Uint8Array): boolean {
  for (let i = 0; i < LENGTH_BYTES; i++) if (!((head[i] >= SPACE && head[i] <= MAX_UTF8_BYTE) || isWhite(head[i]))) return false;
  return true;
}

/** Whether the bytes at `at` are those of a text; its lower-case letters match capitals as well. */
function begins(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const byte = bytes[at + i];
    const small = byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
    if (byte !== text.charCodeAt(i) && small !== text.charCodeAt(i)) return false;
  }
  return true;
}

/** Skips what may precede the first tag: white space, comments and XML declarations. */
function behindPreamble(bytes: Uint8Array, at: number): number {
  for (;;) {
    while (at < bytes.length && isWhite(bytes[at])) at++;
    const end = begins(bytes, at, "<!--") ? "-->" : begins(bytes, at, "<?") ? "?>" : undefined;
    if (end === undefined) return at;
    while (at < bytes.length && !begins(bytes, at, end)) at++;
    at += end.length;
  }
}

function isWhite(byte: number): boolean {
  return byte === SPACE || (byte >= 9 && byte <= 13);
}
