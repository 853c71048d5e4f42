/*
 * The numeric kernels of esp32gpt in C99: the same operations as in src/gpt/model/typescript-ops.ts, the
 * reference that tests compare them with. src/gpt/model/ops.ts has the formulas.
 *
 * Single precision throughout: the ESP32 does doubles in software. No allocation, no state; the caller
 * must have checked every length (gpt_ops_xs.c does so for JavaScript).
 */

#ifndef GPT_OPS_H
#define GPT_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool gpt_are_finite(const float *x, size_t length);

void gpt_embedding_forward(
    float *x, const float *wte, const float *wpe, const uint8_t *tokens, int from, int to, int n);
void gpt_embedding_backward(float *dwte, float *dwpe, const float *dx, const uint8_t *tokens, int rows, int n,
    int vocabulary, int block, bool accumulate);

void gpt_rms_norm_forward(float *y, const float *x, int from, int to, int n);
void gpt_rms_norm_backward(float *dx, const float *dy, const float *x, int rows, int n);

void gpt_linear_forward(float *y, const float *x, const float *w, int from, int to, int n, int m);
void gpt_linear_residual_forward(
    float *y, const float *residual, const float *x, const float *w, int from, int to, int n, int m);
void gpt_linear_backward(
    float *dx, float *dw, const float *dy, const float *x, const float *w, int rows, int n, int m, bool accumulate);

void gpt_qkv_forward(float *qkv, const float *x, const float *w, int from, int to, int n, int block);
void gpt_qkv_backward(float *dx, float *dw, const float *dqkv, const float *x, const float *w, int rows, int n,
    int block, bool accumulate);

/* Without bias, bias and dbias are NULL. */
void gpt_attention_forward(
    float *y, float *p, const float *qkv, const float *bias, int from, int to, int n, int heads, int block);
void gpt_attention_backward(float *dqkv, float *dbias, const float *dy, const float *y, const float *p,
    const float *qkv, int rows, int n, int heads, int block, bool accumulate);

void gpt_mlp_forward(float *y, const float *residual, float *h, const float *x, const float *w1, const float *w2,
    int from, int to, int n, int hidden);
void gpt_mlp_backward(float *dx, float *dw1, float *dw2, const float *dy, float *h, const float *x, const float *w1,
    const float *w2, int rows, int n, int hidden, bool accumulate);

float gpt_softmax_cross_entropy(float *logits, const uint8_t *tokens, int rows, int vocabulary, float weight);

/* The constants of a step of Adam: see Ops.adam. */
typedef struct {
    float beta1, beta2, epsilon, rate, v_scale;
} GptAdam;

void gpt_adam(float *w, const float *g, float *m, float *v, size_t length, const GptAdam *adam);

/*
 * Both moments in a word, as src/gpt/model/moment-words.ts explains: m in bits 31 to 16, and bits 30 to 15 of v, whose
 * sign is 0, in bits 15 to 0.
 */
#define GPT_M_BITS 0xffff0000u
#define GPT_V_BITS 0x7fff8000u
#define GPT_V_SHIFT 15

/* The word of two moments, from the bits of their floats; each is rounded to the nearest, the larger of two. */
static inline uint32_t gpt_moments(uint32_t m, uint32_t v)
{
    return ((m + 0x8000u) & GPT_M_BITS) | (v + 0x4000u) >> GPT_V_SHIFT;
}

/* The same as gpt_adam() with moments in words. */
void gpt_adam_words(float *w, const float *g, uint32_t *words, size_t length, const GptAdam *adam);

/*
 * The backward passes of a batch of one with moments in words, on a chip: they update the weights instead of setting
 * their gradients, and pass back the same. A row of a matrix that is divided, n, and the whole bias, heads×block, have at
 * most GPT_STRIP numbers.
 */
enum { GPT_STRIP = 256 };

void gpt_embedding_update(float *wte, float *wpe, uint32_t *wte_words, uint32_t *wpe_words, const float *dx,
    const uint8_t *tokens, const GptAdam *adam, int rows, int n, int vocabulary, int block);
void gpt_linear_update(
    float *dx, const float *dy, const float *x, float *w, uint32_t *words, const GptAdam *adam, int rows, int n, int m);
void gpt_qkv_update(float *dx, const float *dqkv, const float *x, float *w, uint32_t *words, const GptAdam *adam,
    int rows, int n, int block);
void gpt_attention_update(float *dqkv, float *bias, uint32_t *words, const float *dy, const float *y, const float *p,
    const float *qkv, const GptAdam *adam, int rows, int n, int heads, int block);
void gpt_mlp_update(float *dx, const float *dy, float *h, const float *x, float *w1, float *w2, uint32_t *words1,
    uint32_t *words2, const GptAdam *adam, int rows, int n, int hidden);

/* Whether `words` hold m or v. */
typedef enum { GPT_M, GPT_V } GptMoment;

void gpt_decode_moments(uint32_t *floats, const uint32_t *words, size_t length, GptMoment moment);
void gpt_encode_moments(uint32_t *words, const uint32_t *floats, size_t length, GptMoment moment);

#endif
