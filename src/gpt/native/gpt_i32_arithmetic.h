/*
 * The arithmetic of the ops in block floating point: the same as src/gpt/model/i32-arithmetic.ts and the helpers in
 * i32-ops.ts.
 *
 * C leaves two things to the compiler: all that this project uses shift a negative number right as if by division,
 * rounded down, and convert an unsigned number to a signed one modulo 2^32. A negative number is shifted left as an
 * unsigned one.
 *
 * With GPT_CHECKED, assertions check that numbers are within their ranges, which makes overflow impossible.
 */

#ifndef GPT_I32_ARITHMETIC_H
#define GPT_I32_ARITHMETIC_H

#include "gpt_i32.h"

#ifdef GPT_CHECKED
#include <assert.h>
#define CHECK(CONDITION) assert(CONDITION)
#else
#define CHECK(CONDITION) ((void)0)
#endif

#if defined(GPT_CHIP) && defined(__GNUC__) && !defined(__clang__)
/* Before registers are allocated, it would move loads away from their use, and the sums out of their registers. */
#pragma GCC optimize("no-schedule-insns")
#endif

enum {
    /* The exponent of weights. */
    WEIGHT_EXPONENT = 27,
    /* Weights are multiples of this. */
    WEIGHT_STEP = 128,
    MAX_WEIGHT = 0x68000000,
    /* Adding to a tensor of zeros shifts every bit of it out. */
    EXPONENT_OF_ZERO = 200,
    /* log2 e, 2^-30 */
    LOG2_E_30 = 0x5c551d95
};

/* a·b / 2^32, rounded down. */
INLINE int32_t mulh(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b) >> 32);
}

INLINE uint32_t mulhu(uint32_t a, uint32_t b)
{
    return (uint32_t)(((uint64_t)a * b) >> 32);
}

/* x·2^distance modulo 2^32; as in JavaScript, only the five lowest bits of the distance count. */
INLINE int32_t shifted_left(int32_t x, int distance)
{
    return (int32_t)((uint32_t)x << (distance & 31));
}

/* Number of bits: 0 for 0. */
static inline int bit_length(uint32_t x)
{
    int bits = 0;
    if (x >> 16)
        bits = 16, x >>= 16;
    if (x >> 8)
        bits += 8, x >>= 8;
    if (x >> 4)
        bits += 4, x >>= 4;
    if (x >> 2)
        bits += 2, x >>= 2;
    if (x >> 1)
        bits += 1, x >>= 1;
    return bits + (int)x;
}

/* ⌈log2 n⌉ for n >= 1. */
static inline int log2_ceiling(int n)
{
    return bit_length((uint32_t)n - 1);
}

/* x as the bits of its magnitude: the OR of these over a tensor has as many bits as its largest element. */
INLINE uint32_t magnitude(int32_t x)
{
    /* cppcheck-suppress shiftTooManyBitsSigned */
    return (uint32_t)(x ^ (x >> 31));
}

/* A distance that a number can be shifted by: 31 leaves only the sign. */
INLINE int shift_of(int distance)
{
    return distance < 0 ? 0 : distance > 31 ? 31 : distance;
}

/* The exponent of products of a tensor and a weight. */
INLINE int32_t product_exponent(int32_t exponent)
{
    return exponent + WEIGHT_EXPONENT - 32;
}

/* Bits by which a sum of this many terms, each of at most 2^bits, would exceed 31. */
static inline int excess(int bits, int terms, int documents)
{
    int over = bits + log2_ceiling(terms) + documents - 31;
    return over > 0 ? over : 0;
}

/* From -2^bits to 2^bits, and a rounding more: a normalized row has such a number if all others in it are 0. */
static inline void check_bits(const int32_t *x, int length, int bits)
{
#ifdef GPT_CHECKED
    for (int i = 0; i < length; i++)
        CHECK(magnitude(x[i]) <= (1u << bits) + (1u << bits >> 24));
#else
    (void)x, (void)length, (void)bits;
#endif
}

/* The OR of the magnitudes. */
uint32_t gpt_i32_mask_of(const int32_t *x, int length);

/* Multiplies by 2^shift, rounded down. */
void gpt_i32_shift(int32_t *x, int length, int shift);

/*
 * Shifts a block of a tensor so that its largest element has exactly as many bits as the tensor may have; `mask` is the
 * OR of the magnitudes.
 */
void gpt_i32_settle(const GptTensor *x, int block, int32_t *mantissas, int length, uint32_t mask);

/*
 * Prepares the sum of a residual and a product with a block of x: if the product's exponent leaves no room for the
 * residual, shifts x down. Returns the exponent of the sum; the residual is to be shifted right by its own exponent
 * less that, at most 31.
 */
int32_t gpt_i32_make_room(const GptTensor *x, int block, int32_t *mantissas, int length, int32_t residual);

/* How an addend of a weight's gradient meets what is there: both are shifted right. */
typedef struct {
    int before, added;
} GptAlignment;

/*
 * Chooses the exponent of a block of a weight's gradient, for an addend of this exponent whose sums exceed 31 bits by
 * `excess`: the smaller of the gradient's and the addend's, so that neither is shifted left.
 */
GptAlignment gpt_i32_align(const GptTensor *g, int block, int32_t exponent, int excess, bool accumulate);

/* A factor m·2^-exponent with m from 2^30 to 2^31. */
typedef struct {
    int32_t mantissa, exponent;
} GptFactor;

/* factor / sqrt(d), where the factor is 1 or log2 e. */
GptFactor gpt_i32_over_root(bool is_log2_e, int d);

/* Four numbers of a row. */
typedef struct {
    int32_t a, b, c, d;
} Four;

INLINE Four four(const int32_t *x)
{
    Four result = { x[0], x[1], x[2], x[3] };
    return result;
}

INLINE Four four_of(int32_t x)
{
    Four result = { x, x, x, x };
    return result;
}

/* sum + x·w */
INLINE Four plus_product(Four sum, int32_t x, Four w)
{
    sum.a += mulh(x, w.a);
    sum.b += mulh(x, w.b);
    sum.c += mulh(x, w.c);
    sum.d += mulh(x, w.d);
    return sum;
}

#endif
