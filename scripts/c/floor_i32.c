/* What floor.c is for floats: the ops in block floating point, in the order of forward.ts, backward.ts and adam.ts. */

#include "gpt_target.h"

#include "bench.h"
#include "gpt_i32_arithmetic.h"

#ifdef COUNT_CALLS
#include "count.h"
#else
#define COUNTED(KERNEL, CALL) CALL
#endif

#if RMS_NORM
#define NORM(CALL) CALL
#else
#define NORM(CALL)
#endif

typedef struct {
    GptTensor x, attention_input, qkv, attention, middle, mlp_input, h;
    int32_t p[HEADS * BLOCK * (BLOCK + 1) / 2];
} Layer;

typedef struct {
    GptTensor wqkv, wo, w1, w2, bias;
} Gradients;

static Layer layers[LAYERS + 1];
static Gradients gradients_of[LAYERS];
static GptTensor embedding, logits, dx, d_norm, d_attention, dqkv, dwte, dwpe, dwout;
static int32_t moments[PARAMETERS];
static GptI32Update step;

/* Mantissas and exponents of all tensors. */
static int32_t memory[2 * PARAMETERS + (LAYERS + 1) * BLOCK * (9 * N + HIDDEN) + BLOCK * VOCABULARY + 512];
static int32_t *next_free;

