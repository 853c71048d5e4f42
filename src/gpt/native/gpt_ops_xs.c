/*
 * The boundary between JavaScript and the numeric kernels. Tensors arrive as Uint8Arrays over the
 * floats' memory, as XS passes only one-byte views to C. Every length is checked against the views
 * before any memory is accessed; one that does not fit throws a RangeError.
 *
 * XS moves buffers when it allocates. So numbers are converted first, tensors are fetched last, and
 * no function of XS is called while a kernel runs.
 */

#include "gpt_target.h"

#include "gpt_ops.h"
#include "gpt_xs.h"

#include <string.h>

/* hasFpu() */
void gpt_xs_has_fpu(xsMachine *the)
{
#ifdef GPT_FPU
    xsmcSetTrue(xsResult);
#else
    xsmcSetFalse(xsResult);
#endif
}

static void check_size(xsMachine *the, xsUnsignedValue bytes, const void *data, uint64_t length)
{
    if (bytes / sizeof(float) < length)
        xsRangeError("an op got %d floats and needs %d", (int)(bytes / sizeof(float)), (int)length);
    if ((uintptr_t)data % sizeof(float))
        xsRangeError("an op got floats that are not aligned");
}

/* A tensor of at least rows × columns floats. */
static float *tensor(xsMachine *the, int index, int rows, int columns)
{
    void *data;
    xsUnsignedValue bytes;
    xsmcGetBufferWritable(xsArg(index), &data, &bytes);
    check_size(the, bytes, data, (uint64_t)rows * (uint64_t)columns);
    return data;
}

/* A tensor that is only read: weights may be in flash. */
static const float *weight(xsMachine *the, int index, int rows, int columns)
{
    void *data;
    xsUnsignedValue bytes;
    xsmcGetBufferReadable(xsArg(index), &data, &bytes);
    check_size(the, bytes, data, (uint64_t)rows * (uint64_t)columns);
    return data;
}

/* A tensor, or NULL if the argument is undefined. */
static float *optional_tensor(xsMachine *the, int index, int rows, int columns)
{
    return xsmcTypeOf(xsArg(index)) == xsUndefinedType ? NULL : tensor(the, index, rows, columns);
}

static const float *optional_weight(xsMachine *the, int index, int rows, int columns)
{
    return xsmcTypeOf(xsArg(index)) == xsUndefinedType ? NULL : weight(the, index, rows, columns);
}

/* The number of rows of a tensor, from its size in bytes. */
static int table_rows(xsMachine *the, int index, int columns)
{
    void *data;
    xsUnsignedValue bytes;
    xsmcGetBufferReadable(xsArg(index), &data, &bytes);
    return columns > 0 ? (int)(bytes / sizeof(float) / (size_t)columns) : 0;
}

/* --- updates: the last argument of a backward pass is a boolean, accumulate, or the constants of Adam --- */

#ifdef GPT_CHIP

static bool is_update(xsMachine *the, int index)
{
    return xsmcTypeOf(xsArg(index)) != xsBooleanType;
}

/* The constants of Adam, in the order of GptAdam. */
static const GptAdam *update(xsMachine *the, int index)
{
    return (const GptAdam *)(const void *)weight(the, index, sizeof(GptAdam) / sizeof(float), 1);
}

/* Moments in words. */
static uint32_t *words(xsMachine *the, int index, int rows, int columns)
{
    return (uint32_t *)(void *)tensor(the, index, rows, columns);
}

static void check_strip(xsMachine *the, int length)
{
    if (length < 1 || length > GPT_STRIP)
        xsRangeError("an update got rows of %d weights and takes 1 to %d", length, (int)GPT_STRIP);
}

#endif

/* canUpdate(n, bias): whether these ops can update weights at once whose matrices have these sizes. */
void gpt_xs_can_update(xsMachine *the)
{
#ifdef GPT_CHIP
    int n = count(the, 0), bias = count(the, 1);
    xsmcSetBoolean(xsResult, n <= GPT_STRIP && bias <= GPT_STRIP);
#else
    xsmcSetFalse(xsResult);
#endif
}

/* zero(x) */
void gpt_xs_zero(xsMachine *the)
{
    int length = table_rows(the, 0, 1);
    memset(tensor(the, 0, length, 1), 0, (size_t)length * sizeof(float));
}

