/* Causal attention over all heads; q, k, v, y: T×n, p: a lower triangle per head, bias: heads×block. */

#include "gpt_target.h"

#include "gpt_exp.h"
#include "gpt_ops.h"

static inline float dot(const float *a, const float *b, int n)
{
    float sum = 0.0f;
    for (int i = 0; i < n; i++)
        sum = fused(a[i], b[i], sum);
    return sum;
}

static inline float dot_4(float a, float b, float c, float e, const float *x)
{
    return fused(e, x[3], fused(c, x[2], fused(b, x[1], fused(a, x[0], 0.0f))));
}

/* One head at one position: row[s] = q · k[s] · scale for `count` positions s. Rows of k are n apart. */
static void scores(float *row, const float *q, const float *k, int count, int n, int d, float scale)
{
    if (d == 4) {
        float a = q[0], b = q[1], c = q[2], e = q[3];
        for (int s = 0; s < count; s++, k += n)
            row[s] = dot_4(a, b, c, e, k) * scale;
    } else {
        for (int s = 0; s < count; s++, k += n)
            row[s] = dot(q, k, d) * scale;
    }
}

/* Multiplies row by `share`, which makes its numbers probabilities, and sets y (d) = Σ row[s] · v[s]. */
static void mix(float *y, float *row, const float *v, int count, int n, int d, float share)
{
    if (d == 4) {
        float a = 0.0f, b = 0.0f, c = 0.0f, e = 0.0f;
        for (int s = 0; s < count; s++, v += n) {
            float weight = row[s] * share;
            row[s] = weight;
            a = fused(weight, v[0], a);
            b = fused(weight, v[1], b);
            c = fused(weight, v[2], c);
            e = fused(weight, v[3], e);
        }
        y[0] = a, y[1] = b, y[2] = c, y[3] = e;
    } else {
        memset(y, 0, (size_t)d * sizeof(float));
        for (int s = 0; s < count; s++, v += n) {
            float weight = row[s] *= share;
            for (int i = 0; i < d; i++)
                y[i] = fused(weight, v[i], y[i]);
        }
    }
}

void gpt_attention_forward(
    float *y, float *p, const float *qkv, const float *bias, int from, int to, int n, int heads, int block)
{
    int d = n / heads, triangle = block * (block + 1) / 2;
    float scale = 1.0f / sqrtf((float)d);
    const float *q = qkv, *k = q + block * n, *v = k + block * n;
    for (int h = 0; h < heads; h++) {
        for (int t = from; t < to; t++) {
            float *row = p + h * triangle + t * (t + 1) / 2, share;
            scores(row, q + t * n + h * d, k + h * d, t + 1, n, d, scale);
            if (bias) {
                const float *by_distance = bias + h * block + t;
                for (int s = 0; s <= t; s++)
                    row[s] += *by_distance--;
            }
            share = 1.0f / exponentials(row, t + 1, largest_of(row, t + 1));
            mix(y + t * n + h * d, row, v + h * d, t + 1, n, d, share);
        }
    }
}

/* Where q, k, v of one head and their gradients begin; their rows are n apart. */
typedef struct {
    const float *q, *k, *v;
    float *dq, *dk, *dv;
} Head;

/*
 * One position, whose query begins at `at` in the head: ds = p · (dp - Σ p·dp), where the sum, `mean`, is dy·y: see
 * typescript-ops.ts. dbias, unless it is NULL, points at the distance of the first position.
 */
static void position_backward(
    Head head, int at, const float *row, const float *g, float mean, float *dbias, int count, int n, int d, float scale)
{
    const float *q = head.q + at, *k = head.k, *v = head.v;
    float *dq = head.dq + at, *dk = head.dk, *dv = head.dv;
    for (int s = 0; s < count; s++, k += n, v += n, dk += n, dv += n) {
        float weight = row[s], dp = 0.0f, ds;
        for (int i = 0; i < d; i++) {
            dp = fused(g[i], v[i], dp);
            dv[i] = fused(weight, g[i], dv[i]);
        }
        ds = weight * (dp - mean);
        if (dbias)
            *dbias-- += ds;
        ds *= scale;
        for (int i = 0; i < d; i++) {
            dq[i] = fused(ds, k[i], dq[i]);
            dk[i] = fused(ds, q[i], dk[i]);
        }
    }
}

/* The same for a width of 4. */
static void position_backward_4(
    Head head, int at, const float *row, const float *g, float mean, float *dbias, int count, int n, float scale)
{
    const float *q = head.q + at, *k = head.k, *v = head.v;
    float *dq = head.dq + at, *dk = head.dk, *dv = head.dv;
    float g0 = g[0], g1 = g[1], g2 = g[2], g3 = g[3], q0 = q[0], q1 = q[1], q2 = q[2], q3 = q[3];
    float d0 = dq[0], d1 = dq[1], d2 = dq[2], d3 = dq[3];
    for (int s = 0; s < count; s++, k += n, v += n, dk += n, dv += n) {
        float weight = row[s], ds = weight * (dot_4(g0, g1, g2, g3, v) - mean);
        dv[0] = fused(weight, g0, dv[0]);
        dv[1] = fused(weight, g1, dv[1]);
        dv[2] = fused(weight, g2, dv[2]);
        dv[3] = fused(weight, g3, dv[3]);
        if (dbias)
            *dbias-- += ds;
        ds *= scale;
        d0 = fused(ds, k[0], d0);
        d1 = fused(ds, k[1], d1);
        d2 = fused(ds, k[2], d2);
        d3 = fused(ds, k[3], d3);
        dk[0] = fused(ds, q0, dk[0]);
        dk[1] = fused(ds, q1, dk[1]);
        dk[2] = fused(ds, q2, dk[2]);
        dk[3] = fused(ds, q3, dk[3]);
    }
    dq[0] = d0, dq[1] = d1, dq[2] = d2, dq[3] = d3;
}

void gpt_attention_backward(float *dqkv, float *dbias, const float *dy, const float *y, const float *p,
    const float *qkv, int rows, int n, int heads, int block, bool accumulate)
{
    int d = n / heads, triangle = block * (block + 1) / 2, part = block * n;
    float scale = 1.0f / sqrtf((float)d);
    memset(dqkv, 0, (size_t)(3 * part) * sizeof(float));
    if (dbias && !accumulate)
        memset(dbias, 0, (size_t)(heads * block) * sizeof(float));
    for (int h = 0; h < heads; h++) {
        const float *q = qkv + h * d;
        float *dq = dqkv + h * d;
        Head head = { q, q + part, q + 2 * part, dq, dq + part, dq + 2 * part };
        for (int t = 0; t < rows; t++) {
            const float *row = p + h * triangle + t * (t + 1) / 2, *g = dy + t * n + h * d;
            float mean = dot(g, y + t * n + h * d, d), *distances = dbias ? dbias + h * block + t : NULL;
            if (d == 4)
                position_backward_4(head, t * n, row, g, mean, distances, t + 1, n, scale);
            else
                position_backward(head, t * n, row, g, mean, distances, t + 1, n, d, scale);
        }
    }
}
