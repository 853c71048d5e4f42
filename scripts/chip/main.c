/*
 * Trains on a bare RISC-V core like src/gpt/training/trainer.ts, with the documents and initial parameters from
 * bench.ts. Prints the cumulative instructions of each kernel after some of the steps, and a hash of the parameters
 * at the end.
 */

#include "bench.h"
#include "count.h"
#include "drawn.h"

#include <stdio.h>
#include <string.h>

Number parameters[PARAMETERS];
#ifndef I32
float gradients[PARAMETERS], moment1[PARAMETERS], moment2[PARAMETERS];
#endif
uint32_t instructions_of[KERNELS], own_instructions;

/* FNV-1a hash of the parameters' bytes, as in bench.ts. */
static uint32_t hash(void)
{
    const uint8_t *bytes = (const uint8_t *)parameters;
    uint32_t value = 2166136261u;
    for (size_t i = 0; i < sizeof(parameters); i++)
        value = (value ^ bytes[i]) * 16777619u;
    return value;
}

int main(void)
{
    const uint8_t *name = drawn_names;
    uint32_t start = instructions_so_far();
    Real loss = 0;

    own_instructions = instructions_so_far() - start;
    memcpy(parameters, drawn_parameters, sizeof(parameters));
    for (int step = 0; step < STEPS; step++) {
        bool accumulate = false;
        begin_step(rates[step], v_scales[step]);
        for (int i = 0; i < BATCH; i++, name += BLOCK + 2) {
            int rows = name[0];
            if (rows == 0)
                continue;
            loss = compute_gradients(name + 1, rows, TOKEN_WEIGHT > 0 ? TOKEN_WEIGHT : 1.0f / (float)rows, accumulate);
            accumulate = true;
        }
        if (accumulate)
            update();
        if (step + 1 == 100 || step + 1 == STEPS) {
            printf("%d %.6f", step + 1, (double)loss);
            for (int kernel = 0; kernel < KERNELS; kernel++)
                printf(" %lu", (unsigned long)instructions_of[kernel]);
            printf("\n");
        }
    }
    printf("%08lx\n", (unsigned long)hash());
    return 0;
}
