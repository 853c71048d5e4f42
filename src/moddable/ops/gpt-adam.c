/* Adam over flat buffers. */

#include "gpt-target.h"

#include "gpt-exp.h"
#include "gpt-ops.h"

#ifdef GPT_NEWTON

/*
 * 1 / (sqrt(x) + epsilon), x >= 0, with an error of a few 1e-7 of the result. Halving the exponent, or turning its
 * sign, is an integer's business and gives a first guess; each of Newton's steps doubles its digits. Of zero the
 * guess would be so large that its square is infinite.
 */
static inline float reciprocal_of_root(float x, float epsilon)
{
    float half, r, y, d;
    x += 1e-36f;
    half = 0.5f * x;
    r = float_of(0x5f3759dfu - (bits_of(x) >> 1));
    r *= 1.5f - half * r * r;
    r *= 1.5f - half * r * r;
    r *= 1.5f - half * r * r;
    d = x * r + epsilon;
    y = float_of(0x7ef311c7u - bits_of(d));
    y += y * (1.0f - d * y);
    y += y * (1.0f - d * y);
    y += y * (1.0f - d * y);
    return y;
}

#define STEP(RATE, M, X, EPSILON) ((RATE) * (M) * reciprocal_of_root(X, EPSILON))

#else

#define STEP(RATE, M, X, EPSILON) ((RATE) * (M) / (sqrtf(X) + (EPSILON)))

#endif

void adam(float *w, const float *g, float *m, float *v, size_t length, float beta1, float beta2, float epsilon,
    float rate, float v_scale)
{
    float gain1 = 1.0f - beta1, gain2 = 1.0f - beta2;
#if defined(GPT_CHIP) && !defined(GPT_NEWTON)
#pragma GCC unroll 4
#endif
    for (size_t i = 0; i < length; i++) {
        float mi = beta1 * m[i] + gain1 * g[i];
        float vi = beta2 * v[i] + gain2 * g[i] * g[i];
        m[i] = mi;
        v[i] = vi;
        w[i] -= STEP(rate, mi, vi * v_scale, epsilon);
    }
}
