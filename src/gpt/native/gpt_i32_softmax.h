/* Softmax of a row, in units of log2, 2^-20; exponentials and probabilities are 2^-30. */

#ifndef GPT_I32_SOFTMAX_H
#define GPT_I32_SOFTMAX_H

#include "gpt_i32_arithmetic.h"

enum { LOG2_BITS = 20, EXP_BITS = 30 };

/* x·factor >> shift, or << -shift, which saturates at ±(2^30 - 1). */
INLINE int32_t scaled(int32_t x, int32_t factor, int shift)
{
    const int32_t most = 0x3fffffff;
    int32_t value = mulh(x, factor), limit;
    int up;
    if (shift >= 0)
        return value >> (shift > 31 ? 31 : shift);
    up = shift < -30 ? 30 : -shift;
    limit = most >> up;
    return value > limit ? most : value < -limit ? -most : shifted_left(value, up);
}

/* Replaces x (n) by 2^(x - largest). Returns the sum, 2^-23: 256 elements cannot make it wrap. */
uint32_t gpt_i32_exponentials(int32_t *x, int n, int32_t largest);

/* What divides exponentials by their sum. */
typedef struct {
    uint32_t inverse, half;
    int shift;
} GptDivision;

GptDivision gpt_i32_division(uint32_t sum);

INLINE int32_t probability(int32_t exponential, GptDivision by)
{
    return (int32_t)((mulhu((uint32_t)exponential, by.inverse) + by.half) >> by.shift);
}

#endif
