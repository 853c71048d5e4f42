#include "gpt-ops.h"

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

/* One row: y (m) += x (n) · w (n×m). Four columns at a time: each x is loaded once for all of them,
   and the sums stay in registers. */
static void add_row_product(float *y, const float *x, const float *w, int n, int m)
{
    int j = 0;
    for (; j + 4 <= m; j += 4) {
        float a = y[j], b = y[j + 1], c = y[j + 2], d = y[j + 3];
        const float *wj = w + j;
        for (int i = 0; i < n; i++, wj += m) {
            float xi = x[i];
            a += xi * wj[0];
            b += xi * wj[1];
            c += xi * wj[2];
            d += xi * wj[3];
        }
        y[j] = a, y[j + 1] = b, y[j + 2] = c, y[j + 3] = d;
    }
    for (; j < m; j++) {
        float a = y[j];
        for (int i = 0; i < n; i++)
            a += x[i] * w[i * m + j];
        y[j] = a;
    }
}

/* One row: dx (n) += dy (m) · wᵀ, four rows of w at a time. */
static void add_row_product_transposed(float *dx, const float *dy, const float *w, int n, int m)
{
    int i = 0;
    for (; i + 4 <= n; i += 4) {
        float a = dx[i], b = dx[i + 1], c = dx[i + 2], d = dx[i + 3];
        const float *wa = w + i * m, *wb = wa + m, *wc = wb + m, *wd = wc + m;
        for (int j = 0; j < m; j++) {
            float g = dy[j];
            a += g * wa[j];
            b += g * wb[j];
            c += g * wc[j];
            d += g * wd[j];
        }
        dx[i] = a, dx[i + 1] = b, dx[i + 2] = c, dx[i + 3] = d;
    }
    for (; i < n; i++) {
        float a = dx[i];
        for (int j = 0; j < m; j++)
            a += dy[j] * w[i * m + j];
        dx[i] = a;
    }
}

/* dw (n×m) = xᵀ · dy, x: T×n, dy: T×m. Each sum runs over the positions, four columns at a time. */
static void outer_product(float *dw, const float *dy, const float *x, int rows, int n, int m, bool accumulate)
{
    if (!accumulate)
        memset(dw, 0, (size_t)(n * m) * sizeof(float));
    for (int i = 0; i < n; i++, dw += m) {
        int j = 0;
        for (; j + 4 <= m; j += 4) {
            float a = dw[j], b = dw[j + 1], c = dw[j + 2], d = dw[j + 3];
            const float *g = dy + j, *xi = x + i;
            for (int t = 0; t < rows; t++, g += m, xi += n) {
                a += *xi * g[0];
                b += *xi * g[1];
                c += *xi * g[2];
                d += *xi * g[3];
            }
            dw[j] = a, dw[j + 1] = b, dw[j + 2] = c, dw[j + 3] = d;
        }
        for (; j < m; j++) {
            float a = dw[j];
            for (int t = 0; t < rows; t++)
                a += x[t * n + i] * dy[t * m + j];
            dw[j] = a;
        }
    }
}

void linear_forward(float *y, const float *x, const float *w, int from, int to, int n, int m)
{
    memset(y + from * m, 0, (size_t)((to - from) * m) * sizeof(float));
    for (int t = from; t < to; t++)
        add_row_product(y + t * m, x + t * n, w, n, m);
}

void linear_residual_forward(float *y, const float *residual, const float *x, const float *w, int from, int to,
    int n, int m)
{
    memcpy(y + from * m, residual + from * m, (size_t)((to - from) * m) * sizeof(float));
    for (int t = from; t < to; t++)
        add_row_product(y + t * m, x + t * n, w, n, m);
}

void linear_backward(float *dx, float *dw, const float *dy, const float *x, const float *w, int rows, int n, int m,
    bool accumulate)
{
    memset(dx, 0, (size_t)(rows * n) * sizeof(float));
    for (int t = 0; t < rows; t++)
        add_row_product_transposed(dx + t * n, dy + t * m, w, n, m);
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
        for (int t = 0; t < rows; t++)
            add_row_product_transposed(dx + t * n, dy + t * n, w + part * n * n, n, n);
        outer_product(dw + part * n * n, dy, x, rows, n, n, accumulate);
    }
}

/* --- causal attention over all heads; q, k, v, y: T×n, p: a lower triangle a head --- */

