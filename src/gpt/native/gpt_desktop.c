/* Loops that a desktop's compiler vectorizes; those for a chip are in gpt_products.c and gpt_mlp.c. */

#include "gpt_target.h"

#ifndef GPT_CHIP

#include "gpt_ops.h"
#include "gpt_products.h"

#include <string.h>

/* One row, four columns at a time: each x is loaded once for four columns, and the sums stay in registers. */
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

void gpt_add_product(float *y, const float *x, const float *w, int rows, int n, int m)
{
    for (int t = 0; t < rows; t++)
        add_row_product(y + t * m, x + t * n, w, n, m);
}

/* One row, four rows of w at a time. */
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

void gpt_add_product_transposed(float *dx, const float *dy, const float *w, int rows, int n, int m)
{
    for (int t = 0; t < rows; t++)
        add_row_product_transposed(dx + t * n, dy + t * m, w, n, m);
}

/* Each sum runs over the positions, four columns at a time. */
void gpt_outer_product(
    float *dw, GptSize block, const float *dy, const float *x, int rows, int n, int m, bool accumulate)
{
    for (int i = 0; i < block.height; i++, dw += block.width) {
        int j = 0;
        for (; j + 4 <= block.width; j += 4) {
            float a = 0.0f, b = 0.0f, c = 0.0f, d = 0.0f;
            const float *g = dy + j, *xi = x + i;
            if (accumulate)
                a = dw[j], b = dw[j + 1], c = dw[j + 2], d = dw[j + 3];
            for (int t = 0; t < rows; t++, g += m, xi += n) {
                a += *xi * g[0];
                b += *xi * g[1];
                c += *xi * g[2];
                d += *xi * g[3];
            }
            dw[j] = a, dw[j + 1] = b, dw[j + 2] = c, dw[j + 3] = d;
        }
        for (; j < block.width; j++) {
            float a = accumulate ? dw[j] : 0.0f;
            for (int t = 0; t < rows; t++)
                a += x[t * n + i] * dy[t * m + j];
            dw[j] = a;
        }
    }
}

void gpt_add_active(float *y, float *h, const float *w2, int n, int hidden)
{
    for (int u = 0; u < hidden; u++) {
        const float *w = w2 + u * n;
        float active = h[u];
        if (active <= 0.0f)
            h[u] = 0.0f;
        else /* of NaN as well: a model that has diverged must not look healthy */
            for (int j = 0; j < n; j++)
                y[j] += active * w[j];
    }
}

void gpt_mlp_backward(float *dx, float *dw1, float *dw2, const float *dy, float *h, const float *x, const float *w1,
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

#endif
