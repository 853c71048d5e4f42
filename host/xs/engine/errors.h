/*
 * errors.h: error messages with source lines. errors.c also implements what XS itself calls and declares: fxAbort()
 * and its table of default functions.
 */

#ifndef ESP32GPT_ERRORS_H
#define ESP32GPT_ERRORS_H

#include "xsAll.h"

/* Prints the pending exception with its stack trace on stderr and exits. */
void failUncaught(txMachine *the) __attribute__((noreturn));

#endif
