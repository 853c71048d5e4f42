/*
 * memory.h: the heap of the simulated device, and its usage.
 */

#ifndef ESP32GPT_MEMORY_H
#define ESP32GPT_MEMORY_H

#include "xsAll.h"

typedef struct {
    const char *name;
    size_t size;
    txByte *bottom;          /* chunks grow upward from here ... */
    txByte *chunks;          /* ... to here */
    txByte *slots;           /* the stack and the slots grow downward to here ... */
    txByte *top;             /* ... from here */
    size_t refusedBytes;     /* the last request that did not fit, for the error message */
    const char *refusedWhat;
} Heap;

typedef struct {
    size_t slots;            /* peak of used slots, in bytes */
    size_t chunks;           /* peak of used chunks, in bytes */
    size_t stack;            /* peak of the stack, in bytes */
    size_t usedSlots, usedChunks;  /* now in use, including garbage */
    size_t reserved;         /* what XS has reserved in the heap, which is what the limit bounds */
} Usage;

void heapCreate(Heap *heap, const char *name, size_t size);

/* Makes this heap read-only: a write to it exits with an error, as a write to flash fails on a device. */
void heapProtect(Heap *heap);

/* The heap of a machine. */
Heap *heapOf(txMachine *the);

void heapUsage(txMachine *the, Usage *usage);

#endif
