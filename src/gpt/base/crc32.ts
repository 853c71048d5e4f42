/** CRC-32 remainders of the 16 nibbles. A table of all bytes would take 1 KB of RAM for little speed. */
const TABLE = Object.freeze([
  0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c, 0xedb88320,
  0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
]);

/**
 * CRC-32 as in zlib and IEEE 802.3: an unsigned 32-bit integer. In C: gpt_crc32() in src/gpt/native/gpt_text.c.
 * @param crc the checksum of the data before `bytes`, to continue from
 */
export function crc32(bytes: Uint8Array, crc = 0): number {
  crc = ~crc;
  for (let i = 0; i < bytes.length; i++) {
    crc ^= bytes[i];
    crc = (crc >>> 4) ^ TABLE[crc & 15];
    crc = (crc >>> 4) ^ TABLE[crc & 15];
  }
  return ~crc >>> 0;
}

/** A checksum as eight lower-case hexadecimal digits. */
export function formatChecksum(checksum: number): string {
  return checksum.toString(16).padStart(8, "0");
}
