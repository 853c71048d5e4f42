/* The floor: the native ops, called from C in the order of forward.ts and backward.ts. */

#include "bench.h"
#include "gpt-ops.h"

static struct {
    float x[BLOCK * N], qkv[3 * BLOCK * N], p[HEADS * BLOCK * (BLOCK + 1) / 2], attention[BLOCK * N],
        middle[BLOCK * N], h[BLOCK * HIDDEN];
} layers[LAYERS + 1];
static float logits[BLOCK * VOCABULARY], dx[BLOCK * N], d_attention[BLOCK * N], dqkv[3 * BLOCK * N];

float train_step(const uint8_t *tokens, int rows, float rate, float v_scale)
{
    const float *output = layers[LAYERS].x;
    float *g = gradients, loss;

    embedding_forward(layers[0].x, parameters + WTE, parameters + WPE, tokens, 0, rows, N);
    for (int i = 0; i < LAYERS; i++) {
        const float *w = parameters + LAYER(i);
        qkv_forward(layers[i].qkv, layers[i].x, w + WQ, 0, rows, N, BLOCK);
        attention_forward(layers[i].attention, layers[i].p, layers[i].qkv, 0, rows, N, HEADS, BLOCK);
        linear_residual_forward(layers[i].middle, layers[i].x, layers[i].attention, w + WO, 0, rows, N, N);
        mlp_forward(layers[i + 1].x, layers[i].middle, layers[i].h, layers[i].middle, w + W1, w + W2, 0, rows, N,
            HIDDEN);
    }
    linear_forward(logits, output, parameters + WOUT, 0, rows, N, VOCABULARY);

    loss = softmax_cross_entropy(logits, tokens, rows, VOCABULARY);

    linear_backward(dx, g + WOUT, logits, output, parameters + WOUT, rows, N, VOCABULARY);
    for (int i = LAYERS - 1; i >= 0; i--) {
        const float *w = parameters + LAYER(i);
        float *dw = g + LAYER(i);
        mlp_backward(dx, dw + W1, dw + W2, dx, layers[i].h, layers[i].middle, w + W1, w + W2, rows, N, HIDDEN);
        linear_backward(d_attention, dw + WO, dx, layers[i].attention, w + WO, rows, N, N);
        attention_backward(dqkv, d_attention, layers[i].attention, layers[i].p, layers[i].qkv, rows, N, HEADS, BLOCK);
        qkv_backward(dx, dw + WQ, dqkv, layers[i].x, w + WQ, rows, N, BLOCK);
    }
    embedding_backward(g + WTE, g + WPE, dx, tokens, rows, N, VOCABULARY, BLOCK);

    adam(parameters, gradients, moment1, moment2, PARAMETERS, 0.85f, 0.99f, 1e-8f, rate, v_scale);
    return loss;
}
