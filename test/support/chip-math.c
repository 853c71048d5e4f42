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
    double exponentials = 0, small = 0, updates = 0;
    float unmoved = 0.1f, none = 0;
    GptAdam first = { 0.85f, 0.99f, 1e-8f, 1, 1 }, later = { 0.85f, 0.99f, 1e-8f, 1, 100 };
    for (uint32_t bits = bits_of(-1e-8f); bits <= bits_of(-110.0f); bits += 37) {
        float x = float_of(bits), y = exponential(x);
        if (x >= -87.0f)
            measure(&exponentials, (double)y, exp((double)x));
        else if (fabs((double)y - exp((double)x)) > small)
            small = fabs((double)y - exp((double)x));
    }
    /* The update of a parameter's first step, on both sides of what is a small root. */
    for (uint32_t bits = bits_of(1e-11f); bits <= bits_of(1e6f); bits += 101) {
        float g = float_of(bits), w = 0, m = 0, v = 0;
        gpt_adam(&w, &g, &m, &v, 1, &first);
        measure(&updates, (double)-w, (double)m / (sqrt((double)v) + 1e-8));
    }
    gpt_adam(&unmoved, &none, &none, &none, 1, &later);
    printf("{\"exponentials\":%g,\"small\":%g,\"updates\":%g,\"ends\":[%g,%g,%g,%.17g]}\n", exponentials, small,
        updates, (double)exponential(0.0f), (double)exponential(-INFINITY), (double)exponential(-1e30f),
        (double)unmoved);
    return exponential(NAN) == exponential(NAN);
}
