/* Causal attention over all heads; q, k, v, y: T×n, p: a lower triangle per head, bias: heads×block. */

#include "gpt_target.h"

#include "gpt_i32_softmax.h"

#include <string.h>

/* log2 e, 2^-29, for the bias. */
enum { LOG2_E_29 = 774541002 };

INLINE int32_t dot(const int32_t *a, const int32_t *b, int n)
{
    int32_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += mulh(a[i], b[i]);
    return sum;
}

INLINE int32_t dot_4(Four a, const int32_t *b)
{
    return mulh(a.a, b[0]) + mulh(a.b, b[1]) + mulh(a.c, b[2]) + mulh(a.d, b[3]);
}

/* Adds x·w to four numbers. */
INLINE void add_4(int32_t *sums, int32_t x, Four w)
{
    sums[0] += mulh(x, w.a);
    sums[1] += mulh(x, w.b);
    sums[2] += mulh(x, w.c);
    sums[3] += mulh(x, w.d);
}

/*
 * One head at one position: the scores of `count` positions in units of log2; returns the largest. Rows of k are n
 * apart. The bias, unless it is NULL, points at the distance of the first position.
 */
static int32_t scores(
    int32_t *row, const int32_t *q, const int32_t *k, const int32_t *bias, int count, int n, int d, GptFactor factor)
{
    int32_t largest = INT32_MIN;
    Four q4 = d == 4 ? four(q) : four_of(0);
    for (const int32_t *end = row + count; row < end; row++, k += n) {
        int32_t score = scaled(d == 4 ? dot_4(q4, k) : dot(q, k, d), factor.mantissa, factor.exponent);
        if (bias)
            score += mulh(*bias--, LOG2_E_29) >> 4;
        *row = score;
        if (score > largest)
            largest = score;
    }
    return largest;
}

/* Divides row by its sum, which makes its numbers probabilities, and sets y (d) = Σ row[s] · v[s]; returns its mask. */
static uint32_t mix(int32_t *y, int32_t *row, const int32_t *v, int count, int n, int d, GptDivision by)
{
    const int32_t *end = row + count;
    if (d == 4) {
        Four sum = four_of(0);
        for (; row < end; row++, v += n) {
            int32_t weight = probability(*row, by);
            *row = weight;
            sum = plus_product(sum, weight, four(v));
        }
        y[0] = sum.a, y[1] = sum.b, y[2] = sum.c, y[3] = sum.d;
        return magnitude(sum.a) | magnitude(sum.b) | magnitude(sum.c) | magnitude(sum.d);
    }
    memset(y, 0, (size_t)d * sizeof(int32_t));
    for (; row < end; row++, v += n) {
        int32_t weight = probability(*row, by);
        *row = weight;
        for (int i = 0; i < d; i++)
            y[i] += mulh(weight, v[i]);
    }
    return gpt_i32_mask_of(y, d);
}

void gpt_i32_attention_forward(
    const GptTensor *y, int32_t *p, const GptTensor *qkv, const int32_t *bias, int rows, int n, int heads, int block)
{
    int d = n / heads, triangle = block * (block + 1) / 2;
    const int32_t *q = qkv->mantissas, *k = q + block * n, *v = k + block * n, *exponents = qkv->exponents;
    GptFactor factor = gpt_i32_over_root(true, d);
    uint32_t mask = 0;
    factor.exponent += exponents[0] + exponents[1] - 32 - 32 - LOG2_BITS;
    check_bits(q, rows * n, qkv->bits);
    check_bits(k, rows * n, qkv->bits);
    check_bits(v, rows * n, qkv->bits);
    for (int h = 0; h < heads; h++) {
        for (int t = 0; t < rows; t++) {
            int32_t *row = p + h * triangle + t * (t + 1) / 2, largest;
            const int32_t *by_distance = bias ? bias + h * block + t : NULL;
            uint32_t sum;
            largest = scores(row, q + t * n + h * d, k + h * d, by_distance, t + 1, n, d, factor);
            sum = gpt_i32_exponentials(row, t + 1, largest);
            mask |= mix(y->mantissas + t * n + h * d, row, v + h * d, t + 1, n, d, gpt_i32_division(sum));
        }
    }
    y->exponents[0] = exponents[2] - 2;
    gpt_i32_settle(y, 0, y->mantissas, rows * n, mask);
}

/* Where q, k, v of one head and their gradients begin; their rows are n apart. */
typedef struct {
    const int32_t *q, *k, *v;
    int32_t *dq, *dk, *dv;
} Head;

/* What becomes of ds: it is shifted for the gradient of the bias, and otherwise up, times 1/sqrt(d). */
typedef struct {
    int bias_shift, up;
    /* 0 for a power of two, which changes the exponent alone. */
    int32_t factor;
} Scale;

INLINE int32_t scaled_up(int32_t ds, Scale scale)
{
    int32_t up = shifted_left(ds, scale.up);
    CHECK(up >> scale.up == ds);
    return scale.factor ? mulh(up, scale.factor) : up;
}

/*
 * One position, whose query begins at `at` in the head: ds = p · (dp - Σ p·dp), where the sum, `mean`, is dy·y: see
 * typescript-ops.ts. dbias, unless it is NULL, points at the distance of the first position.
 */
