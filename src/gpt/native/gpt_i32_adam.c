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
    /* The bits of M that a word has. */
    STORED_M = 0xffe0,
    MAX_K = 31,
    /* The largest number whose square has 31 bits. */
    MAX_ROOT = 46340
};

int32_t gpt_i32_step(double rate, double v_scale)
{
    double step = floor(rate / sqrt(v_scale) * 4294967296.0 + 0.5);
    return step < 0x7fffffff ? (int32_t)step : 0x7fffffff;
}

/* A parameter's state as a gradient meets it, in units that all share. */
typedef struct {
    int32_t gradient, m, M;
    int k;
} State;

/* Raises k. */
INLINE void coarsen(State *state)
{
    state->k++;
    state->M >>= 2;
    state->m >>= 1;
}

/* Whether a gradient of at most 16 bits can be shifted left without leaving 31 bits. */
static bool fits(int32_t gradient, int up)
{
    int32_t limit = up > 30 ? 0 : 0x8000 >> (up > 15 ? up - 15 : 0);
    return gradient >= -limit && gradient < limit;
}

/* A gradient that is to be shifted left, by -down. One that is too large for k raises k. */
static State shifted_up(State state, int down)
{
    for (; down < 0 && state.k < MAX_K && !fits(state.gradient, -down); down++)
        coarsen(&state);
    if (down >= 0)
        state.gradient >>= shift_of(down);
    else if (fits(state.gradient, -down))
        state.gradient = shifted_left(state.gradient, -down);
    else
        state.gradient = state.gradient > 0 ? 1 << 30 : -(1 << 30);
    return state;
}

/* Whether the square would have more than 31 bits. */
INLINE bool is_large(int32_t gradient)
{
    return (uint32_t)gradient + MAX_ROOT > 2 * MAX_ROOT;
}

/* A gradient whose square would have more than 31 bits: likewise. */
static State shifted_down(State state)
{
    for (; is_large(state.gradient) && state.k < MAX_K; state.gradient >>= 1)
        coarsen(&state);
    if (is_large(state.gradient))
        state.gradient = state.gradient > 0 ? 16000 : -16000;
    return state;
}

bool gpt_i32_adam(int32_t *w, const int32_t *g, int32_t *moments, size_t length, int32_t exponent, int32_t step)
{
    bool is_in_range = true;
    int offset = exponent - MOMENT_EXPONENT;
    for (const int32_t *end = w + length; w < end; w++, g++, moments++) {
        uint32_t word = (uint32_t)*moments;
        State s = { *g, (int32_t)word >> 16, (int32_t)(word & STORED_M) << 9, (int)(word & MAX_K) };
        int down = s.k + offset;
        int32_t moved;
        if (down >= 0)
            s.gradient >>= shift_of(down);
        else
            s = shifted_up(s, down);
        if (is_large(s.gradient))
            s = shifted_down(s);
        s.M += mulh(s.gradient * s.gradient - s.M, 42949673); /* 0.01, 2^-32 */
        s.m += ((s.gradient - s.m) * 2458 + 8192) >> 14; /* 0.15, 2^-14 */
        s.M += 1 << 13; /* rounds the mantissa that is stored */
        if (s.M >= MOST_M) {
            if (s.k < MAX_K)
                coarsen(&s);
            else
                s.M = MOST_M - 1;
        } else {
            while (s.M < LEAST_M) {
                if (s.k == 0)
                    s.M = LEAST_M;
                else {
                    s.M <<= 2;
                    s.m *= 2;
                    s.k--;
                }
            }
        }
        *moments = (int32_t)((uint32_t)s.m << 16 | (uint32_t)s.M >> 14 << 5 | (uint32_t)s.k);
        moved =
            *w - mulh(s.m * (int32_t)gpt_i32_inverse_root[(s.M >> 16) - GPT_I32_FIRST_ROOT], step) + WEIGHT_STEP / 2;
        moved &= -WEIGHT_STEP;
        if (moved > MAX_WEIGHT || moved < -MAX_WEIGHT) {
            moved = moved > 0 ? MAX_WEIGHT : -MAX_WEIGHT;
            is_in_range = false;
        }
        *w = moved;
    }
    return is_in_range;
}
