#include "gpt_target.h"

#include "gpt_exp.h"
#include "gpt_ops.h"
#include "gpt_products.h"

#include <math.h>
#include <string.h>

bool gpt_are_finite(const float *x, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

/* --- embedding: x (T×n) = wte[token] + wpe[t] --- */

void gpt_embedding_forward(float *x, const float *wte, const float *wpe, const uint8_t *tokens, int from, int to, int n)
{
    for (int t = from; t < to; t++) {
        const float *token = wte + tokens[t] * n, *position = wpe + t * n;
        for (int i = 0; i < n; i++)
            x[t * n + i] = token[i] + position[i];
    }
}

void gpt_embedding_backward(float *dwte, float *dwpe, const float *dx, const uint8_t *tokens, int rows, int n,
    int vocabulary, int block, bool accumulate)
{
    if (!accumulate) {
        memset(dwte, 0, (size_t)(vocabulary * n) * sizeof(float));
        memset(dwpe, 0, (size_t)(block * n) * sizeof(float));
    }
    for (int t = 0; t < rows; t++) {
        float *token = dwte + tokens[t] * n, *position = dwpe + t * n;
        for (int i = 0; i < n; i++) {
            token[i] += dx[t * n + i];
            position[i] += dx[t * n + i];
        }
    }
}

/* --- RMSNorm: y = x / sqrt(mean(x²) + ε), row by row; x, y: T×n --- */

static float rms_scale(const float *x, int n)
{
    float sum = 0.0f;
    for (int i = 0; i < n; i++)
        sum = fused(x[i], x[i], sum);
    return 1.0f / sqrtf(sum / (float)n + 1e-5f);
}

void gpt_rms_norm_forward(float *y, const float *x, int from, int to, int n)
{
    for (int t = from; t < to; t++) {
        const float *xt = x + t * n;
        float scale = rms_scale(xt, n);
        for (int i = 0; i < n; i++)
            y[t * n + i] = xt[i] * scale;
    }
}

void gpt_rms_norm_backward(float *dx, const float *dy, const float *x, int rows, int n)
{
    for (int start = 0; start < rows * n; start += n) {
        float scale = rms_scale(x + start, n), dot = 0.0f, pull;
        for (int i = start; i < start + n; i++)
            dot = fused(x[i], dy[i], dot);
        pull = dot * scale * scale * scale / (float)n;
        for (int i = start; i < start + n; i++)
            dx[i] += fused(scale, dy[i], -(pull * x[i]));
    }
}

/* --- linear: y (T×m) = x (T×n) · w (n×m) --- */

void gpt_linear_forward(float *y, const float *x, const float *w, int from, int to, int n, int m)
{
    memset(y + from * m, 0, (size_t)((to - from) * m) * sizeof(float));
    gpt_add_product(y + from * m, x + from * n, w, to - from, n, m);
}

void gpt_linear_residual_forward(
    float *y, const float *residual, const float *x, const float *w, int from, int to, int n, int m)
{
    memcpy(y + from * m, residual + from * m, (size_t)((to - from) * m) * sizeof(float));
    gpt_add_product(y + from * m, x + from * n, w, to - from, n, m);
}

void gpt_linear_backward(
    float *dx, float *dw, const float *dy, const float *x, const float *w, int rows, int n, int m, bool accumulate)
{
    memset(dx, 0, (size_t)(rows * n) * sizeof(float));
    gpt_add_product_transposed(dx, dy, w, rows, n, m);
    gpt_outer_product(dw, (GptSize) { n, m }, dy, x, rows, n, m, accumulate);
}

/* --- MLP: h = max(x·w1, 0), y = residual + h·w2; x, y: T×n, h: T×hidden; its backward pass is in gpt_mlp.c --- */

void gpt_mlp_forward(float *y, const float *residual, float *h, const float *x, const float *w1, const float *w2,
    int from, int to, int n, int hidden)
{
    gpt_linear_forward(h, x, w1, from, to, n, hidden);
    memcpy(y + from * n, residual + from * n, (size_t)((to - from) * n) * sizeof(float));
    for (int t = from; t < to; t++)
        gpt_add_active(y + t * n, h + t * hidden, w2, n, hidden);
}

/* --- q, k, v (B×n each, concatenated) = x · wq, x · wk, x · wv --- */

void gpt_qkv_forward(float *qkv, const float *x, const float *w, int from, int to, int n, int block)
{
    for (int part = 0; part < 3; part++)
        gpt_linear_forward(qkv + part * block * n, x, w + part * n * n, from, to, n, n);
}

void gpt_qkv_backward(float *dx, float *dw, const float *dqkv, const float *x, const float *w, int rows, int n,
    int block, bool accumulate)
{
    for (int part = 0; part < 3; part++) {
        const float *dy = dqkv + part * block * n;
        gpt_add_product_transposed(dx, dy, w + part * n * n, rows, n, n);
        gpt_outer_product(dw + part * n * n, (GptSize) { n, n }, dy, x, rows, n, n, accumulate);
    }
}

/* --- the mean of -log softmax(logits)[target]; its gradient replaces the logits (T×V) --- */

float gpt_softmax_cross_entropy(float *logits, const uint8_t *tokens, int rows, int vocabulary, float weight)
{
    float loss = 0.0f;
    for (int t = 0; t < rows; t++, logits += vocabulary) {
        int target = tokens[t + 1];
        float largest = largest_of(logits, vocabulary), surplus = logits[target] - largest;
        float sum = exponentials(logits, vocabulary, largest), share = weight / sum;
        loss += logf(sum) - surplus;
        for (int i = 0; i < vocabulary; i++)
            logits[i] *= share;
        logits[target] -= weight;
    }
    return loss * (1.0f / (float)rows);
}
