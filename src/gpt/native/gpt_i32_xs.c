/*
 * The boundary between JavaScript and the ops in block floating point, as gpt_ops_xs.c is for floats. A tensor arrives
 * as a Uint8Array over its memory: the mantissas, then the exponents, and last the number of bits. A weight, and
 * attention's p, have mantissas alone.
 *
 * Every length is checked before any memory is written; one that does not fit throws a RangeError. XS moves buffers
 * when it allocates. So numbers are converted first, tensors are fetched last, and no function of XS is called while a
 * kernel runs.
 */

#include "gpt_target.h"

#include "gpt_i32.h"
#include "gpt_xs.h"

#include <math.h>

/* Numbers in the row of a softmax: the sum of more could wrap. */
enum { MOST_IN_ROW = 256 };

/* All rows share an exponent. */
static void check_from(xsMachine *the, int index)
{
    if (count(the, index) != 0)
        xsRangeError("i32 computes all rows at once");
}

static void check_row(xsMachine *the, int length)
{
    if (length > MOST_IN_ROW)
        xsRangeError("an op got rows of %d numbers, and takes %d", length, (int)MOST_IN_ROW);
}

static int word_count(xsMachine *the, xsUnsignedValue bytes, const void *data)
{
    if (bytes / sizeof(int32_t) > INT32_MAX || (uintptr_t)data % sizeof(int32_t))
        xsRangeError("an op got integers that are not aligned");
    return (int)(bytes / sizeof(int32_t));
}

/* All words of a tensor. */
static int32_t *words_of(xsMachine *the, int index, int *words)
{
    void *data;
    xsUnsignedValue bytes;
    xsmcGetBufferWritable(xsArg(index), &data, &bytes);
    *words = word_count(the, bytes, data);
    return data;
}

/* All words of a tensor that is only read: weights may be in flash. */
static const int32_t *constant_words_of(xsMachine *the, int index, int *words)
{
    void *data;
    xsUnsignedValue bytes;
    xsmcGetBufferReadable(xsArg(index), &data, &bytes);
    *words = word_count(the, bytes, data);
    return data;
}

static void check_words(xsMachine *the, int words, uint64_t length)
{
    if ((uint64_t)words < length)
        xsRangeError("an op got %d integers and needs %d", words, (int)length);
}

/* At least `length` words. */
static int32_t *words_for(xsMachine *the, int index, uint64_t length, int *words)
{
    int32_t *data = words_of(the, index, words);
    check_words(the, *words, length);
    return data;
}

/* A weight of rows×columns. */
static const int32_t *weight(xsMachine *the, int index, int rows, int columns)
{
    int words;
    const int32_t *data = constant_words_of(the, index, &words);
    check_words(the, words, (uint64_t)rows * (uint64_t)columns);
    return data;
}

/* rows×columns numbers with a fixed exponent, such as attention's p. */
static int32_t *numbers(xsMachine *the, int index, int rows, int columns)
{
    int words;
    return words_for(the, index, (uint64_t)rows * (uint64_t)columns, &words);
}

/* A tensor of at least `rows` rows. */
static GptTensor tensor_of(xsMachine *the, int index, int rows, int columns, int exponents)
{
    int words;
    uint64_t length = (uint64_t)rows * (uint64_t)columns + (uint64_t)exponents + 1;
    int32_t *data = words_for(the, index, length, &words);
    GptTensor result = { data, data + words - 1 - exponents, data[words - 1] };
    if (result.bits < 0 || result.bits > 31)
        xsRangeError("an op got a tensor of %d bits", result.bits);
    return result;
}

static GptTensor tensor(xsMachine *the, int index, int rows, int columns)
{
    return tensor_of(the, index, rows, columns, 1);
}

/* The mantissas of a tensor with one exponent. */
static int length_of(xsMachine *the, int index)
{
    int words;
    words_for(the, index, 2, &words);
    return words - 2;
}

/* The number of rows of a weight, from its size. */
static int rows_of(xsMachine *the, int index, int columns)
{
    int words;
    constant_words_of(the, index, &words);
    return columns > 0 ? words / columns : 0;
}

/* --- updates: the last argument of a backward pass is a boolean, accumulate, or the constants of Adam --- */

static bool is_update(xsMachine *the, int index)
{
    return xsmcTypeOf(xsArg(index)) != xsBooleanType;
}