static float dot(const float *a, const float *b, int n)
{
    float sum = 0.0f;
    for (int i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

static float largest_of(const float *x, int n)
{
    float largest = x[0];
    for (int i = 1; i < n; i++)
        if (x[i] > largest)
            largest = x[i];
    return largest;
}

/* Replaces x (n) by e^(x - largest), which cannot overflow, and returns the sum. */
static float exponentials(float *x, int n, float largest)
{
    float sum = 0.0f;
    for (int i = 0; i < n; i++) {
        x[i] = expf(x[i] - largest);
        sum += x[i];
    }
    return sum;
}

void attention_forward(float *y, float *p, const float *qkv, const float *bias, int from, int to, int n,
    int heads, int block)
{
    int d = n / heads, triangle = block * (block + 1) / 2;
    float scale = 1.0f / sqrtf((float)d);
    const float *q = qkv, *k = q + block * n, *v = k + block * n;
    for (int h = 0; h < heads; h++) {
        for (int t = from; t < to; t++) {
            float *row = p + h * triangle + t * (t + 1) / 2, *yt = y + t * n + h * d, share;
            const float *qt = q + t * n + h * d;
            for (int s = 0; s <= t; s++)
                row[s] = dot(qt, k + s * n + h * d, d) * scale + (bias ? bias[h * block + t - s] : 0.0f);
            share = 1.0f / exponentials(row, t + 1, largest_of(row, t + 1));
            memset(yt, 0, (size_t)d * sizeof(float));
            for (int s = 0; s <= t; s++) {
                const float *vs = v + s * n + h * d;
                float weight = row[s] *= share;
                for (int i = 0; i < d; i++)
                    yt[i] += weight * vs[i];
            }
        }
    }
}

/* ds = p · (dp - Σ p·dp), and that sum is dy·y: see typescript-ops.ts. */
void attention_backward(float *dqkv, float *dbias, const float *dy, const float *y, const float *p, const float *qkv,
    int rows, int n, int heads, int block, bool accumulate)
{
    int d = n / heads, triangle = block * (block + 1) / 2, part = block * n;
    float scale = 1.0f / sqrtf((float)d);
    const float *q = qkv, *k = q + part, *v = k + part;
    float *dq = dqkv, *dk = dq + part, *dv = dk + part;
    memset(dqkv, 0, (size_t)(3 * part) * sizeof(float));
    if (dbias && !accumulate)
        memset(dbias, 0, (size_t)(heads * block) * sizeof(float));
    for (int h = 0; h < heads; h++) {
        for (int t = 0; t < rows; t++) {
            int query = t * n + h * d;
            const float *row = p + h * triangle + t * (t + 1) / 2, *g = dy + query;
            float mean = dot(g, y + query, d);
            for (int s = 0; s <= t; s++) {
                int key = s * n + h * d;
                float weight = row[s], dp = 0.0f, ds;
                for (int i = 0; i < d; i++) {
                    dp += g[i] * v[key + i];
                    dv[key + i] += weight * g[i];
                }
                ds = weight * (dp - mean);
                if (dbias)
                    dbias[h * block + t - s] += ds;
                ds *= scale;
                for (int i = 0; i < d; i++) {
                    dq[query + i] += ds * k[key + i];
                    dk[key + i] += ds * q[query + i];
                }
            }
        }
    }
}

/* --- MLP: h = max(x·w1, 0), y = residual + h·w2; x, y: T×n, h: T×hidden --- */

void mlp_forward(float *y, const float *residual, float *h, const float *x, const float *w1, const float *w2,
    int from, int to, int n, int hidden)
{
    linear_forward(h, x, w1, from, to, n, hidden);
    memcpy(y + from * n, residual + from * n, (size_t)((to - from) * n) * sizeof(float));
    for (int t = from; t < to; t++) {
        float *ht = h + t * hidden, *yt = y + t * n;
        for (int u = 0; u < hidden; u++) {
            const float *w = w2 + u * n;
            float active = ht[u];
            if (active <= 0.0f)
                ht[u] = 0.0f;
            else /* of NaN as well: a model that has diverged must not look healthy */
                for (int j = 0; j < n; j++)
                    yt[j] += active * w[j];
        }
    }
}

void mlp_backward(float *dx, float *dw1, float *dw2, const float *dy, float *h, const float *x, const float *w1,
    const float *w2, int rows, int n, int hidden, bool accumulate)
{
    if (!accumulate) {
        memset(dw1, 0, (size_t)(n * hidden) * sizeof(float));
        memset(dw2, 0, (size_t)(n * hidden) * sizeof(float));
    }
    for (int t = 0; t < rows; t++) {
        float *ht = h + t * hidden, *dxt = dx + t * n;
        const float *g = dy + t * n, *xt = x + t * n;
        for (int u = 0; u < hidden; u++) {
            const float *w = w2 + u * n;
            float active = ht[u], dh = 0.0f, *dw = dw2 + u * n;
            if (active == 0.0f)
                continue;
            for (int j = 0; j < n; j++) {
                dh += g[j] * w[j];
                dw[j] += g[j] * active;
            }
            ht[u] = dh;
        }
        for (int u = 0; u < hidden; u++) {
            const float *w = w1 + u;
            float dh = ht[u], *dw = dw1 + u;
            if (dh == 0.0f)
                continue;
            for (int i = 0; i < n; i++) {
                dxt[i] += dh * w[i * hidden];
                dw[i * hidden] += dh * xt[i];
            }
        }
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

/* --- Adam over flat buffers --- */

void adam(float *w, const float *g, float *m, float *v, size_t length, float beta1, float beta2, float epsilon,
    float rate, float v_scale)
{
    float gain1 = 1.0f - beta1, gain2 = 1.0f - beta2;
    for (size_t i = 0; i < length; i++) {
        float mi = beta1 * m[i] + gain1 * g[i];
        float vi = beta2 * v[i] + gain2 * g[i] * g[i];
        m[i] = mi;
        v[i] = vi;
        w[i] -= rate * mi / (sqrtf(vi * v_scale) + epsilon);
    }
}
