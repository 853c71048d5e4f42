/* Products of matrices, row-major. Every sum runs in one order, whatever the loops. */

#ifndef GPT_PRODUCTS_H
#define GPT_PRODUCTS_H

#include <stdbool.h>

/* y (rows×m) += x (rows×n) · w (n×m) */
void add_product(float *y, const float *x, const float *w, int rows, int n, int m);

/* dx (rows×n) += dy (rows×m) · wᵀ */
void add_product_transposed(float *dx, const float *dy, const float *w, int rows, int n, int m);

/* dw (n×m) = xᵀ · dy, or dw += it; x: rows×n, dy: rows×m */
void outer_product(float *dw, const float *dy, const float *x, int rows, int n, int m, bool accumulate);

#endif
