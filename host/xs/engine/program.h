/*
 * program.h: compiles and runs the bundle, and prepares what a device has in flash.
 */

#ifndef ESP32GPT_PROGRAM_H
#define ESP32GPT_PROGRAM_H

#include "xsAll.h"

typedef struct {
    size_t code;             /* bytes of bytecode, outside the heap */
    size_t names;            /* bytes of slots and chunks for property names, outside the heap */
} ProgramSize;

/* `cache`: the file that keeps the result for the next start, or NULL. */
void programCompile(txMachine *flash, const char *path, const char *cache);
void programLoad(txMachine *the);
void programShare(txMachine *flash);
void programMain(txMachine *the);
const ProgramSize *programSize(void);

#endif
