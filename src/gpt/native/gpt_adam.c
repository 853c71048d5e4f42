/* Adam over flat buffers, and its moments in words. */

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

/* What the loops over parameters need of a step. */
typedef struct {
    float beta1, beta2, gain1, gain2, epsilon, rate, v_scale;
#ifdef GPT_NEWTON
    float scale, offset;
    uint32_t large;
#endif
} Constants;

static inline Constants constants_of(const GptAdam *adam)
{
    Constants by = {
        adam->beta1, adam->beta2, 1.0f - adam->beta1, 1.0f - adam->beta2, adam->epsilon, adam->rate, adam->v_scale,
#ifdef GPT_NEWTON
        0.0f, 0.0f, 0
#endif
    };
#ifdef GPT_NEWTON
    float least = LARGE_ROOT * by.epsilon;
    by.scale = ROOT_SCALE * by.v_scale;
    by.offset = ROOT_EPSILON * by.epsilon;
    by.large = bits_of(ROOT_SCALE * least * least);
#endif
    return by;
}

static inline float first_moment(float m, float g, Constants by)
{
    return fused(by.beta1, m, by.gain1 * g);
}

static inline float second_moment(float v, float g, Constants by)
{
    return fused(by.beta2, v, by.gain2 * g * g);
}

/* The parameter after a step with these moments. */
static inline float updated(float w, float m, float v, Constants by)
{
#ifdef GPT_NEWTON
    float h = v * by.scale, r = first_step(h);
    if (__builtin_expect(bits_of(h) < by.large, 0))
        return updated_slowly(w, by.rate * m, v, by.v_scale, by.epsilon);
    return fused(-(by.rate * m), r * fused(-fused(h, r, by.offset), r, ROOT_A2), w);
#else
    return w - by.rate * m / (sqrtf(v * by.v_scale) + by.epsilon);
#endif
}

void gpt_adam(float *w, const float *g, float *m, float *v, size_t length, const GptAdam *adam)
{
    Constants by = constants_of(adam);
#if defined(GPT_CHIP) && !defined(GPT_NEWTON)
#pragma GCC unroll 4
#endif
    for (size_t i = 0; i < length; i++) {
        float mi = first_moment(m[i], g[i], by), vi = second_moment(v[i], g[i], by);
        m[i] = mi;
        v[i] = vi;
        w[i] = updated(w[i], mi, vi, by);
    }
}

void gpt_adam_words(float *w, const float *g, uint32_t *words, size_t length, const GptAdam *adam)
{
    Constants by = constants_of(adam);
    for (const float *end = g + length; g < end; g++, w++, words++) {
        uint32_t word = *words;
        float m = first_moment(float_of(word & GPT_M_BITS), *g, by);
        float v = second_moment(float_of(word << GPT_V_SHIFT & GPT_V_BITS), *g, by);
        *words = gpt_moments(bits_of(m), bits_of(v));
        *w = updated(*w, m, v, by);
    }
}

void gpt_decode_moments(uint32_t *floats, const uint32_t *words, size_t length, GptMoment moment)
{
    for (size_t i = 0; i < length; i++)
        floats[i] = moment == GPT_M ? words[i] & GPT_M_BITS : words[i] << GPT_V_SHIFT & GPT_V_BITS;
}

void gpt_encode_moments(uint32_t *words, const uint32_t *floats, size_t length, GptMoment moment)
{
    for (size_t i = 0; i < length; i++) {
        uint32_t m = moment == GPT_M ? floats[i] : words[i] & GPT_M_BITS;
        uint32_t v = moment == GPT_V ? floats[i] : words[i] << GPT_V_SHIFT & GPT_V_BITS;
        words[i] = gpt_moments(m, v);
    }
}
