/* The MLP for the chip: after the ReLU only active units are computed. */

#include "gpt_target.h"

#include "gpt_ops.h"
#include "gpt_products.h"

#include <string.h>

#ifdef GPT_CHIP

/* One row: applies the ReLU to h (hidden), y (n) += h · w2. Eight columns at a time; their sums stay in registers. */
void gpt_add_active(float *y, float *h, const float *w2, int n, int hidden)
{
    int j = 0;
    for (int u = 0; u < hidden; u++)
        if (h[u] <= 0.0f) /* NaN stays: a model that has diverged must not look healthy */
            h[u] = 0.0f;
    for (; j + 8 <= n; j += 8) {
        float a = y[j], b = y[j + 1], c = y[j + 2], d = y[j + 3];
        float e = y[j + 4], f = y[j + 5], g = y[j + 6], i = y[j + 7];
        const float *w = w2 + j;
        for (int u = 0; u < hidden; u++, w += n) {
            float active = h[u];
            if (active == 0.0f)
                continue;
            a = fused(active, w[0], a);
            b = fused(active, w[1], b);
            c = fused(active, w[2], c);
            d = fused(active, w[3], d);
            e = fused(active, w[4], e);
            f = fused(active, w[5], f);
            g = fused(active, w[6], g);
            i = fused(active, w[7], i);
        }
        y[j] = a, y[j + 1] = b, y[j + 2] = c, y[j + 3] = d;
        y[j + 4] = e, y[j + 5] = f, y[j + 6] = g, y[j + 7] = i;
    }
    for (; j < n; j++) {
        float a = y[j];
        for (int u = 0; u < hidden; u++)
            if (h[u] != 0.0f)
                a = fused(h[u], w2[u * n + j], a);
        y[j] = a;
    }
}

/* A position at which a unit is active: its h, the place of h in memory, and the rows that are read and written. */
typedef struct {
    float h, sum;
    const float *in;
    float *out, *place;
} Active;

/* Positions that are processed at a time. */
enum { MAX_ACTIVE = 16 };

/* Finds the positions from `from` to `to` - 1 at which unit `h` is not zero; returns their number. */
INLINE int find_active(Active *active, float *h, const float *in, float *out, int from, int to, int n, int hidden)
{
    Active *next = active;
    for (int t = from; t < to; t++) {
        float value = h[t * hidden];
        if (value == 0.0f)
            continue;
        next->h = value;
        next->sum = 0.0f;
        next->in = in + t * n;
        next->out = out + t * n;
        next->place = h + t * hidden;
        next++;
    }
    return (int)(next - active);
}

/* A unit's row of w2: dw2 (n) = Σ dy·h, and dh = dy·w2 at each position, which is left in `sum`. */
INLINE void backward_out(float *dw, const float *w, Active *active, int count, int n, bool accumulate)
{
    const Active *end = active + count;
    int j = 0;
    for (; j + 4 <= n; j += 4) {
        float d0 = 0.0f, d1 = 0.0f, d2 = 0.0f, d3 = 0.0f;
        float w0 = w[j], w1 = w[j + 1], w2 = w[j + 2], w3 = w[j + 3];
        if (accumulate)
            d0 = dw[j], d1 = dw[j + 1], d2 = dw[j + 2], d3 = dw[j + 3];
        for (Active *at = active; at < end; at++) {
            const float *g = at->in + j;
            float h = at->h, sum = at->sum;
            sum = fused(g[0], w0, sum), d0 = fused(g[0], h, d0);
            sum = fused(g[1], w1, sum), d1 = fused(g[1], h, d1);
            sum = fused(g[2], w2, sum), d2 = fused(g[2], h, d2);
            sum = fused(g[3], w3, sum), d3 = fused(g[3], h, d3);
            at->sum = sum;
        }
        dw[j] = d0, dw[j + 1] = d1, dw[j + 2] = d2, dw[j + 3] = d3;
    }
    for (; j < n; j++) {
        float d = accumulate ? dw[j] : 0.0f;
        for (Active *at = active; at < end; at++) {
            at->sum = fused(at->in[j], w[j], at->sum);
            d = fused(at->in[j], at->h, d);
        }
        dw[j] = d;
    }
}

