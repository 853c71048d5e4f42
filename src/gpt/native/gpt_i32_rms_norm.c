/* RMSNorm: y = x / sqrt(mean(x²) + ε), row by row; x, y: T×n */

#include "gpt_target.h"

#include "gpt_i32_arithmetic.h"
#include "gpt_i32_tables.h"

/* ε, 1e-5, 2^-32. */
enum { EPSILON_32 = 42950 };

/* x·2^shift, rounded down. */
INLINE int32_t shifted(int32_t x, int shift)
{
    return shift >= 0 ? shifted_left(x, shift) : x >> shift_of(-shift);
}

/* 2^47 / sqrt(s) for s from 2^30 to 2^32: a table, and two steps of Newton's method. */
static uint32_t inverse_root(uint32_t s)
{
    /* sqrt(2^7) = 2^3.5, 2^-13 */
    uint32_t r = gpt_i32_inverse_root[(s >> 23) - GPT_I32_FIRST_ROOT] * 92682u;
    if (r < 0x80000000u)
        r = 0x80000000u;
    for (int step = 0; step < 2; step++) {
        int32_t error = (int32_t)(0x40000000u - mulhu(mulhu(r, r), s));
        int32_t change = mulh((int32_t)(r >> 1), error);
        uint32_t next = r + ((uint32_t)change << 2);
        r = change > 0 && next < r ? 0xffffffffu : next;
    }
    return r;
}

/* sqrt(n), as a mantissa of 31 bits, the highest of 32, and its exponent. */
static uint32_t root_of(int n, int *exponent)
{
    int up = (32 - bit_length((uint32_t)n)) & ~1;
    uint64_t root = (uint64_t)inverse_root((uint32_t)n << up) * (uint32_t)n;
    *exponent = 47 - up / 2;
    for (; root >> 32; root >>= 1)
        --*exponent;
    for (; !(root >> 31); root <<= 1)
        ++*exponent;
    return (uint32_t)root & ~1u;
}

/* What turns a row into its normalized one, in steps: a shift, a factor, and a shift down. */
typedef struct {
    int shift;
    GptFactor factor;
    int down;
} Norm;

/* sqrt(n), and the exponent of all normalized rows, with which sqrt(n), their largest value, has all bits. */
typedef struct {
    uint32_t root;
    int root_exponent, y_exponent;
} Width;

static Width width_of(int n, int bits)
{
    Width width;
    width.root = root_of(n, &width.root_exponent);
    width.y_exponent = bits - ((log2_ceiling(n) + 1) >> 1);
    return width;
}

/* The norm of a row; its factor is 1 / sqrt(mean(x²) + ε). */
static Norm norm_of(const int32_t *x, int32_t x_exponent, int n, Width width)
{
    Norm norm;
    uint32_t sum = 0, epsilon = (uint32_t)n * EPSILON_32, r;
    int bits = (64 - log2_ceiling(n)) >> 1, exponent, up;
    /* So many bits that the squares can be summed. */
    norm.shift = (bits < 30 ? bits : 30) - bit_length(gpt_i32_mask_of(x, n));
    for (int i = 0; i < n; i++) {
        int32_t value = shifted(x[i], norm.shift);
        sum += (uint32_t)mulh(value, value);
    }
    /* It wraps where it is exactly 2^32: if all of them are the same negative power of two. */
    if (sum == 0 && x[0] != 0)
        sum = 0xffffffffu;
    /* Σ x² + n·ε with the same exponent; the sum of squares is 0, or the larger of both where bits are lost. */
    exponent = 2 * (x_exponent + norm.shift) - 32;
    if (sum == 0)
        exponent = 32;
    else if (exponent <= 32)
        epsilon >>= shift_of(32 - exponent);
    else {
        int room = 31 - bit_length(epsilon);
        if (room > exponent - 32)
            room = exponent - 32;
        epsilon <<= room;
        sum >>= shift_of(exponent - 32 - room);
        exponent = 32 + room;
    }
    if (sum + epsilon < sum) {
        sum >>= 1;
        epsilon >>= 1;
        exponent--;
    }
    sum += epsilon;
    /* From 2^30 to 2^32, with an even exponent. */
    up = 32 - bit_length(sum);
    if ((exponent + up) & 1)
        up--;
    sum = up >= 0 ? sum << up : sum >> 1;
    r = mulhu(inverse_root(sum), width.root);
    exponent = 47 - (exponent + up) / 2 + width.root_exponent - 32;
    for (; !(r >> 31); r <<= 1)
        exponent++;
    norm.factor.mantissa = (int32_t)(r >> 1);
    norm.factor.exponent = exponent - 1;
    norm.down = x_exponent + norm.shift + norm.factor.exponent - 32 - width.y_exponent;
    return norm;
}

