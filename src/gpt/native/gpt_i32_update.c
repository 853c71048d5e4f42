/*
 * Backward passes that update each weight right behind its gradient, as gpt_update.c does for floats: the same bits as
 * with a buffer of gradients. That of the MLP is in gpt_i32_mlp.c.
 */

#include "gpt_target.h"

#include "gpt_i32_products.h"

#include <string.h>

void gpt_i32_apply(int32_t *w, const int32_t *g, int32_t *words, int length, int32_t exponent, GptI32Update *update)
{
    if (!gpt_i32_adam(w, g, words, (size_t)length, exponent, update->step))
        update->is_clamped = 1;
}

/* A weight's gradient and its update, strip by strip: rows of w, or pieces of four rows if they are long. */
static void update_outer(
    int32_t *w, int32_t *words, const GptTensor *dy, const GptTensor *x, GptI32Update *update, int rows, int n, int m)
{
    int32_t strip[GPT_I32_STRIP], exponent = x->exponents[0] + dy->exponents[0] - 32;
    int over = excess(x->bits + dy->bits - 32, rows, 0);
    GptAlignment alignment = { 0, shift_of(over) };
    int most = GPT_I32_STRIP / m & ~3, height = most > 4 ? most : 4;
    int width = m < GPT_I32_STRIP / 4 ? m : GPT_I32_STRIP / 4;
    check_bits(x->mantissas, rows * n, x->bits);
    check_bits(dy->mantissas, rows * m, dy->bits);
    for (int i = 0; i < n; i += height) {
        for (int j = 0; j < m; j += width) {
            GptSize size = { n - i < height ? n - i : height, m - j < width ? m - j : width };
            int lines = size.width == m ? 1 : size.height, length = size.height * size.width / lines;
            gpt_i32_outer_product(strip, size, dy->mantissas + j, x->mantissas + i, rows, n, m, false, alignment);
            for (int line = 0; line < lines; line++) {
                int at = (i + line) * m + j;
                gpt_i32_apply(w + at, strip + line * length, words + at, length, exponent - over, update);
            }
        }
    }
}

void gpt_i32_linear_update(const GptTensor *dx, const GptTensor *dy, const GptTensor *x, int32_t *w, int32_t *words,
    GptI32Update *update, int rows, int n, int m)
{
    uint32_t mask = gpt_i32_product_transposed(dx->mantissas, NULL, 0, dy->mantissas, w, rows, n, m);
    dx->exponents[0] = product_exponent(dy->exponents[0]);
    gpt_i32_settle(dx, 0, dx->mantissas, rows * n, mask);
    update_outer(w, words, dy, x, update, rows, n, m);
}

/* Making room for dx may take the lowest bits of dqkv, which the gradients need: `copy` (rows×n) keeps them. */
void gpt_i32_qkv_update(const GptTensor *dx, const GptTensor *dqkv, const GptTensor *x, int32_t *w, int32_t *words,
    int32_t *copy, GptI32Update *update, int rows, int n, int block)
{
    int32_t *d = dx->mantissas;
    for (int part = 0; part < 3; part++, w += n * n, words += n * n) {
        int32_t *g = dqkv->mantissas + part * block * n, before = dqkv->exponents[part], exponent;
        GptTensor whole = { copy, &before, dqkv->bits };
        int shift;
        uint32_t mask;
        memcpy(copy, g, (size_t)(rows * n) * sizeof(int32_t));
        exponent = gpt_i32_make_room(dqkv, part, g, rows * n, dx->exponents[0]);
        shift = shift_of(dx->exponents[0] - exponent);
        CHECK(shift >= 1);
        mask = gpt_i32_product_transposed(d, d, shift, g, w, rows, n, n);
        dx->exponents[0] = exponent;
        gpt_i32_settle(dx, 0, d, rows * n, mask);
        update_outer(w, words, &whole, x, update, rows, n, n);
    }
}

void gpt_i32_embedding_update(int32_t *wte, int32_t *wpe, int32_t *wte_words, int32_t *wpe_words, const GptTensor *dx,
    const uint8_t *tokens, GptI32Update *update, int rows, int n, int vocabulary, int block)
{
    int32_t strip[GPT_I32_STRIP], exponent = dx->exponents[0];
    int over = excess(dx->bits, rows, 0), shift = shift_of(over), most = GPT_I32_STRIP / n;
    check_bits(dx->mantissas, rows * n, dx->bits);
    for (int first = 0; first < vocabulary; first += most) {
        int count = vocabulary - first < most ? vocabulary - first : most;
        memset(strip, 0, (size_t)(count * n) * sizeof(int32_t));
        for (int t = 0; t < rows; t++) {
            int token = tokens[t] - first;
            for (int i = 0; token >= 0 && token < count && i < n; i++)
                strip[token * n + i] += dx->mantissas[t * n + i] >> shift;
        }
        gpt_i32_apply(wte + first * n, strip, wte_words + first * n, count * n, exponent - over, update);
    }
    for (int t = 0; t < block; t++) {
        for (int i = 0; i < n; i++)
            strip[i] = t < rows ? dx->mantissas[t * n + i] >> shift : 0;
        gpt_i32_apply(wpe + t * n, strip, wpe_words + t * n, n, exponent - over, update);
    }
}

void gpt_i32_attention_update(const GptTensor *dqkv, int32_t *bias, int32_t *words, const GptTensor *dy,
    const GptTensor *y, const int32_t *p, const GptTensor *qkv, GptI32Update *update, int rows, int n, int heads,
    int block)
{
    int32_t strip[GPT_I32_STRIP], exponent = 0;
    GptTensor dbias = { strip, &exponent, 0 };
    gpt_i32_attention_backward(dqkv, &dbias, dy, y, p, qkv, rows, n, heads, block, false);
    gpt_i32_apply(bias, strip, words, heads * block, exponent, update);
}