/* The constants of Adam, in the order of GptI32Update. */
static GptI32Update *update_of(xsMachine *the, int index)
{
    return (GptI32Update *)(void *)numbers(the, index, sizeof(GptI32Update) / sizeof(int32_t), 1);
}

static void check_strip(xsMachine *the, int length)
{
    if (length < 1 || length > GPT_I32_STRIP)
        xsRangeError("an update got rows of %d weights and takes 1 to %d", length, (int)GPT_I32_STRIP);
}

/* canUpdate(n, bias): whether these ops can update weights at once whose matrices have these sizes. */
void gpt_xs_i32_can_update(xsMachine *the)
{
    int n = count(the, 0), bias = count(the, 1);
    xsmcSetBoolean(xsResult, n <= GPT_I32_STRIP && bias <= GPT_I32_STRIP);
}

/* zero(x), of a tensor with one exponent */
void gpt_xs_i32_zero(xsMachine *the)
{
    int length = length_of(the, 0);
    GptTensor x = tensor(the, 0, length, 1);
    gpt_i32_zero(&x, length);
}

/* embeddingForward(x, wte, wpe, tokens, from, to, n) */
void gpt_xs_i32_embedding_forward(xsMachine *the)
{
    int to = count(the, 5), n = count(the, 6), vocabulary = rows_of(the, 1, n);
    const uint8_t *tokens;
    GptTensor x;
    check_from(the, 4);
    tokens = token_array(the, 3, to, vocabulary);
    x = tensor(the, 0, to, n);
    gpt_i32_embedding_forward(&x, weight(the, 1, vocabulary, n), weight(the, 2, to, n), tokens, to, n);
}

static void update_embedding(xsMachine *the, int rows, int n)
{
    int vocabulary = rows_of(the, 0, n), block = rows_of(the, 1, n);
    const uint8_t *tokens = token_array(the, 3, rows, vocabulary);
    GptTensor dx = tensor(the, 2, rows, n);
    check_strip(the, n);
    check_range(the, rows, block);
    gpt_i32_embedding_update(numbers(the, 7, vocabulary, n), numbers(the, 8, block, n), numbers(the, 0, vocabulary, n),
        numbers(the, 1, block, n), &dx, tokens, update_of(the, 6), rows, n, vocabulary, block);
}

/* embeddingBackward(dwte, dwpe, dx, tokens, rows, n, accumulate, wte, wpe) */
void gpt_xs_i32_embedding_backward(xsMachine *the)
{
    int rows = count(the, 4), n = count(the, 5), wte_length, wpe_length;
    bool accumulate;
    const uint8_t *tokens;
    GptTensor dwte, dwpe, dx;
    if (is_update(the, 6)) {
        update_embedding(the, rows, n);
        return;
    }
    accumulate = boolean(the, 6);
    wte_length = length_of(the, 0), wpe_length = length_of(the, 1);
    tokens = token_array(the, 3, rows, n > 0 ? wte_length / n : 0);
    if ((uint64_t)rows * (uint64_t)n > (uint64_t)wpe_length)
        xsRangeError("an op got %d integers and needs %d rows of %d", wpe_length, rows, n);
    dwte = tensor(the, 0, wte_length, 1);
    dwpe = tensor(the, 1, wpe_length, 1);
    dx = tensor(the, 2, rows, n);
    gpt_i32_embedding_backward(&dwte, wte_length, &dwpe, wpe_length, &dx, tokens, rows, n, accumulate);
}

/* rmsNormForward(y, x, from, to, n) */
void gpt_xs_i32_rms_norm_forward(xsMachine *the)
{
    int to = count(the, 3), n = count(the, 4);
    GptTensor y, x;
    check_from(the, 2);
    check_range(the, 1, n);
    y = tensor(the, 0, to, n);
    x = tensor(the, 1, to, n);
    gpt_i32_rms_norm_forward(&y, &x, to, n);
}

/* rmsNormBackward(dx, dy, x, rows, n) */
void gpt_xs_i32_rms_norm_backward(xsMachine *the)
{
    int rows = count(the, 3), n = count(the, 4);
    GptTensor dx, dy, x;
    check_range(the, 1, n);
    dx = tensor(the, 0, rows, n);
    dy = tensor(the, 1, rows, n);
    x = tensor(the, 2, rows, n);
    gpt_i32_rms_norm_backward(&dx, &dy, &x, rows, n);
}

