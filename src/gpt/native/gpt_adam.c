/* Adam over flat buffers. */

#include "gpt_target.h"

#include "gpt_exp.h"
#include "gpt_ops.h"

/* updated() is a parameter after a step: w - step / (sqrt(v·v_scale) + epsilon) */

#ifdef GPT_NEWTON

/*
 * 1 / (sqrt(x) + epsilon), x >= 1e-36, with a relative error of a few 1e-7. Integer arithmetic on the bits halves or
 * negates the exponent, which gives a first guess; each step of Newton's method doubles its correct digits.
 */
static inline float reciprocal_of_root(float x, float epsilon)
{
    float half, r, y, d;
    half = 0.5f * x;
    r = float_of(0x5f3759dfu - (bits_of(x) >> 1));
    r *= fused(-(half * r), r, 1.5f);
    r *= fused(-(half * r), r, 1.5f);
    r *= fused(-(half * r), r, 1.5f);
    d = fused(x, r, epsilon);
    y = float_of(0x7ef311c7u - bits_of(d));
    y = fused(y, fused(-d, y, 1.0f), y);
    y = fused(y, fused(-d, y, 1.0f), y);
    y = fused(y, fused(-d, y, 1.0f), y);
    return y;
}

static inline float updated(float w, float step, float v, float v_scale, float epsilon)
{
    /* 1e-36, as the first guess for zero would be so large that its square is infinite. */
    return fused(-step, reciprocal_of_root(fused(v, v_scale, 1e-36f), epsilon), w);
}

#else

static inline float updated(float w, float step, float v, float v_scale, float epsilon)
{
    return w - step / (sqrtf(v * v_scale) + epsilon);
}

#endif

void gpt_adam(float *w, const float *g, float *m, float *v, size_t length, float beta1, float beta2, float epsilon,
    float rate, float v_scale)
{
    float gain1 = 1.0f - beta1, gain2 = 1.0f - beta2;
#if defined(GPT_CHIP) && !defined(GPT_NEWTON)
#pragma GCC unroll 4
#endif
    for (size_t i = 0; i < length; i++) {
        float mi = fused(beta1, m[i], gain1 * g[i]);
        float vi = fused(beta2, v[i], gain2 * g[i] * g[i]);
        m[i] = mi;
        v[i] = vi;
        w[i] = updated(w[i], rate * mi, vi, v_scale, epsilon);
    }
}
