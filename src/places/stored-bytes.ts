import type { Storage, StoredFile } from "../gpt/base/platform";

/** Bytes in memory as a file for reading. */
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

/** A storage that has these bytes under every name, and keeps nothing. */
export function storageOfBytes(bytes: Uint8Array): Storage {
  const refuse = (): Promise<never> => Promise.reject(new Error("it is read only"));
  return { open: () => Promise.resolve(storedBytes(bytes)), create: refuse, move: refuse, remove: refuse };
}
