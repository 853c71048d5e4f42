/*
 * What the C programs of the benchmarks share: the names, the random numbers, the model (preset esp32gpt, with
 * RELATIVE_BIAS tuned, with RMS_NORM microgpt; its size is compiled in). They train it as src/gpt/training/trainer.ts
 * does, so that their losses can be compared.
 */

#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stdint.h>

#ifndef N
#define N 16
#endif
#ifndef LAYERS
#define LAYERS 1
#endif
#ifndef RMS_NORM
#define RMS_NORM 0
#endif
#ifndef RELATIVE_BIAS
#define RELATIVE_BIAS 0
#endif

/* Offsets of the matrices; those of a layer from its own beginning, LAYER(i). The biases are behind them all. */
enum {
    HEADS = 4,
    BLOCK = 16,
    VOCABULARY = 27,
    HIDDEN = 4 * N,
    WTE = 0,
    WPE = WTE + VOCABULARY * N,
    FIRST_LAYER = WPE + BLOCK * N,
    WQ = 0,
    WK = WQ + N * N,
    WV = WK + N * N,
    WO = WV + N * N,
    W1 = WO + N * N,
    W2 = W1 + N * HIDDEN,
    LAYER_SIZE = W2 + HIDDEN * N,
    WOUT = FIRST_LAYER + LAYERS * LAYER_SIZE,
    FIRST_BIAS = WOUT + N * VOCABULARY,
    PARAMETERS = FIRST_BIAS + RELATIVE_BIAS * LAYERS * HEADS * BLOCK
};

#define LAYER(I) (FIRST_LAYER + (I) * LAYER_SIZE)
#define BIAS(I) (FIRST_BIAS + (I) * HEADS * BLOCK)

extern float parameters[PARAMETERS], gradients[PARAMETERS], moment1[PARAMETERS], moment2[PARAMETERS];

/* Implemented by each program: one step on `rows` positions; returns the loss. */
float train_step(const uint8_t *tokens, int rows, float rate, float v_scale);

/* Implemented by floor.c, which train_step calls there: see src/gpt/training/trainer.ts. */
float compute_gradients(const uint8_t *tokens, int rows, float weight, bool accumulate);
void update(float rate, float v_scale);

#endif
