/*
 * bytecode.c: the layout of XS bytecode, and the number of executed bytecodes.
 */

#include "bytecode.h"

/* gxCodeSizes has the size of an instruction in bytes; 0 if a property ID follows the opcode; -n if an
   n-byte length and that many bytes of data follow. */
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

/* The engine counts executed bytecodes by opcode in doubles, which are exact up to 2^53. FILE, LINE and
   PROFILE are excluded: they do nothing, exist only so that errors can name source lines, and are absent
   from a release build for the device. */
double bytecodesExecuted(txMachine *the)
{
    double sum = 0;
    int code;
    for (code = 0; code < XS_CODE_COUNT; code++)
        sum += the->frequencies[code];
    return sum - the->frequencies[XS_CODE_FILE] - the->frequencies[XS_CODE_LINE] - the->frequencies[XS_CODE_PROFILE];
}
