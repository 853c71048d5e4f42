/* The MLP: after the ReLU only active units are computed. */

#include "gpt_target.h"

#include "gpt_i32_products.h"

/*
 * Positions whose sums in the backward pass are rounded together, as many as fit in memory: see i32-mlp.ts. A change
 * changes results.
 */
enum { MAX_ACTIVE = 16 };

/* The ReLU; returns the mask of the results. */
static uint32_t rectify(int32_t *h, int length)
{
    uint32_t mask = 0;
    for (const int32_t *end = h + length; h < end; h++) {
        int32_t value = *h;
        if (value < 0)
            *h = 0;
        else
            mask |= (uint32_t)value;
    }
    return mask;
}

/* Eight numbers of a row. */
typedef struct {
    Four a, b;
} Eight;

INLINE Eight eight(const int32_t *x)
{
    Eight result = { four(x), four(x + 4) };
    return result;
}

INLINE Eight plus_products(Eight sum, int32_t x, Eight w)
{
    sum.a = plus_product(sum.a, x, w.a);
    sum.b = plus_product(sum.b, x, w.b);
    return sum;
}

INLINE uint32_t store_8(int32_t *y, Eight v)
{
    y[0] = v.a.a, y[1] = v.a.b, y[2] = v.a.c, y[3] = v.a.d;
    y[4] = v.b.a, y[5] = v.b.b, y[6] = v.b.c, y[7] = v.b.d;
    return magnitude(v.a.a) | magnitude(v.a.b) | magnitude(v.a.c) | magnitude(v.a.d) | magnitude(v.b.a)
        | magnitude(v.b.b) | magnitude(v.b.c) | magnitude(v.b.d);
}

/* (x >> shift) + start */
INLINE Four from_residual(const int32_t *x, int shift, int32_t start)
{
    Four r = { (x[0] >> shift) + start, (x[1] >> shift) + start, (x[2] >> shift) + start, (x[3] >> shift) + start };
    return r;
}

/* One row: y (n) = h · w2 + (residual >> shift). 16 columns at a time; their sums stay in registers. */
static uint32_t add_active(
    int32_t *y, const int32_t *residual, int shift, const int32_t *h, const int32_t *w2, int n, int hidden)
{
    /* A quarter, as about half of the units are active. */
    int32_t start = hidden >> 2;
    uint32_t mask = 0;
    const int32_t *end = h + hidden;
    int j = 0;
    for (; j + 16 <= n; j += 16) {
        Eight a = { from_residual(residual + j, shift, start), from_residual(residual + j + 4, shift, start) };
        Eight b = { from_residual(residual + j + 8, shift, start), from_residual(residual + j + 12, shift, start) };
        const int32_t *w = w2 + j;
        for (const int32_t *unit = h; unit < end; unit++, w += n) {
            int32_t active = *unit;
            if (active == 0)
                continue;
            a = plus_products(a, active, eight(w));
            b = plus_products(b, active, eight(w + 8));
        }
        mask |= store_8(y + j, a) | store_8(y + j + 8, b);
    }
    for (; j < n; j++) {
        int32_t sum = (residual[j] >> shift) + start;
        const int32_t *w = w2 + j;
        for (const int32_t *unit = h; unit < end; unit++, w += n)
            if (*unit != 0)
                sum += mulh(*unit, *w);
        y[j] = sum;
        mask |= magnitude(sum);
    }
    return mask;
}

void gpt_i32_mlp_forward(const GptTensor *y, const GptTensor *residual, const GptTensor *h, const GptTensor *x,
    const int32_t *w1, const int32_t *w2, int rows, int n, int hidden)
{
    int32_t *units = h->mantissas, exponent;
    int length = rows * hidden, shift;
    uint32_t mask = 0;
    check_bits(x->mantissas, rows * n, x->bits);
    gpt_i32_product(units, NULL, 0, x->mantissas, w1, rows, n, hidden);
    h->exponents[0] = product_exponent(x->exponents[0]);
    gpt_i32_settle(h, 0, units, length, rectify(units, length));
    exponent = gpt_i32_make_room(h, 0, units, length, residual->exponents[0]);
    shift = shift_of(residual->exponents[0] - exponent);
    CHECK(shift >= 1);
    for (int t = 0; t < rows; t++)
        mask |= add_active(y->mantissas + t * n, residual->mantissas + t * n, shift, units + t * hidden, w2, n, hidden);
    y->exponents[0] = exponent;
    gpt_i32_settle(y, 0, y->mantissas, rows * n, mask);
}

