/*
 * words.h: what a message can show to people.
 */

#ifndef ESP32GPT_WORDS_H
#define ESP32GPT_WORDS_H

#include <stddef.h>

enum {
    QUOTED = 60,           /* characters of a foreign text that a message quotes */
    QUOTED_PATH = 140,     /* of a file's path */
    QUOTED_MOST = 400
};

/* Why something failed, in words that fit behind a colon. `error` is an errno. */
const char *reasonOf(int error);

/* Text from outside as a message may show it, like printable() in src/gpt/base/errors.ts: what is invisible, or
   would move the cursor of a terminal, as its code (\u{1b}), a byte that is not UTF-8 as \x{ff}, and
   cut to `most` characters, QUOTED_MOST at the most. It stays until printable() was called four times more. */
const char *printable(const char *text, int most);

/* The number of bytes of the UTF-8 sequence at `at`, or 0 if it is not a valid one. */
size_t utf8Sequence(const unsigned char *at, const unsigned char *end);

#endif
