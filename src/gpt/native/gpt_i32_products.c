/*
 * Blocks of sums fit the registers of a chip, and each number that is loaded is used for several sums. The last block of
 * a row may overlap the one before it, so that a vocabulary of 27 letters has no columns left over.
 */

#include "gpt_target.h"

#include "gpt_i32_products.h"

/* Where the sums of a block begin. */
INLINE Four start_of(const int32_t *residual, int shift, int32_t start)
{
    Four r;
    if (!residual)
        return four_of(start);
    r.a = (residual[0] >> shift) + start;
    r.b = (residual[1] >> shift) + start;
    r.c = (residual[2] >> shift) + start;
    r.d = (residual[3] >> shift) + start;
    return r;
}

/* Stores results, and returns their mask. */
INLINE uint32_t store(int32_t *y, Four sum)
{
    y[0] = sum.a, y[1] = sum.b, y[2] = sum.c, y[3] = sum.d;
    return magnitude(sum.a) | magnitude(sum.b) | magnitude(sum.c) | magnitude(sum.d);
}

/* --- y = x · w --- */

/* `rows` is a constant from 1 to 3, and m >= 4. */
INLINE uint32_t add_rows(
    int32_t *y, const int32_t *residual, int shift, const int32_t *x, const int32_t *w, int rows, int n, int m)
{
    uint32_t mask = 0;
    int32_t start = n >> 1;
    for (int j = 0; j < m; j += 4) {
        int at = j + 4 > m ? m - 4 : j;
        int32_t *to = y + at;
        const int32_t *r = residual ? residual + at : NULL, *wj = w + at, *end = x + n;
        const int32_t *xa = x, *xb = rows > 1 ? xa + n : xa, *xc = rows > 2 ? xb + n : xa;
        Four a = start_of(r, shift, start), b = a, c = a;
        if (r && rows > 1)
            b = start_of(r + m, shift, start);
        if (r && rows > 2)
            c = start_of(r + 2 * m, shift, start);
        while (xa < end) {
            Four wi = four(wj);
            wj += m;
            a = plus_product(a, *xa++, wi);
            if (rows > 1)
                b = plus_product(b, *xb++, wi);
            if (rows > 2)
                c = plus_product(c, *xc++, wi);
        }
        mask |= store(to, a);
        if (rows > 1)
            mask |= store(to + m, b);
        if (rows > 2)
            mask |= store(to + 2 * m, c);
    }
    return mask;
}

/* The same for less than four columns. */
static uint32_t narrow_product(
    int32_t *y, const int32_t *residual, int shift, const int32_t *x, const int32_t *w, int rows, int n, int m)
{
    uint32_t mask = 0;
    for (int t = 0; t < rows; t++, x += n) {
        for (int j = 0; j < m; j++) {
            int32_t sum = (residual ? residual[t * m + j] >> shift : 0) + (n >> 1);
            for (int i = 0; i < n; i++)
                sum += mulh(x[i], w[i * m + j]);
            y[t * m + j] = sum;
            mask |= magnitude(sum);
        }
    }
    return mask;
}

uint32_t gpt_i32_product(
    int32_t *y, const int32_t *residual, int shift, const int32_t *x, const int32_t *w, int rows, int n, int m)
{
    uint32_t mask = 0;
    int t = 0;
    if (m < 4)
        return narrow_product(y, residual, shift, x, w, rows, n, m);
    for (; t + 3 <= rows; t += 3, y += 3 * m, x += 3 * n) {
        mask |= add_rows(y, residual, shift, x, w, 3, n, m);
        if (residual)
            residual += 3 * m;
    }
    if (rows - t == 2)
        mask |= add_rows(y, residual, shift, x, w, 2, n, m);
    else if (rows - t == 1)
        mask |= add_rows(y, residual, shift, x, w, 1, n, m);
    return mask;
}

/* --- dx = dy · wᵀ: a block has four rows of w --- */

/* Whole blocks; `rows` is 1 or 2. Four terms of each sum at once, so that the pointers move less often. */
INLINE uint32_t add_rows_transposed(
    int32_t *dx, const int32_t *residual, int shift, const int32_t *dy, const int32_t *w, int rows, int n, int m)
{
    uint32_t mask = 0;
    int32_t start = m >> 1;
    for (int i = 0; i + 4 <= n; i += 4) {
        const int32_t *r = residual ? residual + i : NULL;
        const int32_t *w0 = w + i * m, *w1 = w0 + m, *w2 = w1 + m, *w3 = w2 + m;
        const int32_t *ga = dy, *gb = rows > 1 ? ga + m : ga, *end = dy + (m & ~3);
        Four a = start_of(r, shift, start), b = a;
        if (r && rows > 1)
            b = start_of(r + n, shift, start);
        for (; ga < end; ga += 4, gb += 4, w0 += 4, w1 += 4, w2 += 4, w3 += 4) {
#pragma GCC unroll 4
            for (int k = 0; k < 4; k++) {
                Four wk = { w0[k], w1[k], w2[k], w3[k] };
                a = plus_product(a, ga[k], wk);
                if (rows > 1)
                    b = plus_product(b, gb[k], wk);
            }
        }
        for (end = dy + m; ga < end; ga++, gb++, w0++, w1++, w2++, w3++) {
            Four wk = { *w0, *w1, *w2, *w3 };
            a = plus_product(a, *ga, wk);
            if (rows > 1)
                b = plus_product(b, *gb, wk);
        }
        mask |= store(dx + i, a);
        if (rows > 1)
            mask |= store(dx + n + i, b);
    }
    return mask;
}