/* A position at which a unit is active: its h, and its row of the matrix that is multiplied by it. */
typedef struct {
    int32_t h;
    const int32_t *in;
    /* The row of dx; or the place of dh in memory, and its sum so far. */
    int32_t *out, sum;
} Active;

/*
 * Finds the positions from `from` to `to` - 1 at which unit `h` is not zero, for dh, or for dx unless it is NULL. Returns
 * their end.
 */
INLINE Active *find_active(
    Active *next, int32_t *h, const int32_t *in, int32_t *dx, int from, int to, int n, int hidden, bool is_for_dh)
{
    int row = from * n;
    h += from * hidden;
    for (int t = from; t < to; t++, h += hidden, row += n) {
        int32_t value = *h;
        if (value == 0)
            continue;
        next->h = value;
        next->in = in + row;
        if (is_for_dh) {
            next->sum = n >> 1;
            next->out = h;
        } else
            next->out = dx + row;
        next++;
    }
    return next;
}

/* How a sum joins what its gradient has so far. */
typedef struct {
    bool is_sum;
    int before, added;
} Joint;

INLINE void join(int32_t *g, int32_t sum, Joint joint)
{
    *g = (joint.is_sum ? *g >> joint.before : 0) + (sum >> joint.added);
}

/* Of eight numbers, `step` apart. */
INLINE void join_8(int32_t *g, int step, Eight sum, Joint joint)
{
    join(g, sum.a.a, joint), g += step;
    join(g, sum.a.b, joint), g += step;
    join(g, sum.a.c, joint), g += step;
    join(g, sum.a.d, joint), g += step;
    join(g, sum.b.a, joint), g += step;
    join(g, sum.b.b, joint), g += step;
    join(g, sum.b.c, joint), g += step;
    join(g, sum.b.d, joint);
}

/* Eight numbers, `step` apart. */
INLINE Eight eight_of_column(const int32_t *x, int step)
{
    Eight result;
    result.a.a = *x, x += step;
    result.a.b = *x, x += step;
    result.a.c = *x, x += step;
    result.a.d = *x, x += step;
    result.b.a = *x, x += step;
    result.b.b = *x, x += step;
    result.b.c = *x, x += step;
    result.b.d = *x;
    return result;
}

/* A unit's row of w2: dw2 (n) = Σ dy·h, and dh = dy·w2 at each position, which is left in `sum`. */
INLINE void backward_out(int32_t *dw, const int32_t *w, Active *active, const Active *end, int n, Joint joint)
{
    int32_t start = (int32_t)(end - active) >> 1;
    int j = 0;
    for (; j + 8 <= n; j += 8) {
        Eight d = { four_of(start), four_of(start) }, wj = eight(w + j);
        for (Active *at = active; at < end; at++) {
            const int32_t *g = at->in + j;
            int32_t h = at->h, sum = at->sum;
            sum += mulh(g[0], wj.a.a), d.a.a += mulh(g[0], h);
            sum += mulh(g[1], wj.a.b), d.a.b += mulh(g[1], h);
            sum += mulh(g[2], wj.a.c), d.a.c += mulh(g[2], h);
            sum += mulh(g[3], wj.a.d), d.a.d += mulh(g[3], h);
            sum += mulh(g[4], wj.b.a), d.b.a += mulh(g[4], h);
            sum += mulh(g[5], wj.b.b), d.b.b += mulh(g[5], h);
            sum += mulh(g[6], wj.b.c), d.b.c += mulh(g[6], h);
            sum += mulh(g[7], wj.b.d), d.b.d += mulh(g[7], h);
            at->sum = sum;
        }
        join_8(dw + j, 1, d, joint);
    }
    for (; j < n; j++) {
        int32_t d = start;
        for (Active *at = active; at < end; at++) {
            at->sum += mulh(at->in[j], w[j]);
            d += mulh(at->in[j], at->h);
        }
        join(dw + j, d, joint);
    }
}

