/*
 * A list of documents in UTF-8, one a line: the twin of src/gpt/data/scan.ts, which says what it finds and why.
 * Nothing is allocated.
 */

#ifndef GPT_TEXT_H
#define GPT_TEXT_H

#include <stddef.h>
#include <stdint.h>

enum { GPT_ENTRIES = 1280, GPT_CHARACTERS = 255, GPT_NUMBERS = 12 };

/* Fills index (GPT_ENTRIES), characters (GPT_CHARACTERS) and numbers (GPT_NUMBERS). */
void gpt_scan(const uint8_t *bytes, size_t size, uint32_t *index, uint32_t *characters, uint32_t *numbers);

/* Where the document begins that stands so many behind the one that begins at `at`; `size` behind the last. */
size_t gpt_skip(const uint8_t *bytes, size_t size, size_t at, uint32_t documents);

/* Writes the tokens of the characters from `at` on, from tokens[1] on and as many as fit; byte_tokens has 128.
   Returns the place behind the last, also where it did not fit. */
size_t gpt_encode(
    const uint8_t *bytes, size_t size, size_t at, const uint8_t *byte_tokens, uint8_t *tokens, size_t room);

/* CRC-32 of the bytes behind whatever gave `crc`: the twin of src/gpt/base/crc32.ts. */
uint32_t gpt_crc32(const uint8_t *bytes, size_t size, uint32_t crc);

#endif
