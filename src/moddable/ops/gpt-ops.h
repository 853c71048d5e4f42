/*
 * The numeric kernels of esp32gpt in C99: the same operations as in src/model/typescript-ops.ts, which is
 * the readable truth that tests hold these to. src/model/ops.ts has the formulas.
 *
 * Single precision throughout: the ESP32 does doubles in software. No allocation, no state; whoever
 * calls has checked every length (gpt-ops-xs.c does so for JavaScript).
 */

#ifndef GPT_OPS_H
#define GPT_OPS_H

#include <stddef.h>
#include <stdint.h>

void embedding_forward(float *x, const float *wte, const float *wpe, const uint8_t *tokens, int from, int to, int n);
void embedding_backward(float *dwte, float *dwpe, const float *dx, const uint8_t *tokens, int rows, int n,
    int vocabulary, int block);

void rms_norm_forward(float *y, const float *x, int from, int to, int n);
void rms_norm_backward(float *dx, const float *dy, const float *x, int rows, int n);

void linear_forward(float *y, const float *x, const float *w, int from, int to, int n, int m);
void linear_residual_forward(float *y, const float *residual, const float *x, const float *w, int from, int to,
    int n, int m);
void linear_backward(float *dx, float *dw, const float *dy, const float *x, const float *w, int rows, int n, int m);

void qkv_forward(float *qkv, const float *x, const float *w, int from, int to, int n, int block);
void qkv_backward(float *dx, float *dw, const float *dqkv, const float *x, const float *w, int rows, int n, int block);

void attention_forward(float *y, float *p, const float *qkv, int from, int to, int n, int heads, int block);
void attention_backward(float *dqkv, const float *dy, const float *y, const float *p, const float *qkv, int rows,
    int n, int heads, int block);

void mlp_forward(float *y, const float *residual, float *h, const float *x, const float *w1, const float *w2,
    int from, int to, int n, int hidden);
void mlp_backward(float *dx, float *dw1, float *dw2, const float *dy, float *h, const float *x, const float *w1,
    const float *w2, int rows, int n, int hidden);

float softmax_cross_entropy(float *logits, const uint8_t *tokens, int rows, int vocabulary);

void adam(float *w, const float *g, float *m, float *v, size_t length, float beta1, float beta2, float epsilon,
    float rate, float v_scale);

#endif
