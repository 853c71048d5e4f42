#include "gpt-target.h"

#include "gpt-exp.h"
#include "gpt-ops.h"
#include "gpt-products.h"

#include <math.h>
#include <string.h>

/* --- embedding: x (T×n) = wte[token] + wpe[t] --- */

void embedding_forward(float *x, const float *wte, const float *wpe, const uint8_t *tokens, int from, int to, int n)
{
    for (int t = from; t < to; t++) {
        const float *token = wte + tokens[t] * n, *position = wpe + t * n;
        for (int i = 0; i < n; i++)
            x[t * n + i] = token[i] + position[i];
    }
}

void embedding_backward(float *dwte, float *dwpe, const float *dx, const uint8_t *tokens, int rows, int n,
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
        sum += x[i] * x[i];
    return 1.0f / sqrtf(sum / (float)n + 1e-5f);
}

void rms_norm_forward(float *y, const float *x, int from, int to, int n)
{
    for (int t = from; t < to; t++) {
        const float *xt = x + t * n;
        float scale = rms_scale(xt, n);
        for (int i = 0; i < n; i++)
            y[t * n + i] = xt[i] * scale;
    }
}

void rms_norm_backward(float *dx, const float *dy, const float *x, int rows, int n)
{
    for (int start = 0; start < rows * n; start += n) {
        float scale = rms_scale(x + start, n), dot = 0.0f, pull;
        for (int i = start; i < start + n; i++)
            dot += x[i] * dy[i];
        pull = dot * scale * scale * scale / (float)n;
        for (int i = start; i < start + n; i++)
            dx[i] += scale * dy[i] - pull * x[i];
    }
}

/* --- linear: y (T×m) = x (T×n) · w (n×m) --- */

void linear_forward(float *y, const float *x, const float *w, int from, int to, int n, int m)
{
    memset(y + from * m, 0, (size_t)((to - from) * m) * sizeof(float));
    add_product(y + from * m, x + from * n, w, to - from, n, m);
}

void linear_residual_forward(float *y, const float *residual, const float *x, const float *w, int from, int to,
    int n, int m)
{
    memcpy(y + from * m, residual + from * m, (size_t)((to - from) * m) * sizeof(float));
    add_product(y + from * m, x + from * n, w, to - from, n, m);
}

void linear_backward(float *dx, float *dw, const float *dy, const float *x, const float *w, int rows, int n, int m,
    bool accumulate)
{
    memset(dx, 0, (size_t)(rows * n) * sizeof(float));
    add_product_transposed(dx, dy, w, rows, n, m);
    outer_product(dw, dy, x, rows, n, m, accumulate);
}

/* --- q, k, v (B×n each, one behind the other) = x · wq, x · wk, x · wv --- */

void qkv_forward(float *qkv, const float *x, const float *w, int from, int to, int n, int block)
{
    for (int part = 0; part < 3; part++)
        linear_forward(qkv + part * block * n, x, w + part * n * n, from, to, n, n);
}

void qkv_backward(float *dx, float *dw, const float *dqkv, const float *x, const float *w, int rows, int n, int block,
    bool accumulate)
{
    for (int part = 0; part < 3; part++) {
        const float *dy = dqkv + part * block * n;
        add_product_transposed(dx, dy, w + part * n * n, rows, n, n);
        outer_product(dw + part * n * n, dy, x, rows, n, n, accumulate);
    }
}

/* --- the mean of -log softmax(logits)[target], and its gradient in the place of the logits (T×V) --- */

float softmax_cross_entropy(float *logits, const uint8_t *tokens, int rows, int vocabulary, float weight)
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