/* linearForward(y, x, w, from, to, n, m) */
void gpt_xs_i32_linear_forward(xsMachine *the)
{
    int to = count(the, 4), n = count(the, 5), m = count(the, 6);
    GptTensor y, x;
    check_from(the, 3);
    y = tensor(the, 0, to, m);
    x = tensor(the, 1, to, n);
    gpt_i32_linear_forward(&y, &x, weight(the, 2, n, m), to, n, m);
}

/* linearResidualForward(y, residual, x, w, from, to, n, m) */
void gpt_xs_i32_linear_residual_forward(xsMachine *the)
{
    int to = count(the, 5), n = count(the, 6), m = count(the, 7);
    GptTensor y, residual, x;
    check_from(the, 4);
    y = tensor(the, 0, to, m);
    residual = tensor(the, 1, to, m);
    x = tensor(the, 2, to, n);
    gpt_i32_linear_residual_forward(&y, &residual, &x, weight(the, 3, n, m), to, n, m);
}

/* linearBackward(dx, dw, dy, x, w, rows, n, m, accumulate) */
void gpt_xs_i32_linear_backward(xsMachine *the)
{
    int rows = count(the, 5), n = count(the, 6), m = count(the, 7);
    bool accumulate;
    GptTensor dx = tensor(the, 0, rows, n), dw, dy = tensor(the, 2, rows, m), x = tensor(the, 3, rows, n);
    if (is_update(the, 8)) {
        check_range(the, 1, m);
        gpt_i32_linear_update(
            &dx, &dy, &x, numbers(the, 4, n, m), numbers(the, 1, n, m), update_of(the, 8), rows, n, m);
        return;
    }
    accumulate = boolean(the, 8);
    dw = tensor(the, 1, n, m);
    gpt_i32_linear_backward(&dx, &dw, &dy, &x, weight(the, 4, n, m), rows, n, m, accumulate);
}

/* qkvForward(qkv, x, w, from, to, n, block) */
void gpt_xs_i32_qkv_forward(xsMachine *the)
{
    int to = count(the, 4), n = count(the, 5), block = count(the, 6);
    GptTensor qkv, x;
    check_from(the, 3);
    check_range(the, to, block);
    qkv = tensor_of(the, 0, 3 * block, n, 3);
    x = tensor(the, 1, to, n);
    gpt_i32_qkv_forward(&qkv, &x, weight(the, 2, 3 * n, n), to, n, block);
}

/* qkvBackward(dx, dw, dqkv, x, w, rows, n, block, accumulate, copy) */
void gpt_xs_i32_qkv_backward(xsMachine *the)
{
    int rows = count(the, 5), n = count(the, 6), block = count(the, 7);
    bool accumulate;
    GptTensor dx, dw, dqkv, x;
    check_range(the, rows, block);
    dx = tensor(the, 0, rows, n);
    dqkv = tensor_of(the, 2, 3 * block, n, 3);
    x = tensor(the, 3, rows, n);
    if (is_update(the, 8)) {
        check_range(the, 1, n);
        gpt_i32_qkv_update(&dx, &dqkv, &x, numbers(the, 4, 3 * n, n), numbers(the, 1, 3 * n, n),
            numbers(the, 9, rows, n), update_of(the, 8), rows, n, block);
        return;
    }
    accumulate = boolean(the, 8);
    dw = tensor_of(the, 1, 3 * n, n, 3);
    gpt_i32_qkv_backward(&dx, &dw, &dqkv, &x, weight(the, 4, 3 * n, n), rows, n, block, accumulate);
}

/* attentionForward(y, p, qkv, bias, from, to, n, heads, block) */
void gpt_xs_i32_attention_forward(xsMachine *the)
{
    int to = count(the, 5), n = count(the, 6), heads = count(the, 7), block = count(the, 8);
    bool has_bias = xsmcTypeOf(xsArg(3)) != xsUndefinedType;
    const int32_t *bias;
    GptTensor y, qkv;
    check_from(the, 4);
    check_range(the, to, block);
    check_row(the, to);
    check_heads(the, n, heads);
    bias = has_bias ? weight(the, 3, heads, block) : NULL;
    y = tensor(the, 0, to, n);
    qkv = tensor_of(the, 2, 3 * block, n, 3);
    gpt_i32_attention_forward(&y, numbers(the, 1, heads, block * (block + 1) / 2), &qkv, bias, to, n, heads, block);
}

