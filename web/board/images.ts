/*
 * The images that lie beside the page, in images/, as images/index.json lists them. README says how that
 * file looks.
 */
import { InputError, printable } from "../../src/errors";
import { CHIPS } from "./chips";
import { type Image, MOST_BYTES, readImage } from "./image";

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

const MOST_IMAGES = 50;
const FLASH_SIZES: Record<Listed["flash"], number> = { "4mb": 4 * 2 ** 20, "8mb": 8 * 2 ** 20 };

/**
 * What lies beside the page; nothing when there is no index.
 * @throws {InputError} when the index cannot be fetched, or is not as README says
 */
export async function fetchIndex(): Promise<Index> {
  const answer = await request("index.json");
  // Some hosts answer with a page of theirs where there is nothing.
  const isPage = answer.headers.get("content-type")?.startsWith("text/html") ?? false;
  if (answer.status === 404 || isPage) return { source: "", images: [] };
  if (!answer.ok) throw new InputError(`The list of images cannot be fetched (the server says ${answer.status}).`);
  return parseIndex(await answer.text());
}

/**
 * An image of the index, found to be what the index says.
 * @throws {InputError} when it cannot be fetched, or is something else
 */
export async function fetchImage(listed: Listed): Promise<Image> {
  const file = printable(listed.file);
  const answer = await request(listed.file);
  if (!answer.ok) throw new InputError(`${file} cannot be fetched (the server says ${answer.status}).`);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const isSame = bytes.length === listed.bytes && toHex(hash) === listed.sha256;
  if (!isSame)
    throw new InputError(
      `${file} is not the file that the list describes (its SHA-256 differs): reload the page, and tell whoever publishes it.`,
    );
  const image = await readImage(bytes, listed.file);
  if (image.chip.key !== listed.chip || image.flashSize !== FLASH_SIZES[listed.flash])
    throw new InputError(`${file} is for another chip or flash than the list says: tell whoever publishes this page.`);
  return image;
}

async function request(file: string): Promise<Response> {
  try {
    return await fetch(`images/${file}`, { cache: "no-cache" });
  } catch {
    throw new InputError(`images/${printable(file)} cannot be fetched: is there a connection?`);
  }
}

/** @throws {InputError} */
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
  if (list.length > MOST_IMAGES) throw wrong(`lists more than ${MOST_IMAGES} images`);
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
  if (typeof bytes !== "number" || !Number.isInteger(bytes) || bytes < 1 || bytes > MOST_BYTES)
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

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
