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
/* Both moments of each parameter, with MOMENT_WORDS or UPDATES. */
static uint32_t words[PARAMETERS];
static GptAdam adam;
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

void begin_step(float rate, float v_scale)
{
    adam = (GptAdam) { 0.85f, 0.99f, 1e-8f, rate, v_scale };
}

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
        UPDATES
            ? gpt_linear_update(dx, logits, output, parameters + WOUT, words + WOUT, &adam, rows, N, VOCABULARY)
            : gpt_linear_backward(dx, g + WOUT, logits, output, parameters + WOUT, rows, N, VOCABULARY, accumulate));
    for (int i = LAYERS - 1; i >= 0; i--) {
        float *w = parameters + LAYER(i), *dw = g + LAYER(i), *dbias = RELATIVE_BIAS ? g + BIAS(i) : NULL;
        uint32_t *m = words + LAYER(i);
        NORM(memset(d_norm, 0, sizeof(d_norm)));
        COUNTED(MLP_BACKWARD,
            UPDATES ? gpt_mlp_update(
                          D_NORM, dx, layers[i].h, MLP_INPUT(i), w + W1, w + W2, m + W1, m + W2, &adam, rows, N, HIDDEN)
                    : gpt_mlp_backward(D_NORM, dw + W1, dw + W2, dx, layers[i].h, MLP_INPUT(i), w + W1, w + W2, rows, N,
                          HIDDEN, accumulate));
        NORM(gpt_rms_norm_backward(dx, d_norm, layers[i].middle, rows, N));
        COUNTED(WO_BACKWARD,
            UPDATES
                ? gpt_linear_update(d_attention, dx, layers[i].attention, w + WO, m + WO, &adam, rows, N, N)
                : gpt_linear_backward(d_attention, dw + WO, dx, layers[i].attention, w + WO, rows, N, N, accumulate));
        COUNTED(ATTENTION_BACKWARD,
            UPDATES && RELATIVE_BIAS
                ? gpt_attention_update(dqkv, parameters + BIAS(i), words + BIAS(i), d_attention, layers[i].attention,
                      layers[i].p, layers[i].qkv, &adam, rows, N, HEADS, BLOCK)
                : gpt_attention_backward(dqkv, dbias, d_attention, layers[i].attention, layers[i].p, layers[i].qkv,
                      rows, N, HEADS, BLOCK, accumulate));
        NORM(memset(d_norm, 0, sizeof(d_norm)));
        COUNTED(QKV_BACKWARD,
            UPDATES ? gpt_qkv_update(D_NORM, dqkv, ATTENTION_INPUT(i), w + WQ, m + WQ, &adam, rows, N, BLOCK)
                    : gpt_qkv_backward(D_NORM, dw + WQ, dqkv, ATTENTION_INPUT(i), w + WQ, rows, N, BLOCK, accumulate));
        NORM(gpt_rms_norm_backward(dx, d_norm, layers[i].x, rows, N));
    }
    NORM(memset(d_norm, 0, sizeof(d_norm)));
    NORM(gpt_rms_norm_backward(d_norm, dx, embedding, rows, N));
    COUNTED(EMBEDDING_BACKWARD,
        UPDATES ? gpt_embedding_update(parameters + WTE, parameters + WPE, words + WTE, words + WPE, D_NORM, tokens,
                      &adam, rows, N, VOCABULARY, BLOCK)
                : gpt_embedding_backward(g + WTE, g + WPE, D_NORM, tokens, rows, N, VOCABULARY, BLOCK, accumulate));
    return loss;
}

void update(void)
{
    if (UPDATES)
        return;
#ifdef MOMENT_WORDS
    COUNTED(ADAM, gpt_adam_words(parameters, gradients, words, PARAMETERS, &adam));
#else
    COUNTED(ADAM, gpt_adam(parameters, gradients, moment1, moment2, PARAMETERS, &adam));
#endif
}

float train_step(const uint8_t *tokens, int rows, float rate, float v_scale)
{
    float loss;
    begin_step(rate, v_scale);
    loss = compute_gradients(tokens, rows, 1.0f / (float)rows, false);
    update();
    return loss;
}
