/*
 * The naive baseline: a direct port of the original, one token at a time, one vector-matrix product per token and
 * matrix. It does not allocate.
 */

#include "bench.h"

#include <math.h>
#include <string.h>

static struct {
    float x[N], q[N], k[N], v[N], p[HEADS][BLOCK], attention[N], middle[N], hidden[HIDDEN], dk[N], dv[N];
} positions[LAYERS + 1][BLOCK];
static float logits[BLOCK][VOCABULARY];

static void product(float *y, const float *x, const float *w, int n, int m)
{
    for (int j = 0; j < m; j++) {
        float sum = 0.0f;
        for (int i = 0; i < n; i++)
            sum += x[i] * w[i * m + j];
        y[j] = sum;
    }
}

static void product_backward(float *dx, float *g, const float *dy, const float *x, const float *w, int n, int m)
{
    for (int i = 0; i < n; i++) {
        float sum = 0.0f;
        for (int j = 0; j < m; j++) {
            sum += dy[j] * w[i * m + j];
            g[i * m + j] += dy[j] * x[i];
        }
        dx[i] += sum;
    }
}

static void softmax(float *x, int n)
{
    float largest = x[0], sum = 0.0f;
    for (int i = 1; i < n; i++)
        if (x[i] > largest)
            largest = x[i];
    for (int i = 0; i < n; i++)
        sum += x[i] = expf(x[i] - largest);
    for (int i = 0; i < n; i++)
        x[i] /= sum;
}

static void layer_forward(int layer, int t)
{
    enum { D = N / HEADS };
    const float *w = parameters + LAYER(layer), scale = 1.0f / sqrtf((float)D);
    product(positions[layer][t].q, positions[layer][t].x, w + WQ, N, N);
    product(positions[layer][t].k, positions[layer][t].x, w + WK, N, N);
    product(positions[layer][t].v, positions[layer][t].x, w + WV, N, N);
    for (int h = 0; h < HEADS; h++) {
        float *row = positions[layer][t].p[h];
        for (int s = 0; s <= t; s++) {
            row[s] = 0.0f;
            for (int i = h * D; i < (h + 1) * D; i++)
                row[s] += positions[layer][t].q[i] * positions[layer][s].k[i];
            row[s] *= scale;
        }
        softmax(row, t + 1);
        for (int i = h * D; i < (h + 1) * D; i++) {
            float sum = 0.0f;
            for (int s = 0; s <= t; s++)
                sum += row[s] * positions[layer][s].v[i];
            positions[layer][t].attention[i] = sum;
        }
    }
    product(positions[layer][t].middle, positions[layer][t].attention, w + WO, N, N);
    for (int i = 0; i < N; i++)
        positions[layer][t].middle[i] += positions[layer][t].x[i];
    product(positions[layer][t].hidden, positions[layer][t].middle, w + W1, N, HIDDEN);
    for (int i = 0; i < HIDDEN; i++)
        if (positions[layer][t].hidden[i] < 0.0f)
            positions[layer][t].hidden[i] = 0.0f;
    product(positions[layer + 1][t].x, positions[layer][t].hidden, w + W2, HIDDEN, N);
    for (int i = 0; i < N; i++)
        positions[layer + 1][t].x[i] += positions[layer][t].middle[i];
}

/* In: dx is the gradient of the layer's output. Out: dx is the gradient of its input. */
static void layer_backward(int layer, int t, float *dx)
{
    enum { D = N / HEADS };
    const float *w = parameters + LAYER(layer), scale = 1.0f / sqrtf((float)D);
    float *g = gradients + LAYER(layer), d_hidden[HIDDEN] = { 0 }, d_attention[N] = { 0 }, dq[N] = { 0 }, dp[BLOCK];
    product_backward(d_hidden, g + W2, dx, positions[layer][t].hidden, w + W2, HIDDEN, N);
    for (int i = 0; i < HIDDEN; i++)
        if (positions[layer][t].hidden[i] == 0.0f)
            d_hidden[i] = 0.0f;
    product_backward(dx, g + W1, d_hidden, positions[layer][t].middle, w + W1, N, HIDDEN);
    product_backward(d_attention, g + WO, dx, positions[layer][t].attention, w + WO, N, N);
    for (int h = 0; h < HEADS; h++) {
        const float *row = positions[layer][t].p[h];
        float mean = 0.0f;
        for (int s = 0; s <= t; s++) {
            dp[s] = 0.0f;
            for (int i = h * D; i < (h + 1) * D; i++) {
                dp[s] += d_attention[i] * positions[layer][s].v[i];
                positions[layer][s].dv[i] += row[s] * d_attention[i];
            }
            mean += row[s] * dp[s];
        }
        for (int s = 0; s <= t; s++) {
            float ds = row[s] * (dp[s] - mean) * scale;
            for (int i = h * D; i < (h + 1) * D; i++) {
                dq[i] += ds * positions[layer][s].k[i];
                positions[layer][s].dk[i] += ds * positions[layer][t].q[i];
            }
        }
    }
    product_backward(dx, g + WQ, dq, positions[layer][t].x, w + WQ, N, N);
    product_backward(dx, g + WK, positions[layer][t].dk, positions[layer][t].x, w + WK, N, N);
    product_backward(dx, g + WV, positions[layer][t].dv, positions[layer][t].x, w + WV, N, N);
}

float train_step(const uint8_t *tokens, int rows, float rate, float v_scale)
{
    static float dx[BLOCK][N];
    const float *w = parameters;
    float *g = gradients, loss = 0.0f;

    for (int t = 0; t < rows; t++) {
        for (int i = 0; i < N; i++)
            positions[0][t].x[i] = w[WTE + tokens[t] * N + i] + w[WPE + t * N + i];
        for (int layer = 0; layer < LAYERS; layer++)
            layer_forward(layer, t);
        product(logits[t], positions[LAYERS][t].x, w + WOUT, N, VOCABULARY);
        softmax(logits[t], VOCABULARY);
        loss -= logf(logits[t][tokens[t + 1]]) / (float)rows;
    }

    memset(g, 0, sizeof(gradients));
    memset(dx, 0, sizeof(dx));
    for (int t = 0; t < rows; t++) {
        logits[t][tokens[t + 1]] -= 1.0f;
        for (int i = 0; i < VOCABULARY; i++)
            logits[t][i] /= (float)rows;
        product_backward(dx[t], g + WOUT, logits[t], positions[LAYERS][t].x, w + WOUT, N, VOCABULARY);
    }
    for (int layer = LAYERS - 1; layer >= 0; layer--) {
        for (int t = 0; t < rows; t++) {
            memset(positions[layer][t].dk, 0, sizeof(positions[layer][t].dk));
            memset(positions[layer][t].dv, 0, sizeof(positions[layer][t].dv));
        }
        for (int t = rows - 1; t >= 0; t--)
            layer_backward(layer, t, dx[t]);
    }
    for (int t = 0; t < rows; t++) {
        for (int i = 0; i < N; i++) {
            g[WTE + tokens[t] * N + i] += dx[t][i];
            g[WPE + t * N + i] += dx[t][i];
        }
    }

    for (int i = 0; i < PARAMETERS; i++) {
        moment1[i] = 0.85f * moment1[i] + 0.15f * g[i];
        moment2[i] = 0.99f * moment2[i] + 0.01f * g[i] * g[i];
        parameters[i] -= rate * moment1[i] / (sqrtf(moment2[i] * v_scale) + 1e-8f);
    }
    return loss;
}
