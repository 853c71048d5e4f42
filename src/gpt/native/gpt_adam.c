/* Adam over flat buffers. */

#include "gpt_target.h"

#include "gpt_exp.h"
#include "gpt_ops.h"

/* A parameter after a step: w - step / (sqrt(v * v_scale) + epsilon) */

#ifdef GPT_NEWTON

/*
 * 1 / sqrt(x) from h = ROOT_SCALE * x: integer arithmetic on the bits negates and halves the exponent, which gives a
 * first guess; two steps of Newton's method follow, with constants for exactly two steps, as in Walczyk, Moroz and
 * Cieslinski (2021). A step is r (a - h r^2): if the guess r sqrt(h) lies in [p, q], a = p^2 + p q + q^2 makes both ends
 * equal, and their distance from the middle the largest error. After both, r sqrt(h) is around a constant, whose square
 * is ROOT_SCALE. The seed is the best of all that were tried.
 */
#define ROOT_SEED 0x5f1fc000u
#define ROOT_A1 2.3830836f
#define ROOT_A2 6.0071898f
#define ROOT_SCALE 32.115154f
/* 1 / (r^2 x), where r is the result of the first step. */
#define ROOT_EPSILON 16.0384f

/* From this multiple of epsilon on, 1 / (sqrt(x) + epsilon) is r - epsilon r^2 with an error of 1e-7, r = 1 / sqrt(x). */
#define LARGE_ROOT 10000.0f

static inline float first_step(float h)
{
    float r = float_of(ROOT_SEED - (bits_of(h) >> 1));
    return r * fused(-(h * r), r, ROOT_A1);
}

/* The same for small roots; parameters that had no gradient yet are among them. */
static float updated_slowly(float w, float step, float v, float v_scale, float epsilon)
{
    float h, r, d, y;
    if (step == 0.0f)
        return w;
    h = ROOT_SCALE * fused(v, v_scale, 1e-36f);
    r = first_step(h);
    r *= fused(-(h * r), r, ROOT_A2);
    d = fused(h * (1 / ROOT_SCALE), r, epsilon);
    /* 1 / d: each step doubles the correct digits of a guess that negates the exponent. */
    y = float_of(0x7ef311c7u - bits_of(d));
    y = fused(y, fused(-d, y, 1.0f), y);
    y = fused(y, fused(-d, y, 1.0f), y);
    y = fused(y, fused(-d, y, 1.0f), y);
    return fused(-step, y, w);
}

#endif

void gpt_adam(float *w, const float *g, float *m, float *v, size_t length, float beta1, float beta2, float epsilon,
    float rate, float v_scale)
{
    float gain1 = 1.0f - beta1, gain2 = 1.0f - beta2;
#ifdef GPT_NEWTON
    float scale = ROOT_SCALE * v_scale, offset = ROOT_EPSILON * epsilon, least = LARGE_ROOT * epsilon;
    uint32_t large = bits_of(ROOT_SCALE * least * least);
#elif defined(GPT_CHIP)
#pragma GCC unroll 4
#endif
    for (size_t i = 0; i < length; i++) {
        float mi = fused(beta1, m[i], gain1 * g[i]);
        float vi = fused(beta2, v[i], gain2 * g[i] * g[i]);
        m[i] = mi;
        v[i] = vi;
#ifdef GPT_NEWTON
        float h = vi * scale, r = first_step(h);
        if (__builtin_expect(bits_of(h) < large, 0))
            w[i] = updated_slowly(w[i], rate * mi, vi, v_scale, epsilon);
        else
            w[i] = fused(-(rate * mi), r * fused(-fused(h, r, offset), r, ROOT_A2), w[i]);
#else
        w[i] = w[i] - rate * mi / (sqrtf(vi * v_scale) + epsilon);
#endif
    }
}