/* A unit's column of w1, with its dh in `h`: dw1 = Σ dh·x, and dx += dh·w1 at each position. dw1 has rows of `step`. */
INLINE void backward_in(
    float *dw, int step, const float *w, const Active *active, int count, int n, int hidden, bool accumulate)
{
    const Active *end = active + count;
    int i = 0;
    for (; i + 4 <= n; i += 4, w += 4 * hidden, dw += 4 * step) {
        float d0 = 0.0f, d1 = 0.0f, d2 = 0.0f, d3 = 0.0f;
        float w0 = w[0], w1 = w[hidden], w2 = w[2 * hidden], w3 = w[3 * hidden];
        if (accumulate)
            d0 = dw[0], d1 = dw[step], d2 = dw[2 * step], d3 = dw[3 * step];
        for (const Active *at = active; at < end; at++) {
            const float *x = at->in + i;
            float *dx = at->out + i, dh = at->h;
            float x0 = fused(dh, w0, dx[0]), x1 = fused(dh, w1, dx[1]);
            float x2 = fused(dh, w2, dx[2]), x3 = fused(dh, w3, dx[3]);
            d0 = fused(dh, x[0], d0);
            d1 = fused(dh, x[1], d1);
            d2 = fused(dh, x[2], d2);
            d3 = fused(dh, x[3], d3);
            dx[0] = x0, dx[1] = x1, dx[2] = x2, dx[3] = x3;
        }
        dw[0] = d0, dw[step] = d1, dw[2 * step] = d2, dw[3 * step] = d3;
    }
    for (; i < n; i++, w += hidden, dw += step) {
        float d = accumulate ? *dw : 0.0f;
        for (const Active *at = active; at < end; at++) {
            at->out[i] = fused(at->h, *w, at->out[i]);
            d = fused(at->h, at->in[i], d);
        }
        *dw = d;
    }
}

/* A unit over all positions at which it is active; h and w point at its first. */
INLINE void unit_out(
    float *dw, float *dx, const float *w, float *h, const float *dy, int rows, int n, int hidden, bool accumulate)
{
    Active active[MAX_ACTIVE];
    int from = 0;
    do {
        int to = rows - from > MAX_ACTIVE ? from + MAX_ACTIVE : rows;
        int count = find_active(active, h, dy, dx, from, to, n, hidden);
        backward_out(dw, w, active, count, n, accumulate || from > 0);
        for (int i = 0; i < count; i++)
            *active[i].place = active[i].sum;
        from = to;
    } while (from < rows);
}

INLINE void unit_in(float *dw, int step, float *dx, const float *w, float *h, const float *x, int rows, int n,
    int hidden, bool accumulate)
{
    Active active[MAX_ACTIVE];
    int from = 0;
    do {
        int to = rows - from > MAX_ACTIVE ? from + MAX_ACTIVE : rows;
        int count = find_active(active, h, x, dx, from, to, n, hidden);
        backward_in(dw, step, w, active, count, n, hidden, accumulate || from > 0);
        from = to;
    } while (from < rows);
}

/* All of dy is read before dx, which may be dy, changes. */
void gpt_mlp_backward(float *dx, float *dw1, float *dw2, const float *dy, float *h, const float *x, const float *w1,
    const float *w2, int rows, int n, int hidden, bool accumulate)
{
    for (int u = 0; u < hidden; u++)
        unit_out(dw2 + u * n, dx, w2 + u * n, h + u, dy, rows, n, hidden, accumulate);
    for (int u = 0; u < hidden; u++)
        unit_in(dw1 + u, hidden, dx, w1 + u, h + u, x, rows, n, hidden, accumulate);
}

void gpt_mlp_update(float *dx, const float *dy, float *h, const float *x, float *w1, float *w2, uint32_t *words1,
    uint32_t *words2, const GptAdam *adam, int rows, int n, int hidden)
{
    float strip[GPT_STRIP];
    int most = GPT_STRIP / n;
    for (int u = 0; u < hidden; u += most) {
        int units = hidden - u < most ? hidden - u : most;
        for (int i = 0; i < units; i++)
            unit_out(strip + i * n, dx, w2 + (u + i) * n, h + u + i, dy, rows, n, hidden, false);
        gpt_adam_words(w2 + u * n, strip, words2 + u * n, (size_t)(units * n), adam);
    }
    /* The units' columns of w1 side by side, so that the rows of a strip are pieces of its rows. */
    for (int u = 0; u < hidden; u += most) {
        int units = hidden - u < most ? hidden - u : most;
        for (int i = 0; i < units; i++)
            unit_in(strip + i, units, dx, w1 + u + i, h + u + i, x, rows, n, hidden, false);
        for (int i = 0; i < n; i++)
            gpt_adam_words(w1 + i * hidden + u, strip + i * units, words1 + i * hidden + u, (size_t)units, adam);
    }
}

#endif
