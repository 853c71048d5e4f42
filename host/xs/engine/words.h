/*
 * words.h: text for error messages.
 */

#ifndef ESP32GPT_WORDS_H
#define ESP32GPT_WORDS_H

#include <stddef.h>

enum {
    QUOTED = 60,           /* maximum length of quoted text, in characters */
    QUOTED_PATH = 140,     /* of a quoted path */
    QUOTED_MOST = 400
};

/* The reason for an errno, as a clause that can follow a colon. */
const char *reasonOf(int error);

/* Makes external text safe to print, like printable() in src/gpt/base/errors.ts: invisible and control
   characters become \u{1b}, bytes of invalid UTF-8 become \x{ff}. Cut to `most` characters, at most
   QUOTED_MOST. The result is valid until the fourth call after this one. */
const char *printable(const char *text, int most);

/* The size in bytes of the UTF-8 sequence at `at`, or 0 if it is invalid. */
size_t utf8Sequence(const unsigned char *at, const unsigned char *end);

#endif