/* attentionBackward(dqkv, dbias, dy, y, p, qkv, rows, n, heads, block, accumulate, bias) */
void gpt_xs_i32_attention_backward(xsMachine *the)
{
    int rows = count(the, 6), n = count(the, 7), heads = count(the, 8), block = count(the, 9);
    bool accumulate = !is_update(the, 10) && boolean(the, 10), has_bias = xsmcTypeOf(xsArg(1)) != xsUndefinedType;
    GptTensor dqkv, dbias = { NULL, NULL, 0 }, dy, y, qkv;
    check_range(the, rows, block);
    check_heads(the, n, heads);
    if (has_bias && !is_update(the, 10))
        dbias = tensor(the, 1, heads, block);
    dqkv = tensor_of(the, 0, 3 * block, n, 3);
    dy = tensor(the, 2, rows, n);
    y = tensor(the, 3, rows, n);
    qkv = tensor_of(the, 5, 3 * block, n, 3);
    if (has_bias && is_update(the, 10)) {
        check_strip(the, heads * block);
        gpt_i32_attention_update(&dqkv, numbers(the, 11, heads, block), numbers(the, 1, heads, block), &dy, &y,
            numbers(the, 4, heads, block * (block + 1) / 2), &qkv, update_of(the, 10), rows, n, heads, block);
        return;
    }
    gpt_i32_attention_backward(&dqkv, has_bias ? &dbias : NULL, &dy, &y,
        numbers(the, 4, heads, block * (block + 1) / 2), &qkv, rows, n, heads, block, accumulate);
}

/* mlpForward(y, residual, h, x, w1, w2, from, to, n, hidden) */
void gpt_xs_i32_mlp_forward(xsMachine *the)
{
    int to = count(the, 7), n = count(the, 8), hidden = count(the, 9);
    const int32_t *w1, *w2;
    GptTensor y, residual, h, x;
    check_from(the, 6);
    w1 = weight(the, 4, n, hidden);
    w2 = weight(the, 5, hidden, n);
    y = tensor(the, 0, to, n);
    residual = tensor(the, 1, to, n);
    h = tensor(the, 2, to, hidden);
    x = tensor(the, 3, to, n);
    gpt_i32_mlp_forward(&y, &residual, &h, &x, w1, w2, to, n, hidden);
}

/* mlpBackward(dx, dw1, dw2, dy, h, x, w1, w2, rows, n, hidden, accumulate) */
void gpt_xs_i32_mlp_backward(xsMachine *the)
{
    int rows = count(the, 8), n = count(the, 9), hidden = count(the, 10);
    bool accumulate;
    int32_t *w1 = numbers(the, 6, n, hidden), *w2 = numbers(the, 7, hidden, n);
    GptTensor dx = tensor(the, 0, rows, n), dw1, dw2;
    GptTensor dy = tensor(the, 3, rows, n), h = tensor(the, 4, rows, hidden), x = tensor(the, 5, rows, n);
    if (is_update(the, 11)) {
        check_strip(the, n);
        /* Without a row there is no gradient. */
        check_range(the, 1, rows);
        gpt_i32_mlp_update(&dx, &dy, &h, &x, w1, w2, numbers(the, 1, n, hidden), numbers(the, 2, hidden, n),
            update_of(the, 11), rows, n, hidden);
        return;
    }
    accumulate = boolean(the, 11);
    dw1 = tensor(the, 1, n, hidden);
    dw2 = tensor(the, 2, hidden, n);
    gpt_i32_mlp_backward(&dx, &dw1, &dw2, &dy, &h, &x, w1, w2, rows, n, hidden, accumulate);
}

