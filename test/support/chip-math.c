/* Prints the largest relative errors of the chip's own mathematics, against double precision. */

#define GPT_CHIP
#define GPT_NEWTON

#include "gpt_adam.c"

#include <stdio.h>

static void measure(double *worst, double found, double expected)
{
    double error = fabs(found - expected) / expected;
    if (!(error <= *worst))
        *worst = error;
}

int main(void)
{
    double exponentials = 0, small = 0, reciprocals = 0;
    for (uint32_t bits = bits_of(-1e-8f); bits <= bits_of(-110.0f); bits += 37) {
        float x = float_of(bits), y = exponential(x);
        if (x >= -87.0f)
            measure(&exponentials, (double)y, exp((double)x));
        else if (fabs((double)y - exp((double)x)) > small)
            small = fabs((double)y - exp((double)x));
    }
    for (uint32_t bits = bits_of(1e-30f); bits <= bits_of(1e4f); bits += 101)
        measure(&reciprocals, (double)reciprocal_of_root(float_of(bits), 1e-8f),
            1 / (sqrt((double)float_of(bits)) + (double)1e-8f));
    printf("{\"exponentials\":%g,\"small\":%g,\"reciprocals\":%g,\"ends\":[%g,%g,%g,%g]}\n", exponentials, small,
        reciprocals, (double)exponential(0.0f), (double)exponential(-INFINITY), (double)exponential(-1e30f),
        (double)reciprocal_of_root(0.0f, 1e-8f));
    return exponential(NAN) == exponential(NAN);
}
