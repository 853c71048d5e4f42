/* The tables of src/gpt/model/i32-arithmetic.ts. */

#ifndef GPT_I32_TABLES_H
#define GPT_I32_TABLES_H

#include <stdint.h>

/* 2^(-i/64), 2^-31. */
extern const uint32_t gpt_i32_exp2[64];
/* log2(1 + i/64), 2^-28. */
extern const uint32_t gpt_i32_log2[65];
/* 2^27 / sqrt((i + ½)·2^16) for i >= 128; smaller ones do not occur. */
enum { GPT_I32_FIRST_ROOT = 128 };
extern const uint16_t gpt_i32_inverse_root[384];

#endif
