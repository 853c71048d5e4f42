/* Products of row-major matrices. The order of every sum is the same for all loops. */

#ifndef GPT_PRODUCTS_H
#define GPT_PRODUCTS_H

#include <stdbool.h>

/* y (rows×m) += x (rows×n) · w (n×m) */
void gpt_add_product(float *y, const float *x, const float *w, int rows, int n, int m);

/* dx (rows×n) += dy (rows×m) · wᵀ */
void gpt_add_product_transposed(float *dx, const float *dy, const float *w, int rows, int n, int m);

/* A block of a matrix. */
typedef struct {
    int height, width;
} GptSize;

/*
 * dw = xᵀ · dy or, with accumulate, dw += xᵀ · dy; x: rows×n, dy: rows×m. Only the first block of dw, which is
 * contiguous: n×m is all of it.
 */
void gpt_outer_product(
    float *dw, GptSize block, const float *dy, const float *x, int rows, int n, int m, bool accumulate);

/* One row: y (n) += max(h, 0) · w2 (hidden×n), and h becomes max(h, 0). */
void gpt_add_active(float *y, float *h, const float *w2, int n, int hidden);

#endif
