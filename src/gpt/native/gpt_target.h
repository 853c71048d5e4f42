/*
 * For which kind of processor the kernels are compiled, by what the compiler says of it. Every file of theirs includes
 * this first.
 *
 * GPT_CHIP: a core without vector instructions, which executes one instruction after the other and has 16 registers
 * for floats. What counts is how many instructions there are: sums stay in registers, block by block. Without it: a
 * desktop, whose compiler makes vectors of the plain loops of gpt_desktop.c.
 *
 * GPT_FUSED: an FPU that computes a·b + c in one instruction, rounded once. Where it is used stands in the code, as
 * fused(); everywhere else a compiler must not fuse, so that every processor computes the same bits.
 *
 * GPT_NEWTON: such an FPU without instructions for root and division. Each would be a call of a function of some 50
 * instructions.
 *
 * A desktop that defines all three computes what an ESP32 does, bit for bit: the device simulator.
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

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#ifdef GPT_CHIP
/* The Moddable SDK compiles modules for size, with none of the loops that cost no branch. */
#pragma GCC optimize("O2")
#endif
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