/* A unit's column of w1, with its dh in `h`: dw1 = Σ dh·x, and dx += dh·w1 at each position. dw1 has rows of `step`. */
INLINE void backward_in(
    int32_t *dw, int step, const int32_t *w, const Active *active, const Active *end, int n, int hidden, Joint joint)
{
    int32_t start = (int32_t)(end - active) >> 1;
    int i = 0;
    for (; i + 8 <= n; i += 8, w += 8 * hidden, dw += 8 * step) {
        Eight d = { four_of(start), four_of(start) }, wi = eight_of_column(w, hidden);
        for (const Active *at = active; at < end; at++) {
            const int32_t *x = at->in + i;
            int32_t *dx = at->out + i, dh = at->h;
            d = plus_products(d, dh, eight(x));
            dx[0] += mulh(dh, wi.a.a), dx[1] += mulh(dh, wi.a.b);
            dx[2] += mulh(dh, wi.a.c), dx[3] += mulh(dh, wi.a.d);
            dx[4] += mulh(dh, wi.b.a), dx[5] += mulh(dh, wi.b.b);
            dx[6] += mulh(dh, wi.b.c), dx[7] += mulh(dh, wi.b.d);
        }
        join_8(dw, step, d, joint);
    }
    for (; i < n; i++, w += hidden, dw += step) {
        int32_t d = start;
        for (const Active *at = active; at < end; at++) {
            at->out[i] += mulh(at->h, *w);
            d += mulh(at->h, at->in[i]);
        }
        join(dw, d, joint);
    }
}

/* A unit over all positions at which it is active, of which h is the first: h becomes dh. Returns the mask of dh. */
INLINE uint32_t unit_out(
    int32_t *dw, const int32_t *w, int32_t *h, const int32_t *dy, int rows, int n, int hidden, Joint joint)
{
    Active active[MAX_ACTIVE];
    uint32_t mask = 0;
    for (int from = 0; from < rows; from += MAX_ACTIVE) {
        int to = rows - from > MAX_ACTIVE ? from + MAX_ACTIVE : rows;
        const Active *end = find_active(active, h, dy, NULL, from, to, n, hidden, true);
        backward_out(dw, w, active, end, n, joint);
        for (const Active *at = active; at < end; at++) {
            *at->out = at->sum;
            mask |= magnitude(at->sum);
        }
        joint.is_sum = true;
        joint.before = 0;
    }
    return mask;
}

/* Likewise, with dh. */
INLINE void unit_in(int32_t *dw, int step, int32_t *dx, const int32_t *w, int32_t *h, const int32_t *x, int rows, int n,
    int hidden, Joint joint)
{
    Active active[MAX_ACTIVE];
    for (int from = 0; from < rows; from += MAX_ACTIVE) {
        int to = rows - from > MAX_ACTIVE ? from + MAX_ACTIVE : rows;
        const Active *end = find_active(active, h, x, dx, from, to, n, hidden, false);
        backward_in(dw, step, w, active, end, n, hidden, joint);
        joint.is_sum = true;
        joint.before = 0;
    }
}

static Joint joint_of(const GptTensor *dw, int32_t exponent, int over, bool accumulate)
{
    GptAlignment alignment = gpt_i32_align(dw, 0, exponent, over, accumulate);
    Joint joint = { accumulate, alignment.before, alignment.added };
    return joint;
}

/* Settles dh, and makes room for it in dx; returns the exponent of their sum. */
static int32_t join_dx(
    const GptTensor *dx, const GptTensor *dy, const GptTensor *h, int rows, int n, int hidden, uint32_t mask)
{
    int32_t *d = dx->mantissas, exponent, start = hidden >> 2;
    int length = rows * hidden, shift;
    h->exponents[0] = product_exponent(dy->exponents[0]);
    gpt_i32_settle(h, 0, h->mantissas, length, mask);
    exponent = gpt_i32_make_room(h, 0, h->mantissas, length, dx->exponents[0]);
    shift = shift_of(dx->exponents[0] - exponent);
    CHECK(shift >= 1);
    for (int i = 0; i < rows * n; i++)
        d[i] = (d[i] >> shift) + start;
    return exponent;
}

