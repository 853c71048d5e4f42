/*
 * A list of documents in UTF-8, one a line: the twin of src/data/scan.ts, which says what it finds and why.
 * Nothing is allocated.
 */

#ifndef GPT_TEXT_H
#define GPT_TEXT_H

#include <stddef.h>
#include <stdint.h>

enum { GPT_ENTRIES = 1280, GPT_CHARACTERS = 255, GPT_NUMBERS = 10 };

/* Fills index (GPT_ENTRIES), characters (GPT_CHARACTERS) and numbers (GPT_NUMBERS). */
void gpt_scan(const uint8_t *bytes, size_t size, uint32_t *index, uint32_t *characters, uint32_t *numbers);

/* Where the document begins that stands so many behind the one that begins at `at`; `size` behind the last. */
size_t gpt_skip(const uint8_t *bytes, size_t size, size_t at, uint32_t documents);

#endif
