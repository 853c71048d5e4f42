/* The integers of a model as the bits of float32, without a floating-point operation: see src/gpt/model/i32-codec.ts. */

#include "gpt_target.h"

#include "gpt_i32_arithmetic.h"

#include <string.h>

enum {
    /* The exponent of float32 numbers: those from 1 to 2 have this, and their lowest bit is 2^-23. */
    ONE = 127,
    FRACTION_BITS = 23,
    NOT_FINITE = 255,
    /* The largest m that Adam can reach. */
    MAX_M = 16720
};

/* The bits of magnitude·2^-exponent, rounded to the nearest even, with a sign. */
static uint32_t float_from(uint32_t magnitude, bool is_negative, int exponent)
{
    uint32_t sign = is_negative ? 0x80000000u : 0, significand;
    int bits = bit_length(magnitude), down = bits - (FRACTION_BITS + 1);
    if (magnitude == 0)
        return 0;
    if (down > 0) {
        uint32_t half = 1u << (down - 1), rest = magnitude & ((1u << down) - 1);
        significand = magnitude >> down;
        significand += rest > half || (rest == half && (significand & 1)) ? 1u : 0u;
    } else
        significand = magnitude << -down;
    /* Added, as the significand has the highest bit, which is not stored, or one more after it was rounded up. */
    return (sign | (uint32_t)(ONE + bits - 2 - exponent) << FRACTION_BITS) + significand;
}

/* The integer nearest to a float32 · 2^power, the upper of two, from -most to most < 2^24; 0 for NaN. */
static int32_t rounded(uint32_t bits, int power, int32_t most)
{
    int exponent = (int)(bits >> FRACTION_BITS & 0xff), up = exponent - (ONE + FRACTION_BITS) + power;
    int32_t value = (int32_t)((bits & 0x7fffff) | 0x800000);
    bool is_negative = bits >> 31;
    if (exponent == NOT_FINITE && (bits & 0x7fffff))
        return 0;
    /* Smaller than a half; numbers without a highest bit are. */
    if (up < -(FRACTION_BITS + 2))
        return 0;
    if (up > 0)
        return is_negative ? -most : most;
    if (is_negative)
        value = -value;
    if (up < 0)
        value = (value + (1 << (-up - 1))) >> -up;
    return value > most ? most : value < -most ? -most : value;
}

/* The word of both moments, from the bits of float32. */
static int32_t word_of(uint32_t m, uint32_t v)
{
    /* v·2^76 is the significand·2^up. */
    int up = (int)(v >> FRACTION_BITS) - (ONE + FRACTION_BITS) + 76, k = 0;
    uint32_t M = 1u << FRACTION_BITS;
    /* Before the first step both are 0; after it v is not. */
    if (v == 0 || v > (uint32_t)NOT_FINITE << FRACTION_BITS)
        return 0;
    if (up >= 0) {
        k = up >> 1;
        M = ((v & 0x7fffff) | 0x800000) << (up & 1);
        if (k > 31)
            k = 31, M = (1u << 25) - 1;
    }
    return (int32_t)((uint32_t)rounded(m, 38 - k, MAX_M) << 16 | M >> 14 << 5 | (uint32_t)k);
}

void gpt_i32_decode(uint32_t *floats, const int32_t *numbers, size_t length, GptStored what)
{
    for (size_t i = 0; i < length; i++) {
        int32_t number = numbers[i], value = number;
        int exponent = WEIGHT_EXPONENT, k = number & 31;
        if (what == GPT_I32_M)
            value = number >> 16, exponent = 38 - k;
        else if (what == GPT_I32_V)
            value = (number & 0xffe0) << 9, exponent = 76 - 2 * k;
        floats[i] = float_from(value < 0 ? 0 - (uint32_t)value : (uint32_t)value, value < 0, exponent);
    }
}

void gpt_i32_encode(int32_t *numbers, const uint32_t *floats, size_t length, GptStored what)
{
    if (what == GPT_I32_M) {
        memcpy(numbers, floats, length * sizeof(int32_t));
        return;
    }
    for (size_t i = 0; i < length; i++)
        numbers[i] = what == GPT_I32_WEIGHTS ? rounded(floats[i], 20, MAX_WEIGHT / WEIGHT_STEP) * WEIGHT_STEP
                                             : word_of((uint32_t)numbers[i], floats[i]);
}
