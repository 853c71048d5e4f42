/*
 * Shared code of the C benchmarks: dataset, random numbers, and the model (preset esp32gpt, tuned with RELATIVE_BIAS,
 * microgpt with RMS_NORM; its size is a compile-time constant). They train like src/gpt/training/trainer.ts, so that
 * losses are comparable.
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
/* Documents of a batch. */
#ifndef DOCUMENTS
#define DOCUMENTS 1
#endif
/* Whether the backward passes update the weights: see canUpdateAtOnce() in src/gpt/model/parameters.ts. */
#ifndef UPDATES
#define UPDATES 0
#endif

/* With I32, the ops in block floating point. */
#ifdef I32
typedef int32_t Number;
typedef double Real;
#else
typedef float Number;
typedef float Real;
#endif

/* Offsets of the matrices in the parameter buffer. Those of a layer are relative to LAYER(i). The biases
   follow all matrices. */
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

extern Number parameters[PARAMETERS];
/* Those of floats. */
extern float gradients[PARAMETERS], moment1[PARAMETERS], moment2[PARAMETERS];

/* Implemented by each program: one training step on `rows` positions. Returns the loss. */
float train_step(const uint8_t *tokens, int rows, float rate, float v_scale);

/* Implemented by floor.c, whose train_step calls it, and by floor_i32.c: see src/gpt/training/trainer.ts. */
void begin_step(Real rate, Real v_scale);
Real compute_gradients(const uint8_t *tokens, int rows, float weight, bool accumulate);
/* With UPDATES it does nothing. */
void update(void);

#endif
