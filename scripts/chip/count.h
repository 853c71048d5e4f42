/* Counts the instructions of kernel calls. */

#ifndef COUNT_H
#define COUNT_H

#include <stdint.h>

/* In the order of a training step; bench.ts has their names. */
enum {
    EMBEDDING_FORWARD,
    QKV_FORWARD,
    ATTENTION_FORWARD,
    WO_FORWARD,
    MLP_FORWARD,
    WOUT_FORWARD,
    SOFTMAX,
    WOUT_BACKWARD,
    MLP_BACKWARD,
    WO_BACKWARD,
    ATTENTION_BACKWARD,
    QKV_BACKWARD,
    EMBEDDING_BACKWARD,
    ADAM,
    KERNELS
};

extern uint32_t instructions_of[KERNELS];
/* Instructions of the counting itself. */
extern uint32_t own_instructions;

static inline uint32_t instructions_so_far(void)
{
    uint32_t count;
    /* Without an FPU the compiler's architecture lacks the instruction. */
    __asm__ volatile(".option push; .option arch, +zicsr; csrr %0, minstret; .option pop" : "=r"(count) : : "memory");
    return count;
}

#define COUNTED(KERNEL, CALL) \
    do { \
        uint32_t start = instructions_so_far(); \
        CALL; \
        instructions_of[KERNEL] += instructions_so_far() - start - own_instructions; \
    } while (0)

#endif
