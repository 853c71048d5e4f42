/*
 * For what the kernels are compiled; every file of theirs includes this first.
 *
 * GPT_CHIP: a core that executes one instruction after the other, with 16 registers for floats. What counts is how
 * many instructions there are: sums stay in registers, block by block. Without it: a desktop, whose compiler makes
 * vectors of plain loops.
 *
 * GPT_NEWTON: an FPU without instructions for root and division. Each would be a call of a function of some 50
 * instructions.
 *
 * Either choice computes every sum in the same order, so that products, MLP and attention have the same bits.
 * Define these for a desktop to test what is for the chip.
 */

#ifndef GPT_TARGET_H
#define GPT_TARGET_H

#if defined(__XTENSA__) || defined(ESP_PLATFORM)
/* The Moddable SDK compiles modules for size, with none of the loops that cost no branch. */
#pragma GCC optimize("O2")
#define GPT_CHIP
#endif

#if defined(__XTENSA__) && !defined(__XTENSA_SOFT_FLOAT__)
#define GPT_NEWTON
#endif

#endif
