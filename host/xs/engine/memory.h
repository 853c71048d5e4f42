/*
 * memory.h: the heap of the simulated device, and figures about it.
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
    size_t slots;            /* peak of the slots in use, in bytes */
    size_t chunks;           /* peak of the chunks in use, in bytes */
    size_t stack;            /* peak of the stack, in bytes */
    size_t usedSlots, usedChunks;  /* now, garbage included */
    size_t reserved;         /* what XS has taken from the heap: this is what the limit bounds */
} Usage;

void heapCreate(Heap *heap, const char *name, size_t size);

/* From now on a write to this heap ends the program, as it would on a device. */
void heapProtect(Heap *heap);

/* The heap that a machine was made with. */
Heap *heapOf(txMachine *the);

void heapUsage(txMachine *the, Usage *usage);

#endif