static void position_backward(Head head, int at, const int32_t *row, const int32_t *g, int32_t mean, int32_t *dbias,
    int count, int n, int d, Scale scale)
{
    const int32_t *q = head.q + at, *k = head.k, *v = head.v;
    int32_t *dq = head.dq + at, *dk = head.dk, *dv = head.dv;
    for (int s = 0; s < count; s++, k += n, v += n, dk += n, dv += n) {
        int32_t weight = row[s], dp = 0, ds;
        for (int i = 0; i < d; i++) {
            dp += mulh(g[i], v[i]);
            dv[i] += mulh(weight, g[i]);
        }
        ds = mulh(weight, dp - mean);
        if (dbias)
            *dbias-- += ds >> scale.bias_shift;
        ds = scaled_up(ds, scale);
        for (int i = 0; i < d; i++) {
            dq[i] += mulh(ds, k[i]);
            dk[i] += mulh(ds, q[i]);
        }
    }
}

/* The same for a width of 4. */
static void position_backward_4(Head head, int at, const int32_t *row, const int32_t *g, int32_t mean, int32_t *dbias,
    int count, int n, Scale scale)
{
    const int32_t *k = head.k, *v = head.v, *end = row + count;
    int32_t *dq = head.dq + at, *dk = head.dk, *dv = head.dv;
    Four g4 = four(g), q4 = four(head.q + at), sum = four(dq);
    for (; row < end; row++, k += n, v += n, dk += n, dv += n) {
        int32_t weight = *row, ds = mulh(weight, dot_4(g4, v) - mean);
        add_4(dv, weight, g4);
        if (dbias)
            *dbias-- += ds >> scale.bias_shift;
        ds = scaled_up(ds, scale);
        sum = plus_product(sum, ds, four(k));
        add_4(dk, ds, q4);
    }
    dq[0] = sum.a, dq[1] = sum.b, dq[2] = sum.c, dq[3] = sum.d;
}

/* Prepares the gradient of the bias; returns the distance by which ds is shifted right for it. */
static int prepared(const GptTensor *dbias, int length, int32_t exponent, int over, bool accumulate)
{
    GptAlignment alignment = gpt_i32_align(dbias, 0, exponent, over, accumulate);
    if (accumulate)
        gpt_i32_shift(dbias->mantissas, length, -alignment.before);
    else
        memset(dbias->mantissas, 0, (size_t)length * sizeof(int32_t));
    return alignment.added;
}

void gpt_i32_attention_backward(const GptTensor *dqkv, const GptTensor *dbias, const GptTensor *dy, const GptTensor *y,
    const int32_t *p, const GptTensor *qkv, int rows, int n, int heads, int block, bool accumulate)
{
    int d = n / heads, triangle = block * (block + 1) / 2, part = block * n;
    const int32_t *exponents = qkv->exponents;
    int y_shift = y->exponents[0] - exponents[2];
    /* |ds| is below 2^score_bits; `up` makes 30 bits of them, and fewer if the sums over the positions need it. */
    int score_bits = dy->bits + qkv->bits - 33 + log2_ceiling(d), room = 33 - qkv->bits - log2_ceiling(rows);
    int32_t exponent = dy->exponents[0] + exponents[2] - 34, ds_exponent;
    GptFactor factor = gpt_i32_over_root(false, d);
    bool is_power = factor.mantissa == 1 << 30;
    Scale scale = { 0, 30 - score_bits + (room < 0 ? room : 0), is_power ? 0 : factor.mantissa };
    CHECK(scale.up >= 0);
    check_bits(dy->mantissas, rows * n, dy->bits);
    check_bits(y->mantissas, rows * n, y->bits);
    ds_exponent = exponent + scale.up + factor.exponent - (is_power ? 30 : 32);
    if (dbias)
        scale.bias_shift = prepared(dbias, heads * block, exponent, excess(score_bits, rows, dbias->bits), accumulate);
    for (int i = 0; i < 3; i++)
        memset(dqkv->mantissas + i * part, 0, (size_t)(rows * n) * sizeof(int32_t));
    for (int h = 0; h < heads; h++) {
        const int32_t *q = qkv->mantissas + h * d;
        int32_t *dq = dqkv->mantissas + h * d;
        Head head = { q, q + part, q + 2 * part, dq, dq + part, dq + 2 * part };
        for (int t = 0; t < rows; t++) {
            int at = t * n;
            const int32_t *row = p + h * triangle + t * (t + 1) / 2, *g = dy->mantissas + at + h * d;
            int32_t mean = dot(g, y->mantissas + at + h * d, d);
            int32_t *distances = dbias ? dbias->mantissas + h * block + t : NULL;
            mean = y_shift >= 0 ? mean >> shift_of(y_shift) : shifted_left(mean, -y_shift);
            if (d == 4)
                position_backward_4(head, at, row, g, mean, distances, t + 1, n, scale);
            else
                position_backward(head, at, row, g, mean, distances, t + 1, n, d, scale);
        }
    }
    dqkv->exponents[0] = ds_exponent + exponents[1] - 32;
    dqkv->exponents[1] = ds_exponent + exponents[0] - 32;
    dqkv->exponents[2] = dy->exponents[0] - 2;
    for (int i = 0; i < 3; i++) {
        int32_t *g = dqkv->mantissas + i * part;
        gpt_i32_settle(dqkv, i, g, rows * n, gpt_i32_mask_of(g, rows * n));
    }
}
