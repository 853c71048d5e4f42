/*
 * What the C programs of the benchmark share: the names, the random numbers, the model (preset
 * esp32gpt; its size is compiled in). They train it as src/model/trainer.ts does, so that their losses can
 * be compared.
 */

#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>

#ifndef N
#define N 16
#endif
#ifndef LAYERS
#define LAYERS 1
#endif

/* Offsets of the matrices; those of a layer from its own beginning, LAYER(i). */
enum {
    HEADS = 4, BLOCK = 16, VOCABULARY = 27, HIDDEN = 4 * N,
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
    PARAMETERS = WOUT + N * VOCABULARY
};

#define LAYER(I) (FIRST_LAYER + (I) * LAYER_SIZE)

extern float parameters[PARAMETERS], gradients[PARAMETERS], moment1[PARAMETERS], moment2[PARAMETERS];

/* Implemented by each program: one step on `rows` positions; returns the loss. */
float train_step(const uint8_t *tokens, int rows, float rate, float v_scale);

#endif
