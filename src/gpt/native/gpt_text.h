/*
 * Scanning a dataset of documents in UTF-8, one per line: the same as src/gpt/data/scan.ts, which documents the
 * results. Checksums and UTF-8, as src/gpt/base/ has them. Nothing is allocated.
 */

#ifndef GPT_TEXT_H
#define GPT_TEXT_H

#include <stddef.h>
#include <stdint.h>

enum { GPT_ENTRIES = 1280, GPT_CHARACTERS = 255, GPT_NUMBERS = 12 };

/* Fills index (GPT_ENTRIES), characters (GPT_CHARACTERS) and numbers (GPT_NUMBERS). */
void gpt_scan(const uint8_t *bytes, size_t size, uint32_t *index, uint32_t *characters, uint32_t *numbers);

/* Byte offset of the `documents`-th document after the one at byte `at`; `size` after the last. */
size_t gpt_skip(const uint8_t *bytes, size_t size, size_t at, uint32_t documents);

/* Writes the tokens of the characters from byte `at` on, from tokens[1] on, as many as fit into `room`; byte_tokens
   has 128 elements. Returns the index after the last token, as if all of them had fit. */
size_t gpt_encode(
    const uint8_t *bytes, size_t size, size_t at, const uint8_t *byte_tokens, uint8_t *tokens, size_t room);

/* CRC-32, continued from the checksum `crc` of the data before: the same as src/gpt/base/crc32.ts. */
uint32_t gpt_crc32(const uint8_t *bytes, size_t size, uint32_t crc);

/* Writes a string of XS in UTF-8 to `bytes`, unless that is NULL, and returns the size: the same as encodeUtf8() in
   src/gpt/base/utf8.ts. In XS a NUL is C0 80, and a surrogate a character of three bytes. */
size_t gpt_encode_utf8(const char *text, uint8_t *bytes);

#endif
