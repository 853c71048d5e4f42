/* The products as a desktop's compiler makes vectors of them; gpt-products-chip.c has those for the chip. */

#include "gpt-target.h"

#ifndef GPT_CHIP

#include "gpt-products.h"

/* One row, four columns at a time: each x is loaded once for all of them, and the sums stay in registers. */
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

void add_product(float *y, const float *x, const float *w, int rows, int n, int m)
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

void add_product_transposed(float *dx, const float *dy, const float *w, int rows, int n, int m)
{
    for (int t = 0; t < rows; t++)
        add_row_product_transposed(dx + t * n, dy + t * m, w, n, m);
}

/* Each sum runs over the positions, four columns at a time. */
void outer_product(float *dw, const float *dy, const float *x, int rows, int n, int m, bool accumulate)
{
    for (int i = 0; i < n; i++, dw += m) {
        int j = 0;
        for (; j + 4 <= m; j += 4) {
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
        for (; j < m; j++) {
            float a = accumulate ? dw[j] : 0.0f;
            for (int t = 0; t < rows; t++)
                a += x[t * n + i] * dy[t * m + j];
            dw[j] = a;
        }
    }
}

#endif