/* All of dy is read before dx, which may be dy, changes. */
void gpt_i32_mlp_backward(const GptTensor *dx, const GptTensor *dw1, const GptTensor *dw2, const GptTensor *dy,
    const GptTensor *h, const GptTensor *x, const int32_t *w1, const int32_t *w2, int rows, int n, int hidden,
    bool accumulate)
{
    int32_t *d = dx->mantissas, exponent;
    uint32_t mask = 0;
    Joint joint = joint_of(
        dw2, h->exponents[0] + dy->exponents[0] - 32, excess(h->bits + dy->bits - 32, rows, dw2->bits), accumulate);
    check_bits(h->mantissas, rows * hidden, h->bits);
    check_bits(dy->mantissas, rows * n, dy->bits);
    for (int u = 0; u < hidden; u++)
        mask |= unit_out(dw2->mantissas + u * n, w2 + u * n, h->mantissas + u, dy->mantissas, rows, n, hidden, joint);

    exponent = join_dx(dx, dy, h, rows, n, hidden, mask);
    joint = joint_of(
        dw1, h->exponents[0] + x->exponents[0] - 32, excess(h->bits + x->bits - 32, rows, dw1->bits), accumulate);
    for (int u = 0; u < hidden; u++)
        unit_in(dw1->mantissas + u, hidden, d, w1 + u, h->mantissas + u, x->mantissas, rows, n, hidden, joint);
    dx->exponents[0] = exponent;
    gpt_i32_settle(dx, 0, d, rows * n, gpt_i32_mask_of(d, rows * n));
}

void gpt_i32_mlp_update(const GptTensor *dx, const GptTensor *dy, const GptTensor *h, const GptTensor *x, int32_t *w1,
    int32_t *w2, int32_t *words1, int32_t *words2, GptI32Update *update, int rows, int n, int hidden)
{
    int32_t strip[GPT_I32_STRIP], *d = dx->mantissas, exponent, of_gradient = 0;
    int most = GPT_I32_STRIP / n;
    GptTensor gradient = { strip, &of_gradient, 0 };
    uint32_t mask = 0;
    Joint joint =
        joint_of(&gradient, h->exponents[0] + dy->exponents[0] - 32, excess(h->bits + dy->bits - 32, rows, 0), false);
    check_bits(h->mantissas, rows * hidden, h->bits);
    check_bits(dy->mantissas, rows * n, dy->bits);
    for (int u = 0; u < hidden; u += most) {
        int units = hidden - u < most ? hidden - u : most;
        for (int i = 0; i < units; i++)
            mask |=
                unit_out(strip + i * n, w2 + (u + i) * n, h->mantissas + u + i, dy->mantissas, rows, n, hidden, joint);
        gpt_i32_apply(w2 + u * n, strip, words2 + u * n, units * n, of_gradient, update);
    }

    exponent = join_dx(dx, dy, h, rows, n, hidden, mask);
    joint = joint_of(&gradient, h->exponents[0] + x->exponents[0] - 32, excess(h->bits + x->bits - 32, rows, 0), false);
    /* The units' columns of w1 side by side, so that the rows of a strip are pieces of its rows. */
    for (int u = 0; u < hidden; u += most) {
        int units = hidden - u < most ? hidden - u : most;
        for (int i = 0; i < units; i++)
            unit_in(strip + i, units, d, w1 + u + i, h->mantissas + u + i, x->mantissas, rows, n, hidden, joint);
        for (int i = 0; i < n; i++) {
            int at = i * hidden + u;
            gpt_i32_apply(w1 + at, strip + i * units, words1 + at, units, of_gradient, update);
        }
    }
    dx->exponents[0] = exponent;
    gpt_i32_settle(dx, 0, d, rows * n, gpt_i32_mask_of(d, rows * n));
}
