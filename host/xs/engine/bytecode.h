/*
 * bytecode.h: how XS lays out its bytecode, and how much of it has been executed.
 */

#ifndef ESP32GPT_BYTECODE_H
#define ESP32GPT_BYTECODE_H

#include "xsAll.h"

/* Bytes of the instruction at `code`. */
size_t instructionSize(const txByte *code);

/* What the machine has executed until now, but for the opcodes that only tell source lines. */
double bytecodesExecuted(txMachine *the);

#endif
