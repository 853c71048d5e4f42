/** FNV-1a (Fowler, Noll, Vo), 32 bits: start with the basis; for each byte hash = imul(hash ^ byte, prime). */
export const FNV_BASIS = 0x811c9dc5;
export const FNV_PRIME = 0x01000193;

/**
 * MurmurHash3's finalizer (Appleby): FNV alone mixes the upper bits of short texts poorly. Returns a signed 32-bit
 * integer. Both algorithms are in the public domain.
 */
export function mixed(hash: number): number {
  const { imul } = Math;
  hash = imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
