/*
 * The products for the chip: blocks of 3×4 and 2×4 sums and their operands fit its 16 registers, and each number that
 * is loaded is used for several sums.
 */

#include "gpt_target.h"

#ifdef GPT_CHIP

#include "gpt_products.h"

/* --- y += x · w: a block has 3 rows, 4 columns --- */

static void add_three_rows(float *y, const float *x, const float *w, int n, int m)
{
    for (int j = 0; j + 4 <= m; j += 4) {
        float *ya = y + j, *yb = ya + m, *yc = yb + m;
        float a0 = ya[0], a1 = ya[1], a2 = ya[2], a3 = ya[3];
        float b0 = yb[0], b1 = yb[1], b2 = yb[2], b3 = yb[3];
        float c0 = yc[0], c1 = yc[1], c2 = yc[2], c3 = yc[3];
        const float *xa = x, *xb = xa + n, *xc = xb + n, *wj = w + j;
        for (int i = 0; i < n; i++, wj += m) {
            float a = *xa++, b = *xb++, c = *xc++;
            a0 = fused(a, wj[0], a0), b0 = fused(b, wj[0], b0), c0 = fused(c, wj[0], c0);
            a1 = fused(a, wj[1], a1), b1 = fused(b, wj[1], b1), c1 = fused(c, wj[1], c1);
            a2 = fused(a, wj[2], a2), b2 = fused(b, wj[2], b2), c2 = fused(c, wj[2], c2);
            a3 = fused(a, wj[3], a3), b3 = fused(b, wj[3], b3), c3 = fused(c, wj[3], c3);
        }
        ya[0] = a0, ya[1] = a1, ya[2] = a2, ya[3] = a3;
        yb[0] = b0, yb[1] = b1, yb[2] = b2, yb[3] = b3;
        yc[0] = c0, yc[1] = c1, yc[2] = c2, yc[3] = c3;
    }
    for (int j = m & ~3; j < m; j++) {
        float a = y[j], b = y[m + j], c = y[2 * m + j];
        const float *xa = x, *xb = xa + n, *xc = xb + n, *wj = w + j;
        for (int i = 0; i < n; i++, wj += m) {
            a = fused(*xa++, *wj, a);
            b = fused(*xb++, *wj, b);
            c = fused(*xc++, *wj, c);
        }
        y[j] = a, y[m + j] = b, y[2 * m + j] = c;
    }
}

static void add_row(float *y, const float *x, const float *w, int n, int m)
{
    for (int j = 0; j + 4 <= m; j += 4) {
        float a = y[j], b = y[j + 1], c = y[j + 2], d = y[j + 3];
        const float *wj = w + j;
        for (int i = 0; i < n; i++, wj += m) {
            float xi = x[i];
            a = fused(xi, wj[0], a);
            b = fused(xi, wj[1], b);
            c = fused(xi, wj[2], c);
            d = fused(xi, wj[3], d);
        }
        y[j] = a, y[j + 1] = b, y[j + 2] = c, y[j + 3] = d;
    }
    for (int j = m & ~3; j < m; j++) {
        float a = y[j];
        const float *wj = w + j;
        for (int i = 0; i < n; i++, wj += m)
            a = fused(x[i], *wj, a);
        y[j] = a;
    }
}

void gpt_add_product(float *y, const float *x, const float *w, int rows, int n, int m)
{
    int t = 0;
    for (; t + 3 <= rows; t += 3)
        add_three_rows(y + t * m, x + t * n, w, n, m);
    for (; t < rows; t++)
        add_row(y + t * m, x + t * n, w, n, m);
}

/* --- dx += dy · wᵀ: a block has 2 rows of dx and dy, 4 of w --- */

/* Two terms of each sum at once, so that the pointers move half as often. */
static void add_two_rows_transposed(float *dx, const float *dy, const float *w, int n, int m)
{
    for (int i = 0; i + 4 <= n; i += 4, w += 4 * m) {
        float *xa = dx + i, *xb = xa + n;
        float a0 = xa[0], a1 = xa[1], a2 = xa[2], a3 = xa[3];
        float b0 = xb[0], b1 = xb[1], b2 = xb[2], b3 = xb[3];
        const float *ga = dy, *gb = ga + m, *w0 = w, *w1 = w0 + m, *w2 = w1 + m, *w3 = w2 + m;
        int j = 0;
        for (; j + 2 <= m; j += 2, ga += 2, gb += 2, w0 += 2, w1 += 2, w2 += 2, w3 += 2) {
            float a = ga[0], b = gb[0];
            a0 = fused(a, w0[0], a0), b0 = fused(b, w0[0], b0);
            a1 = fused(a, w1[0], a1), b1 = fused(b, w1[0], b1);
            a2 = fused(a, w2[0], a2), b2 = fused(b, w2[0], b2);
            a3 = fused(a, w3[0], a3), b3 = fused(b, w3[0], b3);
            a = ga[1], b = gb[1];
            a0 = fused(a, w0[1], a0), b0 = fused(b, w0[1], b0);
            a1 = fused(a, w1[1], a1), b1 = fused(b, w1[1], b1);
            a2 = fused(a, w2[1], a2), b2 = fused(b, w2[1], b2);
            a3 = fused(a, w3[1], a3), b3 = fused(b, w3[1], b3);
        }
        if (j < m) {
            float a = *ga, b = *gb;
            a0 = fused(a, *w0, a0), b0 = fused(b, *w0, b0);
            a1 = fused(a, *w1, a1), b1 = fused(b, *w1, b1);
            a2 = fused(a, *w2, a2), b2 = fused(b, *w2, b2);
            a3 = fused(a, *w3, a3), b3 = fused(b, *w3, b3);
        }
        xa[0] = a0, xa[1] = a1, xa[2] = a2, xa[3] = a3;
        xb[0] = b0, xb[1] = b1, xb[2] = b2, xb[3] = b3;
    }
    for (int i = n & ~3; i < n; i++, w += m) {
        float a = dx[i], b = dx[n + i];
        for (int j = 0; j < m; j++) {
            a = fused(dy[j], w[j], a);
            b = fused(dy[m + j], w[j], b);
        }
        dx[i] = a, dx[n + i] = b;
    }
}

