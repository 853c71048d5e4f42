import type { Storage, StoredFile } from "../gpt/base/platform";

/** A file for reading that consists of bytes in memory. */
export function storedBytes(bytes: Uint8Array): StoredFile {
  return {
    size: bytes.length,
    read(position, into) {
      const piece = bytes.subarray(position, position + into.length);
      into.set(piece);
      return piece.length;
    },
    close: () => undefined,
  };
}

/** A read-only storage in which a file of every name has these bytes. */
export function storageOfBytes(bytes: Uint8Array): Storage {
  const refuse = (): Promise<never> => Promise.reject(new Error("it is read only"));
  return { open: () => Promise.resolve(storedBytes(bytes)), create: refuse, move: refuse, remove: refuse };
}