/* areFinite(x) */
void gpt_xs_are_finite(xsMachine *the)
{
    int length = table_rows(the, 0, 1);
    bool result = gpt_are_finite(tensor(the, 0, length, 1), (size_t)length);
    xsmcSetBoolean(xsResult, result);
}

/* embeddingForward(x, wte, wpe, tokens, from, to, n) */
void gpt_xs_embedding_forward(xsMachine *the)
{
    int from = count(the, 4), to = count(the, 5), n = count(the, 6);
    int vocabulary = table_rows(the, 1, n);
    const uint8_t *tokens;
    check_range(the, from, to);
    tokens = token_array(the, 3, to, vocabulary);
    gpt_embedding_forward(
        tensor(the, 0, to, n), weight(the, 1, vocabulary, n), weight(the, 2, to, n), tokens, from, to, n);
}

/* embeddingBackward(dwte, dwpe, dx, tokens, rows, n, accumulate, wte, wpe) */
void gpt_xs_embedding_backward(xsMachine *the)
{
    int rows = count(the, 4), n = count(the, 5);
    bool accumulate;
    int vocabulary = table_rows(the, 0, n), block = table_rows(the, 1, n);
    const uint8_t *tokens = token_array(the, 3, rows, vocabulary);
    if (rows > block)
        xsRangeError("an op got %d positions and needs %d", block, rows);
#ifdef GPT_CHIP
    if (is_update(the, 6)) {
        check_strip(the, n);
        gpt_embedding_update(tensor(the, 7, vocabulary, n), tensor(the, 8, block, n), words(the, 0, vocabulary, n),
            words(the, 1, block, n), tensor(the, 2, rows, n), tokens, update(the, 6), rows, n, vocabulary, block);
        return;
    }
#endif
    accumulate = boolean(the, 6);
    gpt_embedding_backward(tensor(the, 0, vocabulary, n), tensor(the, 1, block, n), tensor(the, 2, rows, n), tokens,
        rows, n, vocabulary, block, accumulate);
}

/* rmsNormForward(y, x, from, to, n) */
void gpt_xs_rms_norm_forward(xsMachine *the)
{
    int from = count(the, 2), to = count(the, 3), n = count(the, 4);
    check_range(the, from, to);
    gpt_rms_norm_forward(tensor(the, 0, to, n), tensor(the, 1, to, n), from, to, n);
}

/* rmsNormBackward(dx, dy, x, rows, n) */
void gpt_xs_rms_norm_backward(xsMachine *the)
{
    int rows = count(the, 3), n = count(the, 4);
    gpt_rms_norm_backward(tensor(the, 0, rows, n), tensor(the, 1, rows, n), tensor(the, 2, rows, n), rows, n);
}

/* linearForward(y, x, w, from, to, n, m) */
void gpt_xs_linear_forward(xsMachine *the)
{
    int from = count(the, 3), to = count(the, 4), n = count(the, 5), m = count(the, 6);
    check_range(the, from, to);
    gpt_linear_forward(tensor(the, 0, to, m), tensor(the, 1, to, n), weight(the, 2, n, m), from, to, n, m);
}

/* linearResidualForward(y, residual, x, w, from, to, n, m) */
void gpt_xs_linear_residual_forward(xsMachine *the)
{
    int from = count(the, 4), to = count(the, 5), n = count(the, 6), m = count(the, 7);
    check_range(the, from, to);
    gpt_linear_residual_forward(
        tensor(the, 0, to, m), tensor(the, 1, to, m), tensor(the, 2, to, n), weight(the, 3, n, m), from, to, n, m);
}

/* linearBackward(dx, dw, dy, x, w, rows, n, m, accumulate) */
void gpt_xs_linear_backward(xsMachine *the)
{
    int rows = count(the, 5), n = count(the, 6), m = count(the, 7);
    bool accumulate;
#ifdef GPT_CHIP
    if (is_update(the, 8)) {
        check_range(the, 1, m);
        gpt_linear_update(tensor(the, 0, rows, n), tensor(the, 2, rows, m), tensor(the, 3, rows, n),
            tensor(the, 4, n, m), words(the, 1, n, m), update(the, 8), rows, n, m);
        return;
    }
#endif
    accumulate = boolean(the, 8);
    gpt_linear_backward(tensor(the, 0, rows, n), tensor(the, 1, n, m), tensor(the, 2, rows, m), tensor(the, 3, rows, n),
        tensor(the, 4, n, m), rows, n, m, accumulate);
}