static void add_row_transposed(float *dx, const float *dy, const float *w, int n, int m)
{
    int i = 0;
    for (; i + 4 <= n; i += 4, w += 4 * m) {
        float a = dx[i], b = dx[i + 1], c = dx[i + 2], d = dx[i + 3];
        const float *wa = w, *wb = wa + m, *wc = wb + m, *wd = wc + m;
        for (int j = 0; j < m; j++) {
            float g = dy[j];
            a = fused(g, wa[j], a);
            b = fused(g, wb[j], b);
            c = fused(g, wc[j], c);
            d = fused(g, wd[j], d);
        }
        dx[i] = a, dx[i + 1] = b, dx[i + 2] = c, dx[i + 3] = d;
    }
    for (; i < n; i++, w += m) {
        float a = dx[i];
        for (int j = 0; j < m; j++)
            a = fused(dy[j], w[j], a);
        dx[i] = a;
    }
}

void gpt_add_product_transposed(float *dx, const float *dy, const float *w, int rows, int n, int m)
{
    int t = 0;
    for (; t + 2 <= rows; t += 2)
        add_two_rows_transposed(dx + t * n, dy + t * m, w, n, m);
    if (t < rows)
        add_row_transposed(dx + t * n, dy + t * m, w, n, m);
}

/* --- dw = xᵀ · dy: a block has 2 rows, 4 columns, and its sums run over the positions --- */

static void outer_two_rows(
    float *dw, int width, const float *dy, const float *x, int rows, int n, int m, bool accumulate)
{
    for (int j = 0; j + 4 <= width; j += 4) {
        float a0 = 0.0f, a1 = 0.0f, a2 = 0.0f, a3 = 0.0f, b0 = 0.0f, b1 = 0.0f, b2 = 0.0f, b3 = 0.0f;
        float *wa = dw + j, *wb = wa + width;
        const float *g = dy + j, *xt = x;
        if (accumulate) {
            a0 = wa[0], a1 = wa[1], a2 = wa[2], a3 = wa[3];
            b0 = wb[0], b1 = wb[1], b2 = wb[2], b3 = wb[3];
        }
        for (int t = 0; t < rows; t++, g += m, xt += n) {
            float a = xt[0], b = xt[1];
            a0 = fused(a, g[0], a0), b0 = fused(b, g[0], b0);
            a1 = fused(a, g[1], a1), b1 = fused(b, g[1], b1);
            a2 = fused(a, g[2], a2), b2 = fused(b, g[2], b2);
            a3 = fused(a, g[3], a3), b3 = fused(b, g[3], b3);
        }
        wa[0] = a0, wa[1] = a1, wa[2] = a2, wa[3] = a3;
        wb[0] = b0, wb[1] = b1, wb[2] = b2, wb[3] = b3;
    }
    for (int j = width & ~3; j < width; j++) {
        float a = accumulate ? dw[j] : 0.0f, b = accumulate ? dw[width + j] : 0.0f;
        const float *g = dy + j, *xt = x;
        for (int t = 0; t < rows; t++, g += m, xt += n) {
            a = fused(xt[0], *g, a);
            b = fused(xt[1], *g, b);
        }
        dw[j] = a, dw[width + j] = b;
    }
}

void gpt_outer_product(
    float *dw, GptSize block, const float *dy, const float *x, int rows, int n, int m, bool accumulate)
{
    int i = 0;
    for (; i + 2 <= block.height; i += 2)
        outer_two_rows(dw + i * block.width, block.width, dy, x + i, rows, n, m, accumulate);
    if (i < block.height) {
        float *last = dw + i * block.width;
        for (int j = 0; j < block.width; j++) {
            float a = accumulate ? last[j] : 0.0f;
            for (int t = 0; t < rows; t++)
                a = fused(x[t * n + i], dy[t * m + j], a);
            last[j] = a;
        }
    }
}

#endif
