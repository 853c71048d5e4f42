/* Embedding, linear layers, queries, keys and values; and what all ops do with tensors. */

#include "gpt_target.h"

#include "gpt_i32_products.h"

#include <math.h>
#include <string.h>

uint32_t gpt_i32_mask_of(const int32_t *x, int length)
{
    uint32_t mask = 0;
    const int32_t *end = x + length;
    for (; end - x >= 4; x += 4)
        mask |= magnitude(x[0]) | magnitude(x[1]) | magnitude(x[2]) | magnitude(x[3]);
    for (; x < end; x++)
        mask |= magnitude(*x);
    return mask;
}

void gpt_i32_shift(int32_t *x, int length, int shift)
{
    const int32_t *end = x + length;
    if (shift > 0) {
        for (; end - x >= 4; x += 4) {
            x[0] = shifted_left(x[0], shift), x[1] = shifted_left(x[1], shift);
            x[2] = shifted_left(x[2], shift), x[3] = shifted_left(x[3], shift);
        }
        for (; x < end; x++)
            *x = shifted_left(*x, shift);
    } else if (shift < 0) {
        int down = shift_of(-shift);
        for (; end - x >= 4; x += 4) {
            x[0] >>= down, x[1] >>= down;
            x[2] >>= down, x[3] >>= down;
        }
        for (; x < end; x++)
            *x >>= down;
    }
}

void gpt_i32_settle(const GptTensor *x, int block, int32_t *mantissas, int length, uint32_t mask)
{
    if (mask != 0) {
        int shift = x->bits - bit_length(mask);
        x->exponents[block] += shift;
        gpt_i32_shift(mantissas, length, shift);
    }
    check_bits(mantissas, length, x->bits);
}

int32_t gpt_i32_make_room(const GptTensor *x, int block, int32_t *mantissas, int length, int32_t residual)
{
    int32_t exponent = product_exponent(x->exponents[block]);
    int missing = 1 - (residual - exponent);
    if (missing <= 0)
        return exponent;
    gpt_i32_shift(mantissas, length, -missing);
    x->exponents[block] -= missing;
    return exponent - missing;
}

GptAlignment gpt_i32_align(const GptTensor *g, int block, int32_t exponent, int excess, bool accumulate)
{
    int32_t aligned = exponent - excess, before = accumulate ? g->exponents[block] : aligned;
    int32_t after = before < aligned ? before : aligned;
    GptAlignment alignment = { shift_of(before - after), shift_of(exponent - after) };
    g->exponents[block] = after;
    return alignment;
}

GptFactor gpt_i32_over_root(bool is_log2_e, int d)
{
    GptFactor factor = { is_log2_e ? LOG2_E_30 : 1 << 30, 30 };
    int power = log2_ceiling(d);
    double x;
    uint64_t bits;
    /* The root of a power of four changes the exponent alone. Double precision is slow on a chip. */
    if (d == 1 << power && power % 2 == 0) {
        factor.exponent += power / 2;
        return factor;
    }
    x = (is_log2_e ? 1.4426950408889634 : 1.0) / sqrt((double)d);
    memcpy(&bits, &x, sizeof(bits));
    factor.exponent = 1053 - (int)(bits >> 52);
    /* 31 of the 53 bits, rounded. */
    bits = ((((bits & 0xfffffffffffffu) | 0x10000000000000u) >> 21) + 1) >> 1;
    factor.mantissa = bits > 0x7fffffff ? 0x7fffffff : (int32_t)bits;
    return factor;
}

void gpt_i32_zero(const GptTensor *x, int length)
{
    memset(x->mantissas, 0, (size_t)length * sizeof(int32_t));
    x->exponents[0] = EXPONENT_OF_ZERO;
}

/* --- embedding: x (T×n) = wte[token] + wpe[t] --- */

void gpt_i32_embedding_forward(
    const GptTensor *x, const int32_t *wte, const int32_t *wpe, const uint8_t *tokens, int rows, int n)
{
    int32_t *y = x->mantissas;
    uint32_t mask = 0;
    for (int t = 0; t < rows; t++) {
        const int32_t *token = wte + tokens[t] * n, *end = token + n;
        for (; token < end; token++, wpe++, y++) {
            int32_t sum = (*token >> 1) + (*wpe >> 1);
            *y = sum;
            mask |= magnitude(sum);
        }
    }
    x->exponents[0] = WEIGHT_EXPONENT - 1;
    gpt_i32_settle(x, 0, x->mantissas, rows * n, mask);
}

/* Prepares an embedding's gradient. */
static GptAlignment prepared(const GptTensor *g, int length, int32_t exponent, int excess, bool accumulate)
{
    GptAlignment alignment = gpt_i32_align(g, 0, exponent, excess, accumulate);
    if (accumulate)
        gpt_i32_shift(g->mantissas, length, -alignment.before);
    else
        memset(g->mantissas, 0, (size_t)length * sizeof(int32_t));
    return alignment;
}