/* qkvForward(qkv, x, w, from, to, n, block) */
void gpt_xs_qkv_forward(xsMachine *the)
{
    int from = count(the, 3), to = count(the, 4), n = count(the, 5), block = count(the, 6);
    check_range(the, from, to);
    check_range(the, to, block);
    gpt_qkv_forward(tensor(the, 0, 3 * block, n), tensor(the, 1, to, n), weight(the, 2, 3 * n, n), from, to, n, block);
}

/* qkvBackward(dx, dw, dqkv, x, w, rows, n, block, accumulate, copy): floats need no copy */
void gpt_xs_qkv_backward(xsMachine *the)
{
    int rows = count(the, 5), n = count(the, 6), block = count(the, 7);
    bool accumulate;
    check_range(the, rows, block);
#ifdef GPT_CHIP
    if (is_update(the, 8)) {
        check_range(the, 1, n);
        gpt_qkv_update(tensor(the, 0, rows, n), tensor(the, 2, 3 * block, n), tensor(the, 3, rows, n),
            tensor(the, 4, 3 * n, n), words(the, 1, 3 * n, n), update(the, 8), rows, n, block);
        return;
    }
#endif
    accumulate = boolean(the, 8);
    gpt_qkv_backward(tensor(the, 0, rows, n), tensor(the, 1, 3 * n, n), tensor(the, 2, 3 * block, n),
        tensor(the, 3, rows, n), tensor(the, 4, 3 * n, n), rows, n, block, accumulate);
}

/* attentionForward(y, p, qkv, bias, from, to, n, heads, block) */
void gpt_xs_attention_forward(xsMachine *the)
{
    int from = count(the, 4), to = count(the, 5), n = count(the, 6), heads = count(the, 7), block = count(the, 8);
    check_range(the, from, to);
    check_range(the, to, block);
    check_heads(the, n, heads);
    gpt_attention_forward(tensor(the, 0, to, n), tensor(the, 1, heads, block * (block + 1) / 2),
        tensor(the, 2, 3 * block, n), optional_weight(the, 3, heads, block), from, to, n, heads, block);
}

/* attentionBackward(dqkv, dbias, dy, y, p, qkv, rows, n, heads, block, accumulate, bias) */
void gpt_xs_attention_backward(xsMachine *the)
{
    int rows = count(the, 6), n = count(the, 7), heads = count(the, 8), block = count(the, 9);
    bool accumulate;
    check_range(the, rows, block);
    check_heads(the, n, heads);
#ifdef GPT_CHIP
    if (is_update(the, 10) && xsmcTypeOf(xsArg(1)) != xsUndefinedType) {
        check_strip(the, heads * block);
        gpt_attention_update(tensor(the, 0, 3 * block, n), tensor(the, 11, heads, block), words(the, 1, heads, block),
            tensor(the, 2, rows, n), tensor(the, 3, rows, n), tensor(the, 4, heads, block * (block + 1) / 2),
            tensor(the, 5, 3 * block, n), update(the, 10), rows, n, heads, block);
        return;
    }
    accumulate = !is_update(the, 10) && boolean(the, 10);
#else
    accumulate = boolean(the, 10);
#endif
    gpt_attention_backward(tensor(the, 0, 3 * block, n), optional_tensor(the, 1, heads, block), tensor(the, 2, rows, n),
        tensor(the, 3, rows, n), tensor(the, 4, heads, block * (block + 1) / 2), tensor(the, 5, 3 * block, n), rows, n,
        heads, block, accumulate);
}

/* mlpForward(y, residual, h, x, w1, w2, from, to, n, hidden) */
void gpt_xs_mlp_forward(xsMachine *the)
{
    int from = count(the, 6), to = count(the, 7), n = count(the, 8), hidden = count(the, 9);
    check_range(the, from, to);
    gpt_mlp_forward(tensor(the, 0, to, n), tensor(the, 1, to, n), tensor(the, 2, to, hidden), tensor(the, 3, to, n),
        weight(the, 4, n, hidden), weight(the, 5, hidden, n), from, to, n, hidden);
}