static GptTensor tensor_of(int length, int exponents, int bits)
{
    GptTensor tensor = { next_free, next_free + length, bits };
    next_free += length + exponents;
    return tensor;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* As layout.ts, activations.ts and i32-format.ts have it. */
static void place(void)
{
    int rows = log2_ceiling(BLOCK), most = (62 - rows) >> 1, width = 31 - log2_ceiling(N);
    int stream = least(least(width, most), (63 - log2_ceiling(N / HEADS)) >> 1);
    int hidden = least(31 - log2_ceiling(HIDDEN), most), flow = least(least(width, most), 33 - rows);
    int documents = log2_ceiling(DOCUMENTS);
    next_free = memory;
    for (int i = 0; i <= LAYERS; i++) {
        layers[i].x = tensor_of(BLOCK * N, 1, stream);
        layers[i].qkv = tensor_of(3 * BLOCK * N, 3, stream);
        layers[i].attention = tensor_of(BLOCK * N, 1, stream);
        layers[i].middle = tensor_of(BLOCK * N, 1, stream);
        layers[i].h = tensor_of(BLOCK * HIDDEN, 1, hidden);
        layers[i].attention_input = RMS_NORM ? tensor_of(BLOCK * N, 1, stream) : layers[i].x;
        layers[i].mlp_input = RMS_NORM ? tensor_of(BLOCK * N, 1, stream) : layers[i].middle;
    }
    embedding = RMS_NORM ? tensor_of(BLOCK * N, 1, stream) : layers[0].x;
    logits = tensor_of(BLOCK * VOCABULARY, 1, least(32 - log2_ceiling(VOCABULARY), most));
    dx = tensor_of(BLOCK * N, 1, flow);
    d_norm = RMS_NORM ? tensor_of(BLOCK * N, 1, flow) : dx;
    d_attention = tensor_of(BLOCK * N, 1, flow);
    dqkv = tensor_of(3 * BLOCK * N, 3, flow);
    dwte = tensor_of(VOCABULARY * N, 1, documents);
    dwpe = tensor_of(BLOCK * N, 1, documents);
    for (int i = 0; i < LAYERS; i++) {
        gradients_of[i].wqkv = tensor_of(3 * N * N, 3, documents);
        gradients_of[i].wo = tensor_of(N * N, 1, documents);
        gradients_of[i].w1 = tensor_of(N * HIDDEN, 1, documents);
        gradients_of[i].w2 = tensor_of(HIDDEN * N, 1, documents);
        gradients_of[i].bias = tensor_of(HEADS * BLOCK, 1, documents);
    }
    dwout = tensor_of(N * VOCABULARY, 1, documents);
}

/* With UPDATES adam.ts computes it. */
void begin_step(double rate, double v_scale)
{
    if (UPDATES)
        step.step = gpt_i32_step(rate, v_scale);
    else
        COUNTED(ADAM, step.step = gpt_i32_step(rate, v_scale));
}

double compute_gradients(const uint8_t *tokens, int rows, float weight, bool accumulate)
{
    const GptTensor *output = &layers[LAYERS].x;
    double loss;

    if (!next_free)
        place();
    COUNTED(
        EMBEDDING_FORWARD, gpt_i32_embedding_forward(&embedding, parameters + WTE, parameters + WPE, tokens, rows, N));
    NORM(gpt_i32_rms_norm_forward(&layers[0].x, &embedding, rows, N));
    for (int i = 0; i < LAYERS; i++) {
        const int32_t *w = parameters + LAYER(i), *bias = RELATIVE_BIAS ? parameters + BIAS(i) : NULL;
        Layer *a = &layers[i];
        NORM(gpt_i32_rms_norm_forward(&a->attention_input, &a->x, rows, N));
        COUNTED(QKV_FORWARD, gpt_i32_qkv_forward(&a->qkv, &a->attention_input, w + WQ, rows, N, BLOCK));
        COUNTED(
            ATTENTION_FORWARD, gpt_i32_attention_forward(&a->attention, a->p, &a->qkv, bias, rows, N, HEADS, BLOCK));
        COUNTED(WO_FORWARD, gpt_i32_linear_residual_forward(&a->middle, &a->x, &a->attention, w + WO, rows, N, N));
        NORM(gpt_i32_rms_norm_forward(&a->mlp_input, &a->middle, rows, N));
        COUNTED(MLP_FORWARD,
            gpt_i32_mlp_forward(&a[1].x, &a->middle, &a->h, &a->mlp_input, w + W1, w + W2, rows, N, HIDDEN));
    }
    COUNTED(WOUT_FORWARD, gpt_i32_linear_forward(&logits, output, parameters + WOUT, rows, N, VOCABULARY));

    COUNTED(SOFTMAX, loss = gpt_i32_softmax_cross_entropy(&logits, tokens, rows, VOCABULARY, weight));

    COUNTED(WOUT_BACKWARD,
        UPDATES
            ? gpt_i32_linear_update(&dx, &logits, output, parameters + WOUT, moments + WOUT, &step, rows, N, VOCABULARY)
            : gpt_i32_linear_backward(
                  &dx, &dwout, &logits, output, parameters + WOUT, rows, N, VOCABULARY, accumulate));
    for (int i = LAYERS - 1; i >= 0; i--) {
        int32_t *w = parameters + LAYER(i), *m = moments + LAYER(i);
        const Layer *a = &layers[i];
        const Gradients *g = &gradients_of[i];
        NORM(gpt_i32_zero(&d_norm, BLOCK * N));
        COUNTED(MLP_BACKWARD,
            UPDATES ? gpt_i32_mlp_update(
                          &d_norm, &dx, &a->h, &a->mlp_input, w + W1, w + W2, m + W1, m + W2, &step, rows, N, HIDDEN)
                    : gpt_i32_mlp_backward(&d_norm, &g->w1, &g->w2, &dx, &a->h, &a->mlp_input, w + W1, w + W2, rows, N,
                          HIDDEN, accumulate));
        NORM(gpt_i32_rms_norm_backward(&dx, &d_norm, &a->middle, rows, N));
        COUNTED(WO_BACKWARD,
            UPDATES
                ? gpt_i32_linear_update(&d_attention, &dx, &a->attention, w + WO, m + WO, &step, rows, N, N)
                : gpt_i32_linear_backward(&d_attention, &g->wo, &dx, &a->attention, w + WO, rows, N, N, accumulate));
        COUNTED(ATTENTION_BACKWARD,
            UPDATES && RELATIVE_BIAS ? gpt_i32_attention_update(&dqkv, parameters + BIAS(i), moments + BIAS(i),
                                           &d_attention, &a->attention, a->p, &a->qkv, &step, rows, N, HEADS, BLOCK)
                                     : gpt_i32_attention_backward(&dqkv, RELATIVE_BIAS ? &g->bias : NULL, &d_attention,
                                           &a->attention, a->p, &a->qkv, rows, N, HEADS, BLOCK, accumulate));
        NORM(gpt_i32_zero(&d_norm, BLOCK * N));
        COUNTED(QKV_BACKWARD,
            UPDATES ? gpt_i32_qkv_update(&d_norm, &dqkv, &a->attention_input, w + WQ, m + WQ, d_attention.mantissas,
                          &step, rows, N, BLOCK)
                    : gpt_i32_qkv_backward(
                          &d_norm, &g->wqkv, &dqkv, &a->attention_input, w + WQ, rows, N, BLOCK, accumulate));
        NORM(gpt_i32_rms_norm_backward(&dx, &d_norm, &a->x, rows, N));
    }
    NORM(gpt_i32_zero(&d_norm, BLOCK * N));
    NORM(gpt_i32_rms_norm_backward(&d_norm, &dx, &embedding, rows, N));
    COUNTED(EMBEDDING_BACKWARD,
        UPDATES ? gpt_i32_embedding_update(parameters + WTE, parameters + WPE, moments + WTE, moments + WPE, &d_norm,
                      tokens, &step, rows, N, VOCABULARY, BLOCK)
                : gpt_i32_embedding_backward(
                      &dwte, VOCABULARY * N, &dwpe, BLOCK * N, &d_norm, tokens, rows, N, accumulate));
    return loss;
}

/* The matrix at `at`, of equal blocks. */
static void adam(int at, const GptTensor *g, int length, int blocks)
{
    for (int i = 0; i < blocks; i++) {
        int start = i * (length / blocks), from = at + start;
        gpt_i32_adam(parameters + from, g->mantissas + start, moments + from, (size_t)(length / blocks),
            g->exponents[i], step.step);
    }
}

void update(void)
{
    if (UPDATES)
        return;
    COUNTED(ADAM, adam(WTE, &dwte, VOCABULARY * N, 1));
    COUNTED(ADAM, adam(WPE, &dwpe, BLOCK * N, 1));
    for (int i = 0; i < LAYERS; i++) {
        const Gradients *g = &gradients_of[i];
        COUNTED(ADAM, adam(LAYER(i) + WQ, &g->wqkv, 3 * N * N, 3));
        COUNTED(ADAM, adam(LAYER(i) + WO, &g->wo, N * N, 1));
        COUNTED(ADAM, adam(LAYER(i) + W1, &g->w1, N * HIDDEN, 1));
        COUNTED(ADAM, adam(LAYER(i) + W2, &g->w2, HIDDEN * N, 1));
        if (RELATIVE_BIAS)
            COUNTED(ADAM, adam(BIAS(i), &g->bias, HEADS * BLOCK, 1));
    }
    COUNTED(ADAM, adam(WOUT, &dwout, N * VOCABULARY, 1));
}