/* softmaxCrossEntropy(logits, tokens, rows, vocabulary, weight) */
void gpt_xs_i32_softmax_cross_entropy(xsMachine *the)
{
    int rows = count(the, 2), vocabulary = count(the, 3);
    float weight = (float)xsmcToNumber(xsArg(4));
    double loss;
    const uint8_t *tokens;
    GptTensor logits;
    if (rows < 1 || vocabulary < 1)
        xsRangeError("an op got %d rows of %d logits", rows, vocabulary);
    check_row(the, vocabulary);
    tokens = token_array(the, 1, rows + 1, vocabulary);
    logits = tensor(the, 0, rows, vocabulary);
    loss = gpt_i32_softmax_cross_entropy(&logits, tokens, rows, vocabulary, weight);
    xsmcSetNumber(xsResult, loss);
}

/* adam(w, g, m, v, beta1, beta2, epsilon, rate, vScale): v is a table of the matrices, see src/gpt/model/ops.ts. */
void gpt_xs_i32_adam(xsMachine *the)
{
    enum { ROW = 4 };
    double rate = xsmcToNumber(xsArg(7)), v_scale = xsmcToNumber(xsArg(8));
    int w_length, g_length, m_length, words;
    int32_t *w = words_of(the, 0, &w_length), *g = words_of(the, 1, &g_length), *m = words_of(the, 2, &m_length);
    const int32_t *matrices = words_of(the, 3, &words);
    int32_t step;
    bool is_in_range = true;
    if (!(rate >= 0 && v_scale > 0))
        xsRangeError("an op got an invalid rate");
    if (words % ROW)
        xsRangeError("an op got a table of %d integers", words);
    for (const int32_t *row = matrices; row < matrices + words; row += ROW) {
        int64_t length = row[2], blocks = row[3];
        if (row[0] < 0 || row[1] < 0 || length < 0 || blocks < 1 || length % blocks
            || row[0] + length > (w_length < m_length ? w_length : m_length) || row[1] + length + blocks > g_length)
            xsRangeError("an op got a matrix of %d weights from %d on", (int)length, (int)row[0]);
    }
    step = gpt_i32_step(rate, v_scale);
    for (const int32_t *row = matrices; row < matrices + words; row += ROW) {
        const int32_t *gradient = g + row[1], *exponents = gradient + row[2];
        int32_t size = row[2] / row[3], *weights = w + row[0], *moments = m + row[0];
        for (int32_t block = 0; block < row[3]; block++, weights += size, gradient += size, moments += size)
            if (!gpt_i32_adam(weights, gradient, moments, (size_t)size, exponents[block], step))
                is_in_range = false;
    }
    xsmcSetBoolean(xsResult, is_in_range);
}

/* pow(base, exponent): by squaring, as pow() in src/gpt/base/elementary.ts; XS takes 200 times as many instructions. */
void gpt_xs_pow(xsMachine *the)
{
    double base = xsmcToNumber(xsArg(0)), exponent = xsmcToNumber(xsArg(1)), result = 1.0;
    uint64_t left;
    if (!(exponent >= 0 && exponent <= 9007199254740992.0 && exponent == floor(exponent)))
        xsRangeError("the exponent must be a whole number from 0 to 2^53");
    for (left = (uint64_t)exponent;; left >>= 1) {
        if (left & 1)
            result *= base;
        if (left < 2)
            break;
        base *= base;
    }
    xsmcSetNumber(xsResult, result);
}

static GptStored stored(xsMachine *the, int index)
{
    int what = count(the, index);
    if (what > GPT_I32_V)
        xsRangeError("an op got an unknown kind of numbers");
    return (GptStored)what;
}

/* `length` numbers from an index on. */
static int32_t *numbers_from(xsMachine *the, int index, int from, int length)
{
    return numbers(the, index, from + length, 1) + from;
}

/* decode(floats, numbers, from, what) */
void gpt_xs_i32_decode(xsMachine *the)
{
    int from = index_of(the, 2), length = rows_of(the, 0, 1);
    GptStored what = stored(the, 3);
    const int32_t *source = numbers_from(the, 1, from, length);
    gpt_i32_decode((uint32_t *)numbers(the, 0, length, 1), source, (size_t)length, what);
}

/* encode(numbers, from, floats, what) */
void gpt_xs_i32_encode(xsMachine *the)
{
    int from = index_of(the, 1), length = rows_of(the, 2, 1);
    GptStored what = stored(the, 3);
    int32_t *to = numbers_from(the, 0, from, length);
    gpt_i32_encode(to, (const uint32_t *)numbers(the, 2, length, 1), (size_t)length, what);
}
