/*
 * program.h: the bundle: compiled, and what a device has in flash.
 */

#ifndef ESP32GPT_PROGRAM_H
#define ESP32GPT_PROGRAM_H

#include "xsAll.h"

typedef struct {
    size_t code;             /* bytes of bytecode, kept out of the heap */
    size_t names;            /* bytes of slots and chunks for property names, likewise */
} ProgramSize;

void programCompile(txMachine *flash, const char *path);
void programLoad(txMachine *the);
void programShare(txMachine *flash);
void programMain(txMachine *the);
const ProgramSize *programSize(void);

#endif
