/** FNV-1a (Fowler, Noll, Vo), 32 bits: begin with the basis, and for each byte hash = imul(hash ^ byte, prime). */
export const FNV_BASIS = 0x811c9dc5;
export const FNV_PRIME = 0x01000193;

/**
 * MurmurHash3's finalizer (Appleby), as FNV alone leaves the upper bits of short names poor: a signed 32-bit
 * integer. Both are in the public domain.
 */
export function mixed(hash: number): number {
  const { imul } = Math;
  hash = imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
