/*
 * Reads lists from standard input, each behind its size in bytes, and writes what gpt_text.c finds in
 * them, for scan.test.ts: the numbers, the index, the characters and, where there is no problem, where
 * every document begins, first from one to the next, then from the index. All are 32-bit integers.
 * Every buffer is just as large as it must be, so that AddressSanitizer sees its ends.
 */

#include "gpt_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT, ENTRIES, STRIDE, CHARACTERS = 6, PROBLEM };

static void check(int is_sound, const char *what)
{
    if (!is_sound) {
        fprintf(stderr, "%s\n", what);
        exit(1);
    }
}

static void *allocate(size_t size)
{
    void *data = malloc(size);
    check(data != NULL || size == 0, "no memory");
    return data;
}

static uint32_t *integers(size_t count)
{
    uint32_t *data = allocate(count * sizeof(uint32_t));
    memset(data, 0xee, count * sizeof(uint32_t));
    return data;
}

static void put(const uint32_t *data, size_t count)
{
    check(fwrite(data, sizeof(uint32_t), count, stdout) == count, "cannot write");
}

static void put_offset(size_t offset)
{
    uint32_t value = (uint32_t)offset;
    put(&value, 1);
}

/* Wherever it starts, a skip ends within the list. */
static void skip_from_everywhere(const uint8_t *bytes, size_t size)
{
    static const uint32_t documents[] = { 0, 1, 2, 3, 1000, 0xffffffff };
    for (size_t at = 0; at <= size; at++) {
        for (size_t i = 0; i < sizeof(documents) / sizeof(*documents); i++) {
            size_t found = gpt_skip(bytes, size, at, documents[i]);
            check(found >= at && found <= size, "a skip ends outside of the list");
        }
    }
}

int main(void)
{
    uint32_t size;
    while (fread(&size, sizeof(size), 1, stdin) == 1) {
        uint8_t *bytes = allocate(size);
        uint32_t *index = integers(GPT_ENTRIES), *characters = integers(GPT_CHARACTERS);
        uint32_t *numbers = integers(GPT_NUMBERS);
        size_t at;
        check(size == 0 || fread(bytes, size, 1, stdin) == 1, "a list is cut off");
        gpt_scan(bytes, size, index, characters, numbers);
        put(numbers, GPT_NUMBERS);
        put(index, numbers[ENTRIES]);
        put(characters, numbers[CHARACTERS]);
        if (numbers[PROBLEM] == 0) {
            for (uint32_t i = 0; i < numbers[COUNT]; i++) {
                at = i == 0 ? index[0] : gpt_skip(bytes, size, at, 1);
                put_offset(at);
            }
            for (uint32_t i = 0; i < numbers[COUNT]; i++)
                put_offset(gpt_skip(bytes, size, index[i / numbers[STRIDE]], i % numbers[STRIDE]));
        }
        if (size <= 100)
            skip_from_everywhere(bytes, size);
        free(bytes);
        free(index);
        free(characters);
        free(numbers);
    }
    return 0;
}
