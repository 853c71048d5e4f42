/*
 * The ops in block floating point with integers of 32 bits: the same bits as src/gpt/model/i32-*.ts, which is the
 * specification and explains the formats, on every processor. For chips without an FPU: one source for chips and
 * desktops, as integer sums do not depend on their order.
 *
 * No allocation, no state; the caller must have checked every length (gpt_i32_xs.c does so for JavaScript). Weights,
 * and attention's p, have a fixed exponent and are plain numbers.
 */

#ifndef GPT_I32_H
#define GPT_I32_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The values are mantissas · 2^-exponent; of three equal blocks, each has an exponent. */
typedef struct {
    int32_t *mantissas;
    int32_t *exponents;
    /* Maximum bits of a mantissa beside its sign; for the gradient of a weight, ⌈log2⌉ of the documents summed. */
    int bits;
} GptTensor;

/* x has `length` mantissas and one exponent. */
void gpt_i32_zero(const GptTensor *x, int length);

void gpt_i32_embedding_forward(
    const GptTensor *x, const int32_t *wte, const int32_t *wpe, const uint8_t *tokens, int rows, int n);
/* dwte and dwpe have these lengths. */
void gpt_i32_embedding_backward(const GptTensor *dwte, int wte_length, const GptTensor *dwpe, int wpe_length,
    const GptTensor *dx, const uint8_t *tokens, int rows, int n, bool accumulate);

void gpt_i32_rms_norm_forward(const GptTensor *y, const GptTensor *x, int rows, int n);
void gpt_i32_rms_norm_backward(const GptTensor *dx, const GptTensor *dy, const GptTensor *x, int rows, int n);

void gpt_i32_linear_forward(const GptTensor *y, const GptTensor *x, const int32_t *w, int rows, int n, int m);
/* x may lose its lowest bits. */
void gpt_i32_linear_residual_forward(
    const GptTensor *y, const GptTensor *residual, const GptTensor *x, const int32_t *w, int rows, int n, int m);
void gpt_i32_linear_backward(const GptTensor *dx, const GptTensor *dw, const GptTensor *dy, const GptTensor *x,
    const int32_t *w, int rows, int n, int m, bool accumulate);

/* qkv, dqkv and dw have three exponents. */
void gpt_i32_qkv_forward(const GptTensor *qkv, const GptTensor *x, const int32_t *w, int rows, int n, int block);
/* dqkv may lose its lowest bits. */
void gpt_i32_qkv_backward(const GptTensor *dx, const GptTensor *dw, const GptTensor *dqkv, const GptTensor *x,
    const int32_t *w, int rows, int n, int block, bool accumulate);

/* Without bias, bias and dbias are NULL. */
void gpt_i32_attention_forward(
    const GptTensor *y, int32_t *p, const GptTensor *qkv, const int32_t *bias, int rows, int n, int heads, int block);
void gpt_i32_attention_backward(const GptTensor *dqkv, const GptTensor *dbias, const GptTensor *dy, const GptTensor *y,
    const int32_t *p, const GptTensor *qkv, int rows, int n, int heads, int block, bool accumulate);

/* h may lose its lowest bits. */
void gpt_i32_mlp_forward(const GptTensor *y, const GptTensor *residual, const GptTensor *h, const GptTensor *x,
    const int32_t *w1, const int32_t *w2, int rows, int n, int hidden);
void gpt_i32_mlp_backward(const GptTensor *dx, const GptTensor *dw1, const GptTensor *dw2, const GptTensor *dy,
    const GptTensor *h, const GptTensor *x, const int32_t *w1, const int32_t *w2, int rows, int n, int hidden,
    bool accumulate);

double gpt_i32_softmax_cross_entropy(
    const GptTensor *logits, const uint8_t *tokens, int rows, int vocabulary, float weight);

/* rate / sqrt(v_scale), 2^-32, at most a half. */
int32_t gpt_i32_step(double rate, double v_scale);
/*
 * One step of Adam for `length` weights with the same exponent of their gradients. A word of `moments` holds both
 * moments of a weight. Returns whether all weights are in range.
 */
bool gpt_i32_adam(int32_t *w, const int32_t *g, int32_t *moments, size_t length, int32_t exponent, int32_t step);

/* A step of Adam in backward passes that update weights: gpt_i32_step(), and whether a weight was clamped so far. */
typedef struct {
    int32_t step, is_clamped;
} GptI32Update;

/*
 * The backward passes of a batch of one: they update the weights instead of setting their gradients, and pass back the
 * same. n, and the whole bias, heads×block, are at most GPT_I32_STRIP.
 */
enum { GPT_I32_STRIP = 256 };

void gpt_i32_embedding_update(int32_t *wte, int32_t *wpe, int32_t *wte_words, int32_t *wpe_words, const GptTensor *dx,
    const uint8_t *tokens, GptI32Update *update, int rows, int n, int vocabulary, int block);
void gpt_i32_linear_update(const GptTensor *dx, const GptTensor *dy, const GptTensor *x, int32_t *w, int32_t *words,
    GptI32Update *update, int rows, int n, int m);
/* dqkv may lose its lowest bits; `copy` has rows×n numbers. */
void gpt_i32_qkv_update(const GptTensor *dx, const GptTensor *dqkv, const GptTensor *x, int32_t *w, int32_t *words,
    int32_t *copy, GptI32Update *update, int rows, int n, int block);
void gpt_i32_attention_update(const GptTensor *dqkv, int32_t *bias, int32_t *words, const GptTensor *dy,
    const GptTensor *y, const int32_t *p, const GptTensor *qkv, GptI32Update *update, int rows, int n, int heads,
    int block);
/* h may lose its lowest bits. */
void gpt_i32_mlp_update(const GptTensor *dx, const GptTensor *dy, const GptTensor *h, const GptTensor *x, int32_t *w1,
    int32_t *w2, int32_t *words1, int32_t *words2, GptI32Update *update, int rows, int n, int hidden);

/* What the numbers of a buffer are. */
typedef enum { GPT_I32_WEIGHTS, GPT_I32_M, GPT_I32_V } GptStored;

/* The bits of float32 numbers from the integers of a model, and back: see src/gpt/model/i32-codec.ts. */
void gpt_i32_decode(uint32_t *floats, const int32_t *numbers, size_t length, GptStored what);
/* Of the moments, m comes first: until v comes, `numbers` hold m as float32. */
void gpt_i32_encode(int32_t *numbers, const uint32_t *floats, size_t length, GptStored what);

#endif
