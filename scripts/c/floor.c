/* The floor: the native ops, called from C in the order of forward.ts and backward.ts. */

#include "bench.h"
#include "gpt-ops.h"

/* scripts/chip counts the instructions of each call. */
#ifdef COUNT_CALLS
#include "count.h"
#else
#define COUNTED(KERNEL, CALL) CALL
#endif

static struct {
    float x[BLOCK * N], qkv[3 * BLOCK * N], p[HEADS * BLOCK * (BLOCK + 1) / 2], attention[BLOCK * N],
        middle[BLOCK * N], h[BLOCK * HIDDEN];
} layers[LAYERS + 1];
static float logits[BLOCK * VOCABULARY], dx[BLOCK * N], d_attention[BLOCK * N], dqkv[3 * BLOCK * N];

float compute_gradients(const uint8_t *tokens, int rows, float weight, bool accumulate)
{
    const float *output = layers[LAYERS].x;
    float *g = gradients, loss;

    COUNTED(EMBEDDING_FORWARD,
        embedding_forward(layers[0].x, parameters + WTE, parameters + WPE, tokens, 0, rows, N));
    for (int i = 0; i < LAYERS; i++) {
        const float *w = parameters + LAYER(i), *bias = RELATIVE_BIAS ? parameters + BIAS(i) : NULL;
        COUNTED(QKV_FORWARD, qkv_forward(layers[i].qkv, layers[i].x, w + WQ, 0, rows, N, BLOCK));
        COUNTED(ATTENTION_FORWARD,
            attention_forward(layers[i].attention, layers[i].p, layers[i].qkv, bias, 0, rows, N, HEADS, BLOCK));
        COUNTED(WO_FORWARD,
            linear_residual_forward(layers[i].middle, layers[i].x, layers[i].attention, w + WO, 0, rows, N, N));
        COUNTED(MLP_FORWARD,
            mlp_forward(layers[i + 1].x, layers[i].middle, layers[i].h, layers[i].middle, w + W1, w + W2, 0, rows, N,
                HIDDEN));
    }
    COUNTED(WOUT_FORWARD, linear_forward(logits, output, parameters + WOUT, 0, rows, N, VOCABULARY));

    COUNTED(SOFTMAX, loss = softmax_cross_entropy(logits, tokens, rows, VOCABULARY, weight));

    COUNTED(WOUT_BACKWARD,
        linear_backward(dx, g + WOUT, logits, output, parameters + WOUT, rows, N, VOCABULARY, accumulate));
    for (int i = LAYERS - 1; i >= 0; i--) {
        const float *w = parameters + LAYER(i);
        float *dw = g + LAYER(i), *dbias = RELATIVE_BIAS ? g + BIAS(i) : NULL;
        COUNTED(MLP_BACKWARD,
            mlp_backward(dx, dw + W1, dw + W2, dx, layers[i].h, layers[i].middle, w + W1, w + W2, rows, N, HIDDEN,
                accumulate));
        COUNTED(WO_BACKWARD,
            linear_backward(d_attention, dw + WO, dx, layers[i].attention, w + WO, rows, N, N, accumulate));
        COUNTED(ATTENTION_BACKWARD,
            attention_backward(dqkv, dbias, d_attention, layers[i].attention, layers[i].p, layers[i].qkv, rows, N,
                HEADS, BLOCK, accumulate));
        COUNTED(QKV_BACKWARD, qkv_backward(dx, dw + WQ, dqkv, layers[i].x, w + WQ, rows, N, BLOCK, accumulate));
    }
    COUNTED(EMBEDDING_BACKWARD,
        embedding_backward(g + WTE, g + WPE, dx, tokens, rows, N, VOCABULARY, BLOCK, accumulate));
    return loss;
}

void update(float rate, float v_scale)
{
    COUNTED(ADAM,
        adam(parameters, gradients, moment1, moment2, PARAMETERS, 0.85f, 0.99f, 1e-8f, rate, v_scale));
}

float train_step(const uint8_t *tokens, int rows, float rate, float v_scale)
{
    float loss = compute_gradients(tokens, rows, 1.0f / (float)rows, false);
    update(rate, v_scale);
    return loss;
}
