/* The images that lie beside the page, in images/. */
import { InputError, printable } from "../../src/gpt/base/errors";
import { type Image, readImage } from "../../src/flasher/image";
import { type Index, type Listed, NO_IMAGES, parseIndex } from "./image-index";

/** In bytes. */
export const FLASH_SIZES: Record<Listed["flash"], number> = { "4mb": 4 * 2 ** 20, "8mb": 8 * 2 ** 20 };

/**
 * What lies beside the page; nothing when there is no index.
 * @throws {InputError} when the index cannot be fetched, or is not as docs/page.md says
 */
export async function fetchIndex(): Promise<Index> {
  const bytes = await request("index.json");
  return bytes ? parseIndex(new TextDecoder().decode(bytes)) : NO_IMAGES;
}

/**
 * An image of the index, found to be what the index says.
 * @throws {InputError} when it cannot be fetched, or is something else
 */
export async function fetchImage(listed: Listed): Promise<Image> {
  const file = printable(listed.file);
  const bytes = await request(listed.file);
  if (!bytes) throw new InputError(`${file} is not there, although the list has it: tell whoever publishes this page.`);
  const hash = await sha256(bytes);
  const isSame = bytes.length === listed.bytes && toHex(hash) === listed.sha256;
  if (!isSame)
    throw new InputError(
      `${file} is not the file that the list describes (its SHA-256 differs): reload the page, and tell whoever publishes it.`,
    );
  const image = await readImage(bytes, listed.file, sha256);
  if (image.chip.key !== listed.chip || image.flashSize !== FLASH_SIZES[listed.flash])
    throw new InputError(`${file} is for another chip or flash than the list says: tell whoever publishes this page.`);
  return image;
}

/** The content of a file; undefined when it is not there. */
async function request(file: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  let status = "the connection failed";
  try {
    const answer = await fetch(`images/${file}`, { cache: "no-cache" });
    // Some hosts answer with a page of theirs where there is nothing.
    const isPage = answer.headers.get("content-type")?.startsWith("text/html") ?? false;
    if (answer.status === 404 || isPage) return undefined;
    if (answer.ok) return new Uint8Array(await answer.arrayBuffer());
    status = `the server says ${answer.status}`;
  } catch {
    // A connection that broke has nothing more to say.
  }
  throw new InputError(`images/${printable(file)} cannot be fetched (${status}): reload the page.`);
}

export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