void gpt_i32_embedding_backward(const GptTensor *dwte, int wte_length, const GptTensor *dwpe, int wpe_length,
    const GptTensor *dx, const uint8_t *tokens, int rows, int n, bool accumulate)
{
    int over = excess(dx->bits, rows, dwte->bits);
    int shift = prepared(dwte, wte_length, dx->exponents[0], over, accumulate).added;
    const int32_t *g = dx->mantissas;
    int32_t *position = dwpe->mantissas;
    prepared(dwpe, wpe_length, dx->exponents[0], over, accumulate);
    check_bits(g, rows * n, dx->bits);
    for (int t = 0; t < rows; t++) {
        int32_t *token = dwte->mantissas + tokens[t] * n;
        const int32_t *end = token + n;
        for (; token < end; token++, position++, g++) {
            int32_t added = *g >> shift;
            *token += added;
            *position += added;
        }
    }
}

/* --- linear: y (T×m) = x (T×n) · w (n×m) --- */

/* The logits: they are not settled, as the softmax takes any exponent. */
void gpt_i32_linear_forward(const GptTensor *y, const GptTensor *x, const int32_t *w, int rows, int n, int m)
{
    check_bits(x->mantissas, rows * n, x->bits);
    gpt_i32_product(y->mantissas, NULL, 0, x->mantissas, w, rows, n, m);
    y->exponents[0] = product_exponent(x->exponents[0]);
}

void gpt_i32_linear_residual_forward(
    const GptTensor *y, const GptTensor *residual, const GptTensor *x, const int32_t *w, int rows, int n, int m)
{
    int32_t exponent = gpt_i32_make_room(x, 0, x->mantissas, rows * n, residual->exponents[0]);
    int shift = shift_of(residual->exponents[0] - exponent);
    uint32_t mask;
    check_bits(x->mantissas, rows * n, x->bits);
    CHECK(shift >= 1);
    mask = gpt_i32_product(y->mantissas, residual->mantissas, shift, x->mantissas, w, rows, n, m);
    y->exponents[0] = exponent;
    gpt_i32_settle(y, 0, y->mantissas, rows * m, mask);
}

/* The gradient of a weight from blocks of x and dy. */
static void outer_product(const GptTensor *dw, int block, int32_t *to, const GptTensor *dy, const int32_t *g,
    const GptTensor *x, int rows, int n, int m, bool accumulate)
{
    int32_t exponent = x->exponents[0] + dy->exponents[block] - 32;
    int over = excess(x->bits + dy->bits - 32, rows, dw->bits);
    check_bits(x->mantissas, rows * n, x->bits);
    check_bits(g, rows * m, dy->bits);
    gpt_i32_outer_product(to, (GptSize) { n, m }, g, x->mantissas, rows, n, m, accumulate,
        gpt_i32_align(dw, block, exponent, over, accumulate));
}

void gpt_i32_linear_backward(const GptTensor *dx, const GptTensor *dw, const GptTensor *dy, const GptTensor *x,
    const int32_t *w, int rows, int n, int m, bool accumulate)
{
    uint32_t mask = gpt_i32_product_transposed(dx->mantissas, NULL, 0, dy->mantissas, w, rows, n, m);
    dx->exponents[0] = product_exponent(dy->exponents[0]);
    gpt_i32_settle(dx, 0, dx->mantissas, rows * n, mask);
    outer_product(dw, 0, dw->mantissas, dy, dy->mantissas, x, rows, n, m, accumulate);
}

/* --- q, k, v (B×n each, concatenated) = x · wq, x · wk, x · wv --- */

void gpt_i32_qkv_forward(const GptTensor *qkv, const GptTensor *x, const int32_t *w, int rows, int n, int block)
{
    check_bits(x->mantissas, rows * n, x->bits);
    for (int part = 0; part < 3; part++) {
        int32_t *y = qkv->mantissas + part * block * n;
        uint32_t mask = gpt_i32_product(y, NULL, 0, x->mantissas, w + part * n * n, rows, n, n);
        qkv->exponents[part] = product_exponent(x->exponents[0]);
        gpt_i32_settle(qkv, part, y, rows * n, mask);
    }
}

void gpt_i32_qkv_backward(const GptTensor *dx, const GptTensor *dw, const GptTensor *dqkv, const GptTensor *x,
    const int32_t *w, int rows, int n, int block, bool accumulate)
{
    int32_t *d = dx->mantissas;
    for (int part = 0; part < 3; part++) {
        int32_t *g = dqkv->mantissas + part * block * n, exponent;
        int shift;
        uint32_t mask;
        outer_product(dw, part, dw->mantissas + part * n * n, dqkv, g, x, rows, n, n, accumulate);
        exponent = gpt_i32_make_room(dqkv, part, g, rows * n, dx->exponents[0]);
        shift = shift_of(dx->exponents[0] - exponent);
        CHECK(shift >= 1);
        mask = gpt_i32_product_transposed(d, d, shift, g, w + part * n * n, rows, n, n);
        dx->exponents[0] = exponent;
        gpt_i32_settle(dx, 0, d, rows * n, mask);
    }
}
