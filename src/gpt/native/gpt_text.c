#include "gpt_text.h"

#include <stdbool.h>
#include <string.h>

enum { NEWLINE = 10, RETURN = 13, SPACE = 32 };
/* Indices of `numbers`, and values of numbers[PROBLEM], as in scan.ts. */
enum {
    COUNT,
    ENTRIES,
    STRIDE,
    SHORTEST,
    SHORTEST_LINE,
    LETTERS,
    CHARACTERS,
    PROBLEM,
    PROBLEM_AT,
    PROBLEM_LINE,
    RETURN_LINE,
    LONGEST
};
enum { NO_PROBLEM, NO_UTF8, NOT_ADMISSIBLE, TOO_MANY };

/* --- characters: see characters.ts and utf8.ts --- */

static inline bool is_white(int32_t c)
{
    if (c < 0x80)
        return c == SPACE || (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x1f);
    if (c < 0x1680)
        return c == 0x85 || c == 0xa0;
    if (c > 0x3000)
        return false;
    return c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f
        || c == 0x3000;
}

static bool is_admissible(int32_t c)
{
    if (c < 0x80)
        return c >= SPACE && c < 0x7f;
    if (c < 0xa0)
        return false;
    return !(c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069));
}

static unsigned size_of(int32_t c)
{
    return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

static bool is_tail(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* The code point at p; -1 if the bytes there are not valid UTF-8. */
static inline int32_t code_point(const uint8_t *p, const uint8_t *end)
{
    ptrdiff_t size = end - p;
    int32_t first = p[0], c;
    if (first < 0x80)
        return first;
    if (size < 2 || !is_tail(p[1]))
        return -1;
    c = p[1] & 0x3f;
    if (first < 0xe0)
        return first >= 0xc2 ? (first & 0x1f) << 6 | c : -1;
    if (size < 3 || !is_tail(p[2]))
        return -1;
    c = c << 6 | (p[2] & 0x3f);
    if (first < 0xf0) {
        c |= (first & 0xf) << 12;
        return c >= 0x800 && !(c >= 0xd800 && c <= 0xdfff) ? c : -1;
    }
    if (size < 4 || !is_tail(p[3]))
        return -1;
    c = (first & 0xf) << 18 | c << 6 | (p[3] & 0x3f);
    return c >= 0x10000 && c <= 0x10ffff ? c : -1;
}

/* Neither white space nor part of a multi-byte character: nearly all bytes of most datasets. */
static bool is_plain(uint8_t byte)
{
    return byte > SPACE && byte < 0x80;
}

static inline bool is_line_end(uint8_t byte)
{
    return byte <= RETURN && (byte == NEWLINE || byte == RETURN);
}

/* The end of the white space at p, without line ends. */
static const uint8_t *behind_white(const uint8_t *p, const uint8_t *end)
{
    while (p < end && !is_plain(*p) && !is_line_end(*p)) {
        int32_t c = code_point(p, end);
        if (!is_white(c))
            break;
        p += size_of(c);
    }
    return p;
}

/* --- the scan --- */

/* Values of Found.known; hints are smaller than both. */
enum { SEEN_SPACE = 254, SEEN = 255 };
enum { HINTS = 0x80 };

typedef struct {
    uint32_t *characters;    /* the wide ones, those of more than one byte, sorted */
    uint32_t wide;           /* number of wide characters */
    uint32_t size;           /* number of all characters */
    uint32_t problem;
    /*
     * Below HINTS, by character: SEEN or, as what follows a space must be examined, SEEN_SPACE. From HINTS on, by
     * the low bits of a wide character: a hint, its likely index. So a byte with SEEN needs no further check.
     */
    uint8_t known[0x100];
} Found;

/* Whether a wide character is at index `place`. */
static bool has(const Found *found, uint32_t place, int32_t c)
{
    return place < found->wide && found->characters[place] == (uint32_t)c;
}

/* The index at which a wide character is, or would be inserted. */
static uint32_t place_of(const Found *found, int32_t c)
{
    const uint32_t *place = found->characters;
    uint32_t count = found->wide;
    if (count == 0)
        return 0;
    while (count > 1) {
        uint32_t half = count >> 1;
        place = place[half - 1] < (uint32_t)c ? place + half : place;
        count -= half;
    }
    return (uint32_t)(place - found->characters) + (*place < (uint32_t)c);
}

/* Adds a character that is not there yet; false if a dataset cannot have it. */
static bool take_new(Found *found, int32_t c, uint32_t place)
{
    if (c < 0)
        found->problem = NO_UTF8;
    else if (!is_admissible(c))
        found->problem = NOT_ADMISSIBLE;
    else if (found->size == GPT_CHARACTERS)
        found->problem = TOO_MANY;
    else {
        found->size++;
        if (c < 0x80)
            found->known[c] = c == SPACE ? SEEN_SPACE : SEEN;
        else {
            uint32_t *here = found->characters + place;
            memmove(here + 1, here, (found->wide++ - place) * sizeof(uint32_t));
            *here = (uint32_t)c;
        }
    }
    return found->problem == NO_PROBLEM;
}

/* Adds a character; false if a dataset cannot have it. */
static bool take(Found *found, int32_t c)
{
    uint32_t place = 0;
    if (c >= 0x80) {
        uint8_t *hint = found->known + HINTS + (c & 0x7f);
        if (has(found, *hint, c))
            return true;
        place = place_of(found, c);
        *hint = place < SEEN_SPACE ? (uint8_t)place : 0;
        if (has(found, place, c))
            return true;
    } else if (c >= 0 && found->known[c])
        return true;
    return take_new(found, c, place);
}

/* The end of the bytes at p that are characters seen before, without spaces. */
static inline const uint8_t *behind_seen(const Found *found, const uint8_t *p, const uint8_t *end)
{
    while (p < end && found->known[*p] == SEEN)
        p++;
    return p;
}

/*
 * Continues a line from *at, and sets *at to its end or to the first problem. Returns the number of characters of
 * the document that begins at start.
 */
static uint32_t pass_rest(Found *found, const uint8_t *start, const uint8_t **at, const uint8_t *end)
{
    const uint8_t *p = *at, *behind = p;    /* behind: the end of the white space examined */
    size_t tails = 0;
    while (p < end && !is_line_end(*p)) {
        int32_t c = code_point(p, end);
        unsigned size = size_of(c);
        if (is_white(c) && p >= behind) {
            behind = behind_white(p, end);
            /* White space inside a document belongs to it; after it, it does not. */
            if (behind == end || is_line_end(*behind)) {
                *at = behind;
                return (uint32_t)((size_t)(p - start) - tails);
            }
        }
        if (!take(found, c))
            break;
        tails += size - 1;
        p = behind_seen(found, p + size, end);
    }
    *at = p;
    return (uint32_t)((size_t)(p - start) - tails);
}

void gpt_scan(const uint8_t *bytes, size_t size, uint32_t *index, uint32_t *characters, uint32_t *numbers)
{
    const uint8_t *end = bytes + size, *p = bytes;
    uint32_t count = 0, entries = 0, stride = 1, shortest = UINT32_MAX, shortest_line = 0, letters = 0, line = 1;
    uint32_t narrow, until_entry = 0, return_line = 0, longest = 0;
    Found found = { .characters = characters };

    if (size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
        p += 3;
    while (p < end) {
        const uint8_t *start = is_plain(*p) ? p : behind_white(p, end);
        uint32_t length;
        p = behind_seen(&found, start, end);
        length = (uint32_t)(p - start);
        if (p < end && *p != NEWLINE) {
            length = pass_rest(&found, start, &p, end);
            if (found.problem)
                break;
            if (p < end && *p == RETURN) {
                if (p + 1 < end && p[1] == NEWLINE)
                    p++;
                else if (return_line == 0 && p + 1 < end && p[1] != RETURN)
                    return_line = line;
            }
        }
        if (p < end)
            p++;
        if (length > 0) {
            letters += length;
            if (length > longest)
                longest = length;
            if (length < shortest) {
                shortest = length;
                shortest_line = line;
            }
            if (until_entry == 0) {
                if (entries == GPT_ENTRIES) {
                    for (uint32_t i = 0; i < entries; i += 2)
                        index[i >> 1] = index[i];
                    entries >>= 1;
                    stride *= 2;
                }
                index[entries++] = (uint32_t)(start - bytes);
                until_entry = stride;
            }
            until_entry--;
            count++;
        }
        line++;
    }

    /* One-byte characters come first. */
    narrow = found.size - found.wide;
    memmove(characters + narrow, characters, found.wide * sizeof(uint32_t));
    for (uint32_t c = 0, i = 0; i < narrow; c++)
        if (found.known[c])
            characters[i++] = c;
    numbers[COUNT] = count;
    numbers[ENTRIES] = entries;
    numbers[STRIDE] = stride;
    numbers[SHORTEST] = count > 0 ? shortest : 0;
    numbers[SHORTEST_LINE] = shortest_line;
    numbers[LETTERS] = letters;
    numbers[CHARACTERS] = found.size;
    numbers[PROBLEM] = found.problem;
    numbers[PROBLEM_AT] = (uint32_t)(p - bytes);
    numbers[PROBLEM_LINE] = line;
    numbers[RETURN_LINE] = return_line;
    numbers[LONGEST] = longest;
}

size_t gpt_skip(const uint8_t *bytes, size_t size, size_t at, uint32_t documents)
{
    const uint8_t *end = bytes + size, *p = bytes + at;
    for (; documents > 0 && p < end; documents--) {
        while (p < end && !is_line_end(*p))
            p++;
        while (p < end && is_line_end(*p))
            p = behind_white(p + 1, end);
    }
    return (size_t)(p - bytes);
}

size_t gpt_encode(
    const uint8_t *bytes, size_t size, size_t at, const uint8_t *byte_tokens, uint8_t *tokens, size_t room)
{
    size_t length = 1;
    for (; at < size && bytes[at] < 0x80 && byte_tokens[bytes[at]]; at++, length++)
        if (length < room)
            tokens[length] = byte_tokens[bytes[at]];
    return length;
}

uint32_t gpt_crc32(const uint8_t *bytes, size_t size, uint32_t crc)
{
    static const uint32_t remainders[] = { 0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278,
        0xbdbdf21c };
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        crc = (crc >> 4) ^ remainders[crc & 15];
        crc = (crc >> 4) ^ remainders[crc & 15];
    }
    return ~crc;
}

size_t gpt_encode_utf8(const char *text, uint8_t *bytes)
{
    const char *p = text;
    size_t size = 0;
    while (*p) {
        bool is_nul = p[0] == '\xC0', is_surrogate = p[0] == '\xED' && (uint8_t)p[1] >= 0xA0;
        size_t length = is_surrogate ? 3 : 1;
        if (bytes)
            memcpy(bytes + size, is_nul ? "" : is_surrogate ? "\xEF\xBF\xBD" : p, length);
        size += length;
        p += is_nul ? 2 : length;
    }
    return size;
}