/* mlpBackward(dx, dw1, dw2, dy, h, x, w1, w2, rows, n, hidden, accumulate) */
void gpt_xs_mlp_backward(xsMachine *the)
{
    int rows = count(the, 8), n = count(the, 9), hidden = count(the, 10);
    bool accumulate;
#ifdef GPT_CHIP
    if (is_update(the, 11)) {
        check_strip(the, n);
        gpt_mlp_update(tensor(the, 0, rows, n), tensor(the, 3, rows, n), tensor(the, 4, rows, hidden),
            tensor(the, 5, rows, n), tensor(the, 6, n, hidden), tensor(the, 7, hidden, n), words(the, 1, n, hidden),
            words(the, 2, hidden, n), update(the, 11), rows, n, hidden);
        return;
    }
#endif
    accumulate = boolean(the, 11);
    gpt_mlp_backward(tensor(the, 0, rows, n), tensor(the, 1, n, hidden), tensor(the, 2, hidden, n),
        tensor(the, 3, rows, n), tensor(the, 4, rows, hidden), tensor(the, 5, rows, n), tensor(the, 6, n, hidden),
        tensor(the, 7, hidden, n), rows, n, hidden, accumulate);
}

/* softmaxCrossEntropy(logits, tokens, rows, vocabulary, weight) */
void gpt_xs_softmax_cross_entropy(xsMachine *the)
{
    int rows = count(the, 2), vocabulary = count(the, 3);
    float weight = (float)xsmcToNumber(xsArg(4)), loss;
    const uint8_t *tokens;
    if (rows < 1 || vocabulary < 1)
        xsRangeError("an op got %d rows of %d logits", rows, vocabulary);
    tokens = token_array(the, 1, rows + 1, vocabulary);
    loss = gpt_softmax_cross_entropy(tensor(the, 0, rows, vocabulary), tokens, rows, vocabulary, weight);
    xsmcSetNumber(xsResult, (xsNumberValue)loss);
}

/* adam(w, g, m, v, beta1, beta2, epsilon, rate, vScale); without v, m holds the words of both. */
void gpt_xs_adam(xsMachine *the)
{
    GptAdam adam = { (float)xsmcToNumber(xsArg(4)), (float)xsmcToNumber(xsArg(5)), (float)xsmcToNumber(xsArg(6)),
        (float)xsmcToNumber(xsArg(7)), (float)xsmcToNumber(xsArg(8)) };
    int length = table_rows(the, 0, 1);
    float *w = tensor(the, 0, length, 1), *g = tensor(the, 1, length, 1), *m = tensor(the, 2, length, 1);
    if (xsmcTypeOf(xsArg(3)) == xsUndefinedType)
        gpt_adam_words(w, g, (uint32_t *)(void *)m, (size_t)length, &adam);
    else
        gpt_adam(w, g, m, tensor(the, 3, length, 1), (size_t)length, &adam);
    xsmcSetTrue(xsResult);
}

static GptMoment moment(xsMachine *the, int index)
{
    return boolean(the, index) ? GPT_M : GPT_V;
}

/* decodeMoments(floats, words, from, isM) */
void gpt_xs_decode_moments(xsMachine *the)
{
    int from = index_of(the, 2), length = table_rows(the, 0, 1);
    GptMoment which = moment(the, 3);
    const uint32_t *source = (const uint32_t *)(const void *)tensor(the, 1, from + length, 1) + from;
    gpt_decode_moments((uint32_t *)(void *)tensor(the, 0, length, 1), source, (size_t)length, which);
}

/* encodeMoments(words, from, floats, isM) */
void gpt_xs_encode_moments(xsMachine *the)
{
    int from = index_of(the, 1), length = table_rows(the, 2, 1);
    GptMoment which = moment(the, 3);
    uint32_t *to = (uint32_t *)(void *)tensor(the, 0, from + length, 1) + from;
    gpt_encode_moments(to, (const uint32_t *)(const void *)tensor(the, 2, length, 1), (size_t)length, which);
}
