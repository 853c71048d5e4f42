/*
 * images/index.json, the list of what lies beside the page; docs/page.md describes its format. Whoever has put it
 * there is not trusted: every field is looked at.
 */
import { InputError, printable } from "../../src/gpt/base/errors";
import { CHIPS } from "../../src/flasher/chips";
import { MAX_BYTES } from "../../src/flasher/image";

/** An image as the index tells it. */
export interface Listed {
  /** Its name within images/. */
  readonly file: string;
  /** For people: "ESP32, 4 MB". */
  readonly name: string;
  readonly chip: (typeof CHIPS)[number]["key"];
  readonly flash: "4mb" | "8mb";
  readonly version: string;
  readonly codename: string;
  readonly bytes: number;
  /** Of the file, in 64 hexadecimal digits. */
  readonly sha256: string;
}

export interface Index {
  /** An https address, where the sources of the images are; "" when nobody has said. */
  readonly source: string;
  readonly images: readonly Listed[];
}

/** That of a page with nothing in images/. */
export const NO_IMAGES: Index = { source: "", images: [] };

const MAX_IMAGES = 50;

/** @throws {InputError} when the text is not as docs/page.md says */
export function parseIndex(text: string): Index {
  let index: unknown;
  try {
    index = JSON.parse(text);
  } catch {
    throw wrong("is no JSON");
  }
  if (!isRecord(index) || !Array.isArray(index.images)) throw wrong(`has no list "images"`);
  const { images: list, source = "" } = index;
  if (source !== "" && !(typeof source === "string" && /^https:\/\/[\x21-\x7e]{1,300}$/.test(source)))
    throw wrong(`has a wrong "source"`);
  if (list.length > MAX_IMAGES) throw wrong(`lists more than ${MAX_IMAGES} images`);
  return { source, images: list.map((entry: unknown, i) => parseEntry(entry, `image ${i + 1}`)) };
}

function parseEntry(entry: unknown, where: string): Listed {
  if (!isRecord(entry)) throw wrong(`has no object as ${where}`);
  /** The field, when it is text that the pattern fits. */
  const text = (field: string, pattern: RegExp): string => {
    const value = entry[field];
    if (typeof value !== "string" || !pattern.test(value)) throw wrong(`has a wrong "${field}" in ${where}`);
    return value;
  };
  const chip = CHIPS.find(({ key }) => key === entry.chip);
  if (!chip) throw wrong(`has a wrong "chip" in ${where}`);
  const { flash, bytes } = entry;
  if (flash !== "4mb" && flash !== "8mb") throw wrong(`has a wrong "flash" in ${where}`);
  if (typeof bytes !== "number" || !Number.isInteger(bytes) || bytes < 1 || bytes > MAX_BYTES)
    throw wrong(`has a wrong "bytes" in ${where}`);
  // Full images only, which are written at 0.
  if (entry.offset !== 0) throw wrong(`has a wrong "offset" in ${where}`);
  return {
    // Nothing that could lead out of images/.
    file: text("file", /^[a-z0-9][a-z0-9._-]{0,98}\.bin$/i),
    name: printable(text("name", /^.{1,60}$/s)),
    chip: chip.key,
    flash,
    version: text("version", /^[0-9a-z][0-9a-z.+-]{0,30}$/i),
    codename: text("codename", /^[a-z][a-z0-9-]{0,30}$/i),
    bytes,
    sha256: text("sha256", /^[0-9a-f]{64}$/),
  };
}

function wrong(what: string): InputError {
  return new InputError(`The list of images (images/index.json) ${what}: tell whoever publishes this page.`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
