/*
 * Which kind of processor the kernels are compiled for, from the compiler's macros. Every file of the kernels includes
 * this first.
 *
 * GPT_CHIP: an in-order core without vector instructions, with 16 floating-point registers. The number of instructions
 * determines the time, so sums stay in registers, block by block. Without it: a desktop, whose compiler vectorizes the
 * plain loops of gpt_desktop.c.
 *
 * GPT_FUSED: an FPU that computes a·b + c in one instruction, rounded once. The code uses it only through fused();
 * everywhere else the compiler must not fuse, so that every processor computes the same bits.
 *
 * GPT_NEWTON: such an FPU without instructions for square root and division. Each would be a call of a function of
 * some 50 instructions.
 *
 * GPT_FPU: the processor computes floats by itself. Without it, floats take some 100 times as many instructions as
 * integers, and i32 is the dtype to train in.
 *
 * A desktop that defines the first three computes the same bits as an ESP32: the device simulator does.
 */

#ifndef GPT_TARGET_H
#define GPT_TARGET_H

#if !defined(GPT_CHIP) && !defined(__SSE2__) && !defined(_M_X64) && !defined(__ARM_NEON) && !defined(__ALTIVEC__) \
    && !defined(__riscv_vector) && !defined(__wasm_simd128__)
#define GPT_CHIP
#ifdef __FP_FAST_FMAF
#define GPT_FUSED
#if !defined(__riscv_fdiv) && !defined(__ARM_FP)
#define GPT_NEWTON
#endif
#endif
#endif

#if !defined(GPT_CHIP) || defined(GPT_FUSED)
#define GPT_FPU
#endif

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#ifdef GPT_CHIP
/* The Moddable SDK compiles modules for size, without zero-overhead loops. */
#pragma GCC optimize("O2")
#endif
#endif

#ifdef __GNUC__
#define INLINE static inline __attribute__((always_inline))
#define NOT_INLINE __attribute__((noinline))
#else
#define INLINE static inline
#define NOT_INLINE
#endif

/* a·b + c */
static inline float fused(float a, float b, float c)
{
#if defined(GPT_CHIP) && defined(GPT_FUSED)
    return __builtin_fmaf(a, b, c);
#else
    return a * b + c;
#endif
}

#endif