/* The columns from `first` on. */
static uint32_t narrow_product_transposed(int32_t *dx, const int32_t *residual, int shift, const int32_t *dy,
    const int32_t *w, int rows, int first, int n, int m)
{
    uint32_t mask = 0;
    for (int t = 0; t < rows; t++, dy += m) {
        for (int i = first; i < n; i++) {
            int32_t sum = (residual ? residual[t * n + i] >> shift : 0) + (m >> 1);
            for (int j = 0; j < m; j++)
                sum += mulh(dy[j], w[i * m + j]);
            dx[t * n + i] = sum;
            mask |= magnitude(sum);
        }
    }
    return mask;
}

uint32_t gpt_i32_product_transposed(
    int32_t *dx, const int32_t *residual, int shift, const int32_t *dy, const int32_t *w, int rows, int n, int m)
{
    uint32_t mask = n & 3 ? narrow_product_transposed(dx, residual, shift, dy, w, rows, n & ~3, n, m) : 0;
    int t = 0;
    for (; t + 2 <= rows; t += 2, dx += 2 * n, dy += 2 * m) {
        mask |= add_rows_transposed(dx, residual, shift, dy, w, 2, n, m);
        if (residual)
            residual += 2 * n;
    }
    if (t < rows)
        mask |= add_rows_transposed(dx, residual, shift, dy, w, 1, n, m);
    return mask;
}

/* --- dw = xᵀ · dy: a block has four rows and columns, and its sums run over the positions --- */

/* The gradients of a row but for the first `known`, which are there already. */
INLINE void add_gradients(int32_t *dw, Four sum, int known, bool accumulate, GptAlignment by)
{
    if (known < 1)
        dw[0] = (accumulate ? dw[0] >> by.before : 0) + (sum.a >> by.added);
    if (known < 2)
        dw[1] = (accumulate ? dw[1] >> by.before : 0) + (sum.b >> by.added);
    if (known < 3)
        dw[2] = (accumulate ? dw[2] >> by.before : 0) + (sum.c >> by.added);
    dw[3] = (accumulate ? dw[3] >> by.before : 0) + (sum.d >> by.added);
}

/* Rows from `first` on, one sum at a time. */
static void narrow_outer_product(int32_t *dw, GptSize block, const int32_t *dy, const int32_t *x, int rows, int first,
    int n, int m, bool accumulate, GptAlignment by)
{
    dw += first * block.width;
    for (int i = first; i < block.height; i++) {
        for (int j = 0; j < block.width; j++, dw++) {
            int32_t sum = rows >> 1;
            for (int t = 0; t < rows; t++)
                sum += mulh(x[t * n + i], dy[t * m + j]);
            *dw = (accumulate ? *dw >> by.before : 0) + (sum >> by.added);
        }
    }
}

void gpt_i32_outer_product(int32_t *dw, GptSize block, const int32_t *dy, const int32_t *x, int rows, int n, int m,
    bool accumulate, GptAlignment alignment)
{
    int width = block.width, blocks_end = width < 4 ? 0 : block.height & ~3;
    for (int i = 0; i < blocks_end; i += 4) {
        for (int j = 0; j < width; j += 4) {
            int at = j + 4 > width ? width - 4 : j, known = j - at;
            const int32_t *g = dy + at, *xt = x + i, *end = g + rows * m;
            int32_t *to = dw + i * width + at;
            Four a = four_of(rows >> 1), b = a, c = a, d = a;
            for (; g < end; g += m, xt += n) {
                Four gt = four(g);
                a = plus_product(a, xt[0], gt);
                b = plus_product(b, xt[1], gt);
                c = plus_product(c, xt[2], gt);
                d = plus_product(d, xt[3], gt);
            }
            if (accumulate) {
                add_gradients(to, a, known, true, alignment);
                add_gradients(to + width, b, known, true, alignment);
                add_gradients(to + 2 * width, c, known, true, alignment);
                add_gradients(to + 3 * width, d, known, true, alignment);
            } else {
                add_gradients(to, a, 0, false, alignment);
                add_gradients(to + width, b, 0, false, alignment);
                add_gradients(to + 2 * width, c, 0, false, alignment);
                add_gradients(to + 3 * width, d, 0, false, alignment);
            }
        }
    }
    narrow_outer_product(dw, block, dy, x, rows, blocks_end, n, m, accumulate, alignment);
}
