/* The lower bound: the native ops, called from C in the order of forward.ts and backward.ts. */

#include "bench.h"
#include "gpt_ops.h"

#include <string.h>

/* For scripts/chip, which counts the instructions of each call. */
#ifdef COUNT_CALLS
#include "count.h"
#else
#define COUNTED(KERNEL, CALL) CALL
#endif

static struct {
    float x[BLOCK * N], qkv[3 * BLOCK * N], p[HEADS * BLOCK * (BLOCK + 1) / 2], attention[BLOCK * N], middle[BLOCK * N],
        h[BLOCK * HIDDEN];
} layers[LAYERS + 1];
static float logits[BLOCK * VOCABULARY], dx[BLOCK * N], d_attention[BLOCK * N], dqkv[3 * BLOCK * N];

/* The RMSNorm outputs of the summed embeddings, of x and of middle; without RMSNorm the inputs
   themselves. */
#if RMS_NORM
static float embedding[BLOCK * N], attention_input[LAYERS][BLOCK * N], mlp_input[LAYERS][BLOCK * N], d_norm[BLOCK * N];
#define EMBEDDING embedding
#define ATTENTION_INPUT(I) attention_input[I]
#define MLP_INPUT(I) mlp_input[I]
#define D_NORM d_norm
#define NORM(CALL) CALL
#else
#define EMBEDDING layers[0].x
#define ATTENTION_INPUT(I) layers[I].x
#define MLP_INPUT(I) layers[I].middle
#define D_NORM dx
#define NORM(CALL)
#endif

float compute_gradients(const uint8_t *tokens, int rows, float weight, bool accumulate)
{
    const float *output = layers[LAYERS].x;
    float *g = gradients, loss;

    COUNTED(
        EMBEDDING_FORWARD, gpt_embedding_forward(EMBEDDING, parameters + WTE, parameters + WPE, tokens, 0, rows, N));
    NORM(gpt_rms_norm_forward(layers[0].x, embedding, 0, rows, N));
    for (int i = 0; i < LAYERS; i++) {
        const float *w = parameters + LAYER(i), *bias = RELATIVE_BIAS ? parameters + BIAS(i) : NULL;
        NORM(gpt_rms_norm_forward(attention_input[i], layers[i].x, 0, rows, N));
        COUNTED(QKV_FORWARD, gpt_qkv_forward(layers[i].qkv, ATTENTION_INPUT(i), w + WQ, 0, rows, N, BLOCK));
        COUNTED(ATTENTION_FORWARD,
            gpt_attention_forward(layers[i].attention, layers[i].p, layers[i].qkv, bias, 0, rows, N, HEADS, BLOCK));
        COUNTED(WO_FORWARD,
            gpt_linear_residual_forward(layers[i].middle, layers[i].x, layers[i].attention, w + WO, 0, rows, N, N));
        NORM(gpt_rms_norm_forward(mlp_input[i], layers[i].middle, 0, rows, N));
        COUNTED(MLP_FORWARD,
            gpt_mlp_forward(
                layers[i + 1].x, layers[i].middle, layers[i].h, MLP_INPUT(i), w + W1, w + W2, 0, rows, N, HIDDEN));
    }
    COUNTED(WOUT_FORWARD, gpt_linear_forward(logits, output, parameters + WOUT, 0, rows, N, VOCABULARY));

    COUNTED(SOFTMAX, loss = gpt_softmax_cross_entropy(logits, tokens, rows, VOCABULARY, weight));

    COUNTED(WOUT_BACKWARD,
        gpt_linear_backward(dx, g + WOUT, logits, output, parameters + WOUT, rows, N, VOCABULARY, accumulate));
    for (int i = LAYERS - 1; i >= 0; i--) {
        const float *w = parameters + LAYER(i);
        float *dw = g + LAYER(i), *dbias = RELATIVE_BIAS ? g + BIAS(i) : NULL;
        NORM(memset(d_norm, 0, sizeof(d_norm)));
        COUNTED(MLP_BACKWARD,
            gpt_mlp_backward(
                D_NORM, dw + W1, dw + W2, dx, layers[i].h, MLP_INPUT(i), w + W1, w + W2, rows, N, HIDDEN, accumulate));
        NORM(gpt_rms_norm_backward(dx, d_norm, layers[i].middle, rows, N));
        COUNTED(WO_BACKWARD,
            gpt_linear_backward(d_attention, dw + WO, dx, layers[i].attention, w + WO, rows, N, N, accumulate));
        COUNTED(ATTENTION_BACKWARD,
            gpt_attention_backward(dqkv, dbias, d_attention, layers[i].attention, layers[i].p, layers[i].qkv, rows, N,
                HEADS, BLOCK, accumulate));
        NORM(memset(d_norm, 0, sizeof(d_norm)));
        COUNTED(QKV_BACKWARD,
            gpt_qkv_backward(D_NORM, dw + WQ, dqkv, ATTENTION_INPUT(i), w + WQ, rows, N, BLOCK, accumulate));
        NORM(gpt_rms_norm_backward(dx, d_norm, layers[i].x, rows, N));
    }
    NORM(memset(d_norm, 0, sizeof(d_norm)));
    NORM(gpt_rms_norm_backward(d_norm, dx, embedding, rows, N));
    COUNTED(EMBEDDING_BACKWARD,
        gpt_embedding_backward(g + WTE, g + WPE, D_NORM, tokens, rows, N, VOCABULARY, BLOCK, accumulate));
    return loss;
}

/* With MOMENT_WORDS both moments of a parameter are in a word. */
void update(float rate, float v_scale)
{
    GptAdam adam = { 0.85f, 0.99f, 1e-8f, rate, v_scale };
#ifdef MOMENT_WORDS
    static uint32_t words[PARAMETERS];
    COUNTED(ADAM, gpt_adam_words(parameters, gradients, words, PARAMETERS, 1, &adam));
#else
    COUNTED(ADAM, gpt_adam(parameters, gradients, moment1, moment2, PARAMETERS, &adam));
#endif
}

float train_step(const uint8_t *tokens, int rows, float rate, float v_scale)
{
    float loss = compute_gradients(tokens, rows, 1.0f / (float)rows, false);
    update(rate, v_scale);
    return loss;
}
