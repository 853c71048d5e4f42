import { InputError, printable } from "../../src/gpt/base/errors";

/**
 * The bytes of what somebody gives.
 * @param name what messages call it
 * @param most bytes that it may have
 * @throws InputError (as a rejection) when it has more, or cannot be read
 */
export async function readFile(name: string, file: Blob, most: number): Promise<Uint8Array> {
  if (file.size > most) throw new InputError(`${printable(name)} has more than ${most >> 20} MB: that is too large.`);
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    throw new InputError(`${printable(name)} cannot be read: choose it again.`);
  }
}
