/*
 * options.h: the command line.
 */

#ifndef ESP32GPT_OPTIONS_H
#define ESP32GPT_OPTIONS_H

#include "bindings.h"

typedef struct {
    const char *bundle;      /* the path of the JavaScript file */
    Surroundings surroundings;
    bool preload;            /* whether the top level of the bundle runs in flash */
    long parent;             /* the process whose end is ours too, or 0 */
    txSize chunks;           /* initial bytes of the chunk heap */
    txSize slots;            /* initial number of slots in the slot heap */
    txSize stack;            /* number of slots in the stack */
    size_t heapLimit;        /* bytes that chunks, slots and stack may take together */
} Options;

/* What the command line asks for; what makes no sense ends the program with a sentence. */
const Options *parseOptions(int argc, char **argv);

#endif
