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

void gpt_adam(float *w, const float *g, float *m, float *v, size_t length, float beta1, float beta2, float epsilon,
    float rate, float v_scale);

#endif