INLINE int32_t normalized(int32_t x, Norm norm)
{
    return shifted(mulh(shifted(x, norm.shift), norm.factor.mantissa), -norm.down);
}

void gpt_i32_rms_norm_forward(const GptTensor *y, const GptTensor *x, int rows, int n)
{
    Width width = width_of(n, y->bits);
    const int32_t *from = x->mantissas;
    int32_t *to = y->mantissas;
    for (int t = 0; t < rows; t++, from += n, to += n) {
        Norm norm = norm_of(from, x->exponents[0], n, width);
        for (int i = 0; i < n; i++)
            to[i] = normalized(from[i], norm);
    }
    y->exponents[0] = width.y_exponent;
    check_bits(y->mantissas, rows * n, y->bits);
}

/* 1 / n, rounded to 31 bits. */
static GptFactor share_of(int n)
{
    int bits = log2_ceiling(n);
    uint32_t u = (uint32_t)n, most = 1u << 31;
    /* 2^(31 + bits) / n in two steps, and then half of it. */
    uint32_t twice = ((most / u) << bits) + ((most % u) << bits) / u;
    GptFactor share = { 1 << 30, 30 + bits };
    if (n != 1 << bits)
        share.mantissa = (int32_t)((twice + 1) >> 1);
    return share;
}

/* The smallest of the rows' exponents, which all of them get, and of that of dx with room for a sum. */
static int32_t sum_exponent(const GptTensor *dx, int32_t half, const GptTensor *x, int rows, int n, Width width)
{
    int32_t exponent = dx->exponents[0] - 1;
    for (int t = 0; t < rows; t++) {
        int32_t of_row = half + norm_of(x->mantissas + t * n, x->exponents[0], n, width).factor.exponent - 32;
        if (of_row < exponent)
            exponent = of_row;
    }
    return exponent;
}

/* With y = r·x: dx += r·(dy - y·Σ(y·dy)/n). */
void gpt_i32_rms_norm_backward(const GptTensor *dx, const GptTensor *dy, const GptTensor *x, int rows, int n)
{
    Width width = width_of(n, x->bits);
    GptFactor share = share_of(n);
    /* The bracket is held at half, as it may be larger than dy. */
    int32_t half = dy->exponents[0] - 1, exponent = sum_exponent(dx, half, x, rows, n, width);
    int before = shift_of(dx->exponents[0] - exponent);
    const int32_t *xt = x->mantissas, *g = dy->mantissas;
    int32_t *d = dx->mantissas;
    uint32_t mask = 0;
    check_bits(g, rows * n, dy->bits);
    check_bits(d, rows * n, dx->bits);
    for (int t = 0; t < rows; t++, xt += n, g += n, d += n) {
        Norm norm = norm_of(xt, x->exponents[0], n, width);
        int added = shift_of(half + norm.factor.exponent - 32 - exponent), shift;
        int32_t dot = 0, mean, mean_exponent = width.y_exponent + dy->exponents[0] - 32 + share.exponent - 32;
        for (int i = 0; i < n; i++)
            dot += mulh(normalized(xt[i], norm), g[i]);
        mean = mulh(dot, share.mantissa);
        if (mean != 0) {
            int up = 30 - bit_length(magnitude(mean));
            up = up < 0 ? 0 : up > 20 ? 20 : up;
            mean = shifted_left(mean, up);
            mean_exponent += up;
        }
        shift = half - (width.y_exponent + mean_exponent - 32);
        for (int i = 0; i < n; i++) {
            int32_t pull = shifted(mulh(normalized(xt[i], norm), mean), shift);
            int32_t sum = (d[i] >> before) + (mulh((g[i] >> 1) - pull, norm.factor.mantissa) >> added);
            d[i] = sum;
            mask |= magnitude(sum);
        }
    }
    dx->exponents[0] = exponent;
    gpt_i32_settle(dx, 0, dx->mantissas, rows * n, mask);
}
