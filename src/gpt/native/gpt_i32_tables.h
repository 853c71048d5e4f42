/* The tables of src/gpt/model/i32-arithmetic.ts. */

#ifndef GPT_I32_TABLES_H
#define GPT_I32_TABLES_H

#include <stdint.h>

/* 2^(-i/64), 2^-31. */
extern const uint32_t gpt_i32_exp2[64];
/* log2(1 + i/64), 2^-28. */
extern const uint32_t gpt_i32_log2[65];
/* 2^27 / sqrt((i + ½)·2^16) for i >= 128; smaller ones do not occur. */
enum { GPT_I32_FIRST_ROOT = 128, GPT_I32_ROOTS = 384 };
extern const uint16_t gpt_i32_inverse_root[GPT_I32_ROOTS];

/*
 * Constants of Adam. Its loop takes them from here, and then holds them in registers; those in its code the compiler
 * would make anew for each weight, of two instructions each.
 */
typedef struct {
    uint32_t max_shift;
    /* The largest number whose square has 31 bits, and twice that. */
    uint32_t max_root, max_roots;
    /* 0.15, 2^-14; 0.01, 2^-32; 2^13 */
    int32_t gain1, gain2, half;
    uint32_t roots, max_weight, max_weights;
    const uint16_t *inverse_root;
} GptAdamConstants;

extern const GptAdamConstants gpt_i32_adam_constants;

#endif
