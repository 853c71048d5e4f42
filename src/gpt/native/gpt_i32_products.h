/*
 * Products of row-major matrices, of which one is a weight or both are tensors. Half the number of terms is added to
 * each sum: see i32-ops.ts.
 */

#ifndef GPT_I32_PRODUCTS_H
#define GPT_I32_PRODUCTS_H

#include "gpt_i32_arithmetic.h"

/*
 * y (rows×m) = x (rows×n) · w (n×m) + (residual >> shift), unless residual is NULL; it is not y. Returns the mask of the
 * results.
 */
uint32_t gpt_i32_product(
    int32_t *y, const int32_t *residual, int shift, const int32_t *x, const int32_t *w, int rows, int n, int m);

/* dx (rows×n) = dy (rows×m) · wᵀ + (residual >> shift), likewise; here the residual may be dx. */
uint32_t gpt_i32_product_transposed(
    int32_t *dx, const int32_t *residual, int shift, const int32_t *dy, const int32_t *w, int rows, int n, int m);

/* A block of a matrix. */
typedef struct {
    int height, width;
} GptSize;

/*
 * dw = xᵀ · dy >> added or, with accumulate, that + (dw >> before); x: rows×n, dy: rows×m. Only the first block of dw,
 * which is contiguous: n×m is all of it.
 */
void gpt_i32_outer_product(int32_t *dw, GptSize block, const int32_t *dy, const int32_t *x, int rows, int n, int m,
    bool accumulate, GptAlignment alignment);

/* Adam on `length` weights with one exponent of their gradients, in an update. */
void gpt_i32_apply(int32_t *w, const int32_t *g, int32_t *words, int length, int32_t exponent, GptI32Update *update);

#endif
