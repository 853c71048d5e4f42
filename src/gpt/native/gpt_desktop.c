/* Loops that a desktop's compiler vectorizes; those for a chip are in gpt_products.c and gpt_mlp.c. */

#include "gpt_target.h"

#ifndef GPT_CHIP

#include "gpt_ops.h"
#include "gpt_products.h"

#include <string.h>

/* The numbers of an array that one register of the processor takes. */
#ifdef __AVX__
enum { WIDTH = 8 };
#else
enum { WIDTH = 4 };
#endif
typedef float Lanes __attribute__((vector_size(WIDTH * sizeof(float)), aligned(sizeof(float)), may_alias));

static inline const Lanes *lanes(const float *x)
{
    return (const Lanes *)x;
}

static inline Lanes *lanes_of(float *y)
{
    return (Lanes *)y;
}

/* Adds x (rows × n) · w (n × WIDTH) to y (rows × WIDTH). The strides are the distances between rows. Four rows at a
   time: each w is loaded once for four, and the sums stay in registers, which do not wait for each other. */
static void add_columns(
    float *y, const float *x, const float *w, int rows, int n, int y_stride, int x_stride, int w_stride)
{
    int t = 0;
    for (; t + 4 <= rows; t += 4, y += 4 * y_stride, x += 4 * x_stride) {
        const float *xb = x + x_stride, *xc = xb + x_stride, *xd = xc + x_stride, *wi = w;
        float *yb = y + y_stride, *yc = yb + y_stride, *yd = yc + y_stride;
        Lanes a = *lanes(y), b = *lanes(yb), c = *lanes(yc), d = *lanes(yd);
        for (int i = 0; i < n; i++, wi += w_stride) {
            Lanes columns = *lanes(wi);
            a += x[i] * columns;
            b += xb[i] * columns;
            c += xc[i] * columns;
            d += xd[i] * columns;
        }
        *lanes_of(y) = a, *lanes_of(yb) = b, *lanes_of(yc) = c, *lanes_of(yd) = d;
    }
    for (; t < rows; t++, y += y_stride, x += x_stride) {
        const float *wi = w;
        Lanes a = *lanes(y);
        for (int i = 0; i < n; i++, wi += w_stride)
            a += x[i] * *lanes(wi);
        *lanes_of(y) = a;
    }
}

void gpt_add_product(float *y, const float *x, const float *w, int rows, int n, int m)
{
    int j = 0;
    for (; j + WIDTH <= m; j += WIDTH)
        add_columns(y + j, x, w + j, rows, n, m, n, m);
    for (; j < m; j++)
        for (int t = 0; t < rows; t++) {
            float a = y[t * m + j];
            for (int i = 0; i < n; i++)
                a += x[t * n + i] * w[i * m + j];
            y[t * m + j] = a;
        }
}

/* The transpose of WIDTH rows of w lies in a tile, as far as that goes, so that the sums of WIDTH columns of dx grow
   side by side. */
void gpt_add_product_transposed(float *dx, const float *dy, const float *w, int rows, int n, int m)
{
    enum { TILE = 64 };
    float tile[TILE][WIDTH];
    int i = 0;
    for (; i + WIDTH <= n; i += WIDTH)
        for (int j = 0; j < m; j += TILE) {
            int size = m - j < TILE ? m - j : TILE;
            for (int k = 0; k < WIDTH; k++)
                for (int c = 0; c < size; c++)
                    tile[c][k] = w[(i + k) * m + j + c];
            add_columns(dx + i, dy + j, tile[0], rows, size, n, m, WIDTH);
        }
    for (; i < n; i++)
        for (int t = 0; t < rows; t++) {
            float a = dx[t * n + i];
            for (int j = 0; j < m; j++)
                a += dy[t * m + j] * w[i * m + j];
            dx[t * n + i] = a;
        }
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
