/* Exponentials of a row, for attention and softmax. */

#ifndef GPT_EXP_H
#define GPT_EXP_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof(bits));
    return bits;
}

static inline float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof(x));
    return x;
}

#ifdef GPT_CHIP

/*
 * e^x for x <= 0, with a relative error of at most 8e-8 (1e-7 where a·b + c is rounded twice): x = k·ln 2 + r,
 * e^x = 2^k · e^r, and for e^r, |r| at most ln 2 / 2, the polynomial of degree 6 whose maximum error is smallest
 * (minimax, 3e-9).
 * Adding 1.5 · 2^23 rounds to an integer and leaves k in the low bits of the sum.
 */
static inline float exponential(float x)
{
    const float shift = 12582912.0f;
    float sum = fused(x, 1.44269504f, shift), k = sum - shift;
    /* ln 2 in two parts; k times the first is exact. */
    float r = fused(k, 2.12194440e-4f, fused(-k, 0.693359375f, x));
    float y = 0.00138145406f;
    y = fused(y, r, 0.00836874545f);
    y = fused(y, r, 0.041668389f);
    y = fused(y, r, 0.166665211f);
    y = fused(y, r, 0.49999994f);
    y = fused(y, r, 1.0f);
    y = fused(y, r, 1.0f);
    if (__builtin_expect(x >= -87.0f, 1))
        return float_of(bits_of(y) + (bits_of(sum) << 23));
    if (x < -104.0f)
        return 0.0f;
    /* NaN, and results below the smallest normal number: in two steps. */
    return y * float_of((bits_of(sum) + 191u) << 23) * 0x1p-64f;
}

#else

static inline float exponential(float x)
{
    return expf(x);
}

#endif

static inline float largest_of(const float *x, int n)
{
    float largest = x[0];
    for (int i = 1; i < n; i++)
        if (x[i] > largest)
            largest = x[i];
    return largest;
}

/* Replaces x (n) by e^(x - largest), which cannot overflow, and returns the sum. */
static inline float exponentials(float *x, int n, float largest)
{
    float sum = 0.0f;
    for (int i = 0; i < n; i++) {
        float e = exponential(x[i] - largest);
        x[i] = e;
        sum += e;
    }
    return sum;
}

#endif
