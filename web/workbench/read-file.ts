import { InputError, printable } from "../../src/gpt/base/errors";

/**
 * Reads a file.
 * @param name its name in messages
 * @param most maximum size in bytes
 * @throws InputError (as a rejection) when it is larger or cannot be read
 */
export async function readFile(name: string, file: Blob, most: number): Promise<Uint8Array> {
  if (file.size > most) throw tooLarge(name, most);
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    throw new InputError(`${printable(name)} cannot be read: choose it again.`);
  }
}

/** The error for a file with more than `most` bytes. */
export function tooLarge(name: string, most: number): InputError {
  return new InputError(`${printable(name)} has more than ${most >> 20} MB: that is too large.`);
}
