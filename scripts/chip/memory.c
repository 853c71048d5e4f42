/* Word-by-word, as on the chip; the compiler's C library, built for size, works byte by byte. */

/* Otherwise the compiler replaces these loops by calls to memset and memcpy. */
#pragma GCC optimize("no-tree-loop-distribute-patterns")

#include <stddef.h>
#include <stdint.h>

typedef uint32_t __attribute__((may_alias)) word;

void *memset(void *to, int value, size_t size)
{
    uint8_t *bytes = to;
    word pattern = (uint8_t)value * 0x01010101u, *words;
    for (; size > 0 && (uintptr_t)bytes % 4; size--)
        *bytes++ = (uint8_t)value;
    for (words = (word *)bytes; size >= 32; size -= 32, words += 8) {
        words[0] = pattern, words[1] = pattern, words[2] = pattern, words[3] = pattern;
        words[4] = pattern, words[5] = pattern, words[6] = pattern, words[7] = pattern;
    }
    for (; size >= 4; size -= 4)
        *words++ = pattern;
    for (bytes = (uint8_t *)words; size > 0; size--)
        *bytes++ = (uint8_t)value;
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    uint8_t *bytes = to;
    const uint8_t *source = from;
    if (((uintptr_t)to | (uintptr_t)from) % 4 == 0) {
        word *words = to;
        const word *origin = from;
        for (; size >= 32; size -= 32, words += 8, origin += 8) {
            words[0] = origin[0], words[1] = origin[1], words[2] = origin[2], words[3] = origin[3];
            words[4] = origin[4], words[5] = origin[5], words[6] = origin[6], words[7] = origin[7];
        }
        for (; size >= 4; size -= 4)
            *words++ = *origin++;
        bytes = (uint8_t *)words;
        source = (const uint8_t *)origin;
    }
    for (; size > 0; size--)
        *bytes++ = *source++;
    return to;
}
