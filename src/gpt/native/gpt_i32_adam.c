/*
 * Adam with both moments in a word: m in bits 31 to 16, a mantissa M of v in bits 15 to 5, and their exponent k in bits
 * 4 to 0: m·2^(k - 38), v = M·2^(2k - 76) with M from 2^23 to 2^25, of which the word has the upper 11 bits.
 */

#include "gpt_target.h"

#include "gpt_i32_arithmetic.h"
#include "gpt_i32_tables.h"

#include <math.h>

enum {
    MOMENT_EXPONENT = 38,
    LEAST_M = 1 << 23,
    MOST_M = 1 << 25,
    MAX_K = 31,
    /* A gradient of 16 bits can be shifted left by so much. */
    MOST_UP = 15
};

int32_t gpt_i32_step(double rate, double v_scale)
{
    double step = rate / sqrt(v_scale) * 4294967296.0 + 0.5;
    return step < 0x7fffffff ? (int32_t)step : 0x7fffffff;
}

/* A parameter's moments and the gradient that they meet, in the units of k. */
typedef struct {
    int32_t gradient, m, M;
    int k;
    /* Where the table has 1 / sqrt(M). */
    uint32_t at;
} State;

INLINE State state_of(int32_t gradient, int32_t moment)
{
    /* M are 11 bits from bit 5 on, and the upper of 25. */
    State state = { gradient, moment >> 16, (int32_t)((uint32_t)moment << 16 >> 21 << 14), moment & MAX_K, 0 };
    return state;
}

/* Raises k. */
INLINE State coarser(State state)
{
    state.k++;
    state.M >>= 2;
    state.m >>= 1;
    return state;
}

/* Whether the square would have more than 31 bits. */
INLINE bool is_large(int32_t gradient, GptAdamConstants by)
{
    return (uint32_t)gradient + by.max_root > by.max_roots;
}

/* Halves a gradient until its square has 31 bits, which raises k, if k has room. */
INLINE State halved(State state, GptAdamConstants by)
{
    for (; is_large(state.gradient, by) && state.k < MAX_K; state.gradient >>= 1)
        state = coarser(state);
    return state;
}

/* Brings M into its range. */
INLINE State normalized(State state)
{
    if (state.M >= MOST_M) {
        if (state.k < MAX_K)
            return coarser(state);
        state.M = MOST_M - 1;
    }
    for (; state.M < LEAST_M && state.k > 0; state.k--) {
        state.M <<= 2;
        state.m *= 2;
    }
    if (state.M < LEAST_M)
        state.M = LEAST_M;
    return state;
}

INLINE uint32_t root_at(int32_t M)
{
    return (uint32_t)(M >> 16) - GPT_I32_FIRST_ROOT;
}

/* The moments after a gradient whose square has 31 bits. */
INLINE State updated(State state, GptAdamConstants by)
{
    state.M += mulh(state.gradient * state.gradient - state.M, by.gain2);
    state.m += ((state.gradient - state.m) * by.gain1 + by.half) >> 14;
    state.M += by.half; /* rounds the mantissa that is stored */
    state.at = root_at(state.M);
    if (state.at >= by.roots) {
        state = normalized(state);
        state.at = root_at(state.M);
    }
    return state;
}

INLINE int32_t word_of(State state)
{
    return (int32_t)((uint32_t)state.m << 16 | (uint32_t)state.M >> 14 << 5 | (uint32_t)state.k);
}

/* The weight after a step. */
INLINE int32_t moved(int32_t w, State state, int32_t step, GptAdamConstants by)
{
    return (w - mulh(state.m * by.inverse_root[state.at], step) + WEIGHT_STEP / 2) & -WEIGHT_STEP;
}

INLINE bool is_weight(int32_t w, GptAdamConstants by)
{
    return (uint32_t)w + by.max_weight <= by.max_weights;
}

/* Whether a gradient of at most 16 bits can be shifted left without leaving 31 bits. */
static bool fits(int32_t gradient, int up)
{
    int32_t limit = up > 30 ? 0 : 0x8000 >> (up > 15 ? up - 15 : 0);
    return gradient == 0 || (gradient >= -limit && gradient < limit);
}

/* Updates a weight and its moments, whatever the gradient. Returns whether the weight is in range. */
static bool update(int32_t *w, int32_t *moment, int32_t gradient, int offset, int32_t step)
{
    GptAdamConstants by = gpt_i32_adam_constants;
    State state = state_of(gradient, *moment);
    int down = state.k + offset;
    /* A gradient that is too large for k raises k. */
    for (; down < 0 && state.k < MAX_K && !fits(state.gradient, -down); down++)
        state = coarser(state);
    if (down >= 0)
        state.gradient >>= shift_of(down);
    else if (!fits(state.gradient, -down))
        state.gradient = state.gradient > 0 ? 1 << 30 : -(1 << 30);
    else if (state.gradient != 0)
        state.gradient = shifted_left(state.gradient, -down);
    state = halved(state, by);
    if (is_large(state.gradient, by))
        state.gradient = state.gradient > 0 ? 16000 : -16000;
    state = updated(state, by);
    *moment = word_of(state);
    *w = moved(*w, state, step, by);
    if (is_weight(*w, by))
        return true;
    *w = *w > 0 ? MAX_WEIGHT : -MAX_WEIGHT;
    return false;
}

/* Does the same for almost all gradients; returns false, and changes nothing, for the others. */
INLINE bool update_usual(int32_t *w, int32_t *moment, int32_t gradient, int offset, int32_t step, GptAdamConstants by)
{
    State state = state_of(gradient, *moment);
    int down = state.k + offset;
    int32_t weight;
    if ((uint32_t)down <= by.max_shift)
        state.gradient >>= down;
    else if (down < 0 && down >= -MOST_UP && (uint32_t)gradient + 0x8000 < 0x10000)
        state.gradient = shifted_left(gradient, -down);
    else
        return false;
    if (is_large(state.gradient, by)) {
        state = halved(state, by);
        if (is_large(state.gradient, by))
            return false;
    }
    state = updated(state, by);
    weight = moved(*w, state, step, by);
    if (!is_weight(weight, by))
        return false;
    *moment = word_of(state);
    *w = weight;
    return true;
}

/*
 * Updates weights up to the first that needs more; returns their number. It calls nothing, so that all registers hold
 * constants.
 */
NOT_INLINE static size_t update_most(
    int32_t *w, const int32_t *g, int32_t *moments, size_t length, int offset, int32_t step)
{
    GptAdamConstants by = gpt_i32_adam_constants;
    const int32_t *first = w, *end = w + (length & ~(size_t)1);
    for (; w < end; w += 2, g += 2, moments += 2) {
        if (!update_usual(w, moments, g[0], offset, step, by))
            return (size_t)(w - first);
        if (!update_usual(w + 1, moments + 1, g[1], offset, step, by))
            return (size_t)(w - first) + 1;
    }
    return (size_t)(w - first);
}

bool gpt_i32_adam(int32_t *w, const int32_t *g, int32_t *moments, size_t length, int32_t exponent, int32_t step)
{
    bool is_in_range = true;
    int offset = exponent - MOMENT_EXPONENT;
    for (size_t i = 0; i < length; i++) {
        i += update_most(w + i, g + i, moments + i, length - i, offset, step);
        if (i < length && !update(w + i, moments + i, g[i], offset, step))
            is_in_range = false;
    }
    return is_in_range;
}
