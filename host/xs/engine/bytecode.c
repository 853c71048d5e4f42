/*
 * bytecode.c: how XS lays out its bytecode, and how much of it has been executed.
 */

#include "bytecode.h"

/* gxCodeSizes has the size of an instruction, or 0 for one with a property ID, or minus the width of the
   length of the data that follows. */
size_t instructionSize(const txByte *code)
{
    const txU1 *p = (const txU1 *)code;
    txS1 size = gxCodeSizes[*p];
    switch (size) {
    case 0:
        return 1 + sizeof(txID);
    case -1:
        return 2 + (size_t)p[1];
    case -2:
        return 3 + ((size_t)p[1] | (size_t)p[2] << 8);
    case -4:
        return 5 + ((size_t)p[1] | (size_t)p[2] << 8 | (size_t)p[3] << 16 | (size_t)p[4] << 24);
    default:
        return (size_t)size;
    }
}

/* The engine counts what it executes by opcode, as doubles: exact up to 2^53. FILE, LINE and PROFILE
   are not counted. They are in the bytecode only so that errors can name source lines, do nothing,
   and are absent from what a release build puts into the device. */
double bytecodesExecuted(txMachine *the)
{
    double sum = 0;
    int code;
    for (code = 0; code < XS_CODE_COUNT; code++)
        sum += the->frequencies[code];
    return sum - the->frequencies[XS_CODE_FILE] - the->frequencies[XS_CODE_LINE] - the->frequencies[XS_CODE_PROFILE];
}
