/*
 * bytecode.h: the layout of XS bytecode, and the number of executed bytecodes.
 */

#ifndef ESP32GPT_BYTECODE_H
#define ESP32GPT_BYTECODE_H

#include "xsAll.h"

/* Size in bytes of the instruction at `code`. */
size_t instructionSize(const txByte *code);

/* Bytecodes that the machine has executed, except opcodes for source lines. */
double bytecodesExecuted(txMachine *the);

#endif
