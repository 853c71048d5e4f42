#include "gpt_target.h"

#include "gpt_i32_softmax.h"
#include "gpt_i32_tables.h"

#include <string.h>

/* 2^-t of t = z·2^-20: table for the upper six bits of its fraction, a Taylor polynomial for the others. */
static inline uint32_t exponential(uint32_t z)
{
    uint32_t t = z << 4, a, q;
    if (z >= (uint32_t)EXP_BITS << LOG2_BITS)
        return 0;
    /* The others times ln 2, 2^-38; then 1 - a + a²/2, 2^-31. */
    a = mulhu((t & 0x3ffff) << 8, 2977044472u);
    q = 0x80000000u - (a >> 1) + (mulhu(a, a) >> 2);
    return mulhu(gpt_i32_exp2[(t >> 18) & 63], q) >> (t >> 24);
}

uint32_t gpt_i32_exponentials(int32_t *x, int n, int32_t largest)
{
    uint32_t sum = 0;
    for (const int32_t *end = x + n; x < end; x++) {
        uint32_t e = exponential((uint32_t)largest - (uint32_t)*x);
        *x = (int32_t)e;
        sum += e >> 7;
    }
    return sum;
}

/* 2^63 / s for s from 2^31 to 2^32: a quotient of 17 bits, and a step of Newton's method. */
static uint32_t reciprocal(uint32_t s)
{
    uint32_t r = (0xffffffffu / (s >> 15)) << 16;
    int32_t error = (int32_t)(0x80000000u - mulhu(s, r));
    return r + ((uint32_t)mulh((int32_t)(r >> 1), error) << 2);
}

GptDivision gpt_i32_division(uint32_t sum)
{
    int bits = bit_length(sum);
    GptDivision by;
    CHECK(bits >= 24);
    by.inverse = reciprocal(sum << (32 - bits));
    by.shift = bits - 24;
    by.half = (1u << by.shift) >> 1;
    return by;
}

/* log2 of s·2^-23, 2^-20, for s >= 2^23: linear between the entries of the table. */
static uint32_t log2_of(uint32_t s)
{
    int bits = bit_length(s);
    uint32_t fraction = s << (32 - bits) << 1, i = fraction >> 26, rest = fraction << 6 >> 16;
    uint32_t entry = gpt_i32_log2[i];
    uint32_t value = entry + ((((gpt_i32_log2[i + 1] - entry) >> 8) * (rest >> 4)) >> 4);
    return ((uint32_t)(bits - 24) << LOG2_BITS) + (value >> 8);
}

/* The mantissa and exponent of a weight; of none that is not above zero. */
static GptFactor factor_of(float weight)
{
    GptFactor factor = { 0, 0 };
    uint32_t bits, fraction;
    int up;
    memcpy(&bits, &weight, sizeof(bits));
    if (bits == 0 || bits > 0x7f800000u)
        return factor;
    fraction = bits & 0x7fffff;
    if (bits >> 23)
        fraction |= 0x800000;
    up = 31 - bit_length(fraction);
    factor.mantissa = (int32_t)(fraction << up);
    factor.exponent = 150 + up - (bits >> 23 ? (int)(bits >> 23) : 1);
    return factor;
}

/* Replaces the logits by units of log2; returns the largest. */
static int32_t in_log2(int32_t *x, int n, int shift)
{
    int32_t largest = INT32_MIN;
    for (const int32_t *end = x + n; x < end; x++) {
        int32_t logit = scaled(*x, LOG2_E_30, shift);
        *x = logit;
        if (logit > largest)
            largest = logit;
    }
    return largest;
}

/* Replaces exponentials by probabilities times a mantissa; returns the mask of the results. */
static uint32_t gradients(int32_t *x, const int32_t *end, GptDivision by, int32_t share)
{
    uint32_t mask = 0;
    for (; x < end; x++) {
        int32_t g = mulh(probability(*x, by), share);
        *x = g;
        mask |= magnitude(g);
    }
    return mask;
}

/* The loss is summed as log2, 2^-20, and converted at the end. */
double gpt_i32_softmax_cross_entropy(
    const GptTensor *logits, const uint8_t *tokens, int rows, int vocabulary, float weight)
{
    int32_t *x = logits->mantissas;
    int shift = logits->exponents[0] + 30 - 32 - LOG2_BITS;
    GptFactor share = factor_of(weight);
    uint64_t loss = 0;
    uint32_t mask = 0;
    for (int t = 0; t < rows; t++, x += vocabulary) {
        int32_t *target = x + tokens[t + 1], largest = in_log2(x, vocabulary, shift), g;
        uint32_t surplus = (uint32_t)largest - (uint32_t)*target;
        uint32_t sum = gpt_i32_exponentials(x, vocabulary, largest);
        GptDivision by = gpt_i32_division(sum);
        loss += (uint64_t)log2_of(sum) + surplus;
        g = mulh(probability(*target, by) - (1 << EXP_BITS), share.mantissa);
        mask |= magnitude(g) | gradients(x, target, by, share.mantissa);
        mask |= gradients(target + 1, x + vocabulary, by, share.mantissa);
        *target = g;
    }
    logits->exponents[0] = EXP_BITS + share.exponent - 32;
    gpt_i32_settle(logits, 0, logits->mantissas, rows * vocabulary, mask);
    return (double)loss / (1 << LOG2_BITS) * 0.6931471805599453 / rows;
}
