#include "gpt-text.h"

#include <stdbool.h>
#include <string.h>

enum { NEWLINE = 10, SPACE = 32 };
/* Places in numbers, and values of the problem, as in scan.ts. */
enum { COUNT, ENTRIES, STRIDE, SHORTEST, SHORTEST_LINE, LETTERS, DISTINCT, PROBLEM, PROBLEM_AT, PROBLEM_LINE };
enum { NO_PROBLEM, NO_UTF8, NOT_ADMISSIBLE, TOO_MANY };

/* --- characters: see characters.ts and utf8.ts --- */

static bool is_white(int32_t c)
{
    if (c < 0x80)
        return c == SPACE || (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x1f);
    if (c < 0x1680)
        return c == 0x85 || c == 0xa0;
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

/* The code point at p, or -1 where the bytes there are not UTF-8. */
static int32_t code_point(const uint8_t *p, const uint8_t *end)
{
    uint8_t first = *p;
    unsigned size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2, i;
    int32_t c;
    if (first < 0x80)
        return first;
    if (first < 0xc2 || first > 0xf4 || (size_t)(end - p) < size)
        return -1;
    c = first & (0x7f >> size);
    for (i = 1; i < size; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return -1;
        c = c << 6 | (p[i] & 0x3f);
    }
    return size_of(c) == size && c <= 0x10ffff && !(c >= 0xd800 && c <= 0xdfff) ? c : -1;
}

/* Behind the white space at p that is no newline. */
static const uint8_t *behind_white(const uint8_t *p, const uint8_t *end)
{
    while (p < end) {
        uint8_t byte = *p;
        if (byte < 0x80) {
            if (byte == NEWLINE || !is_white(byte))
                break;
            p++;
        }
        else {
            if ((byte != 0xc2 && byte != 0xe1 && byte != 0xe2 && byte != 0xe3) || !is_white(code_point(p, end)))
                break;
            p += byte == 0xc2 ? 2 : 3;
        }
    }
    return p;
}

/* --- the scan --- */

typedef struct {
    uint32_t *characters;      /* those of more than one byte, sorted */
    uint32_t wide;             /* how many of them */
    uint32_t distinct;         /* of all */
    uint32_t seen[4];          /* those of one byte, a bit each */
    uint32_t problem;
} Found;

/* Adds the character; false when there is a problem with it. */
static bool take_new(Found *found, int32_t c)
{
    uint32_t place = 0, count = found->wide;
    if (c < 0)
        found->problem = NO_UTF8;
    else if (!is_admissible(c))
        found->problem = NOT_ADMISSIBLE;
    else {
        if (c >= 0x80) {
            while (count > 0) {
                uint32_t half = count >> 1;
                if (found->characters[place + half] < (uint32_t)c) {
                    place += half + 1;
                    count -= half + 1;
                }
                else
                    count = half;
            }
            if (place < found->wide && found->characters[place] == (uint32_t)c)
                return true;
        }
        if (found->distinct == GPT_CHARACTERS) {
            found->problem = TOO_MANY;
            return false;
        }
        found->distinct++;
        if (c < 0x80)
            found->seen[c >> 5] |= 1u << (c & 31);
        else {
            memmove(found->characters + place + 1, found->characters + place,
                (found->wide - place) * sizeof(uint32_t));
            found->characters[place] = (uint32_t)c;
            found->wide++;
        }
    }
    return found->problem == NO_PROBLEM;
}

static bool take(Found *found, int32_t c)
{
    return (c >= 0 && c < 0x80 && (found->seen[c >> 5] >> (c & 31) & 1)) || take_new(found, c);
}

void gpt_scan(const uint8_t *bytes, size_t size, uint32_t *index, uint32_t *characters, uint32_t *numbers)
{
    const uint8_t *end = bytes + size, *p = bytes;
    uint32_t count = 0, entries = 0, stride = 1, shortest = 0, shortest_line = 0, letters = 0, line = 1, i, narrow;
    uint32_t until_entry = 0;
    Found found = { characters, 0, 0, { 0, 0, 0, 0 }, NO_PROBLEM };

    if (size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
        p += 3;
    while (p < end && !found.problem) {
        const uint8_t *start = p = behind_white(p, end);
        uint32_t length = 0;
        while (p < end && *p != NEWLINE) {
            int32_t c = *p;
            if (c > SPACE && c < 0x7f) {               /* nearly always */
                if (!(found.seen[c >> 5] >> (c & 31) & 1) && !take_new(&found, c))
                    break;
                p++;
                length++;
                continue;
            }
            c = code_point(p, end);
            if (is_white(c)) {
                const uint8_t *behind = behind_white(p, end);
                if (behind == end || *behind == NEWLINE) {
                    p = behind;
                    break;
                }
                for (; p < behind && take(&found, c = code_point(p, end)); p += size_of(c))
                    length++;
                if (found.problem)
                    break;
            }
            else {
                if (!take(&found, c))
                    break;
                p += size_of(c);
                length++;
            }
        }
        if (found.problem)
            break;
        p++;
        if (length > 0) {
            letters += length;
            if (count == 0 || length < shortest) {
                shortest = length;
                shortest_line = line;
            }
            if (until_entry == 0) {
                if (entries == GPT_ENTRIES) {
                    for (i = 0; i < entries; i += 2)
                        index[i >> 1] = index[i];
                    entries >>= 1;
                    stride *= 2;
                }
                /* When the stride has just doubled, this document may stand between two entries. */
                if (count % stride == 0) {
                    index[entries++] = (uint32_t)(start - bytes);
                    until_entry = stride;
                }
                else
                    until_entry = stride - count % stride;
            }
            until_entry--;
            count++;
        }
        line++;
    }

    narrow = found.distinct - found.wide;
    memmove(characters + narrow, characters, found.wide * sizeof(uint32_t));
    for (uint32_t c = 0, place = 0; c < 0x80; c++)
        if (found.seen[c >> 5] >> (c & 31) & 1)
            characters[place++] = c;
    numbers[COUNT] = count;
    numbers[ENTRIES] = entries;
    numbers[STRIDE] = stride;
    numbers[SHORTEST] = shortest;
    numbers[SHORTEST_LINE] = shortest_line;
    numbers[LETTERS] = letters;
    numbers[DISTINCT] = found.distinct;
    numbers[PROBLEM] = found.problem;
    numbers[PROBLEM_AT] = (uint32_t)(p - bytes);
    numbers[PROBLEM_LINE] = line;
}

size_t gpt_skip(const uint8_t *bytes, size_t size, size_t at, uint32_t documents)
{
    const uint8_t *end = bytes + size, *p = bytes + at;
    for (; documents > 0 && p < end; documents--) {
        const uint8_t *newline = memchr(p, NEWLINE, (size_t)(end - p));
        p = newline ? newline : end;
        while (p < end && *p == NEWLINE) {
            p++;
            if (p < end && (*p <= SPACE || *p >= 0x80))
                p = behind_white(p, end);
        }
    }
    return (size_t)(p - bytes);
}
