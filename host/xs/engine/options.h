/*
 * options.h: command-line options.
 */

#ifndef ESP32GPT_OPTIONS_H
#define ESP32GPT_OPTIONS_H

#include "bindings.h"

typedef struct {
    const char *bundle;      /* the path of the JavaScript file */
    const char *cache;       /* the file that keeps the compiled bundle, or NULL */
    Surroundings surroundings;
    bool preload;            /* whether to run the top level of the bundle in flash */
    long parent;             /* PID of the process to exit with, or 0 */
    txSize chunks;           /* initial size of the chunk heap, in bytes */
    txSize slots;            /* initial number of slots in the slot heap */
    txSize stack;            /* number of slots in the stack */
    size_t heapLimit;        /* maximum total of chunks, slots and stack, in bytes */
} Options;

/* Parses the command line. Invalid options exit with an error message. */
const Options *parseOptions(int argc, char **argv);

#endif
