/*
 * bench NAMES STEPS REPEATS: trains the default model from seed 42, REPEATS times, and prints a line of JSON:
 * microseconds per step of each run, tokens per run, last loss.
 */

#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

float parameters[PARAMETERS], gradients[PARAMETERS], moment1[PARAMETERS], moment2[PARAMETERS];

static uint32_t state;

static uint32_t next_u32(void)
{
    state ^= state << 13;
    state ^= state >> 17;
    return state ^= state << 5;
}

static double uniform(void)
{
    return (next_u32() >> 8) / 16777216.0;
}

static void draw_parameters(void)
{
    for (int i = 0; i < PARAMETERS; i += 2) {
        double u = uniform(), radius, angle;
        while (u <= 1e-12)
            u = uniform();
        radius = sqrt(-2 * log(u));
        angle = 2 * acos(-1) * uniform();
        parameters[i] = (float)(0.1 * radius * cos(angle));
        if (i + 1 < PARAMETERS)
            parameters[i + 1] = (float)(0.1 * radius * sin(angle));
    }
}

static double microseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

int main(int argc, char **argv)
{
    static char bytes[1 << 20];
    static const char *names[1 << 16];
    int count = 0, steps = argc > 2 ? atoi(argv[2]) : 0, repeats = argc > 3 ? atoi(argv[3]) : 1;
    FILE *file = argc > 1 ? fopen(argv[1], "r") : NULL;
    if (!file || steps <= 0) {
        fprintf(stderr, "usage: bench NAMES STEPS REPEATS\n");
        return 2;
    }
    bytes[fread(bytes, 1, sizeof(bytes) - 1, file)] = 0;
    for (char *name = strtok(bytes, "\n"); name; name = strtok(NULL, "\n"))
        names[count++] = name;

    printf("{\"microseconds\":[");
    double loss = 0;
    long tokens_seen = 0;
    for (int repeat = 0; repeat < repeats; repeat++) {
        state = 42;
        draw_parameters();
        memset(moment1, 0, sizeof(moment1));
        memset(moment2, 0, sizeof(moment2));
        tokens_seen = 0;
        double start = microseconds();
        for (int step = 0; step < steps; step++) {
            uint8_t tokens[BLOCK + 1] = { 0 };
            const char *name = names[next_u32() % (uint32_t)count];
            int letters = (int)strlen(name);
            if (letters >= BLOCK)
                continue;
            for (int i = 0; i < letters; i++)
                tokens[i + 1] = (uint8_t)(name[i] - 'a' + 1);
            tokens_seen += letters + 1;
            double rate = 0.01 * (1 - (double)step / steps) / (1 - pow(0.85, step + 1));
            loss = train_step(tokens, letters + 1, (float)rate, (float)(1 / (1 - pow(0.99, step + 1))));
        }
        printf("%s%.3f", repeat ? "," : "", (microseconds() - start) / steps);
    }
    printf("],\"tokens\":%ld,\"loss\":%.6f}\n", tokens_seen, loss);
    return 0;
}
