/*
 * Backward passes that update each weight right behind its gradient, for a batch of one: Adam on a strip of gradients,
 * which are then gone. So there is no buffer of gradients, and the weights, moments and gradients of what is passed back
 * have the same bits as with one. That of the MLP is in gpt_mlp.c.
 *
 * For chips, where memory is scarce; a desktop keeps the gradients.
 */

#include "gpt_target.h"

#ifdef GPT_CHIP

#include "gpt_ops.h"
#include "gpt_products.h"

#include <string.h>

/* dw = xᵀ · dy, strip by strip: rows of w, or pieces of two rows if they are long. */
static void update_outer(
    float *w, uint32_t *words, const float *dy, const float *x, const GptAdam *adam, int rows, int n, int m)
{
    float strip[GPT_STRIP];
    int most = GPT_STRIP / m & ~1, height = most > 2 ? most : 2, width = m < GPT_STRIP / 2 ? m : GPT_STRIP / 2;
    for (int i = 0; i < n; i += height) {
        for (int j = 0; j < m; j += width) {
            GptSize block = { n - i < height ? n - i : height, m - j < width ? m - j : width };
            int lines = block.width == m ? 1 : block.height, length = block.height * block.width / lines;
            gpt_outer_product(strip, block, dy + j, x + i, rows, n, m, false);
            for (int line = 0; line < lines; line++) {
                int at = (i + line) * m + j;
                gpt_adam_words(w + at, strip + line * length, words + at, (size_t)length, adam);
            }
        }
    }
}

void gpt_linear_update(
    float *dx, const float *dy, const float *x, float *w, uint32_t *words, const GptAdam *adam, int rows, int n, int m)
{
    memset(dx, 0, (size_t)(rows * n) * sizeof(float));
    gpt_add_product_transposed(dx, dy, w, rows, n, m);
    update_outer(w, words, dy, x, adam, rows, n, m);
}

void gpt_qkv_update(float *dx, const float *dqkv, const float *x, float *w, uint32_t *words, const GptAdam *adam,
    int rows, int n, int block)
{
    for (int part = 0; part < 3; part++, w += n * n, words += n * n, dqkv += block * n) {
        gpt_add_product_transposed(dx, dqkv, w, rows, n, n);
        update_outer(w, words, dqkv, x, adam, rows, n, n);
    }
}

void gpt_embedding_update(float *wte, float *wpe, uint32_t *wte_words, uint32_t *wpe_words, const float *dx,
    const uint8_t *tokens, const GptAdam *adam, int rows, int n, int vocabulary, int block)
{
    float strip[GPT_STRIP];
    int most = GPT_STRIP / n;
    for (int first = 0; first < vocabulary; first += most) {
        int count = vocabulary - first < most ? vocabulary - first : most;
        memset(strip, 0, (size_t)(count * n) * sizeof(float));
        for (int t = 0; t < rows; t++) {
            int token = tokens[t] - first;
            for (int i = 0; token >= 0 && token < count && i < n; i++)
                strip[token * n + i] += dx[t * n + i];
        }
        gpt_adam_words(wte + first * n, strip, wte_words + first * n, (size_t)(count * n), adam);
    }
    gpt_adam_words(wpe, dx, wpe_words, (size_t)(rows * n), adam);
    memset(strip, 0, (size_t)n * sizeof(float));
    for (int t = rows; t < block; t++)
        gpt_adam_words(wpe + t * n, strip, wpe_words + t * n, (size_t)n, adam);
}

void gpt_attention_update(float *dqkv, float *bias, uint32_t *words, const float *dy, const float *y, const float *p,
    const float *qkv, const GptAdam *adam, int rows, int n, int heads, int block)
{
    float strip[GPT_STRIP];
    gpt_attention_backward(dqkv, strip, dy, y, p, qkv, rows, n, heads, block, false);
    gpt_adam_words(bias, strip, words, (size_t)(heads * block), adam);
}

#endif
