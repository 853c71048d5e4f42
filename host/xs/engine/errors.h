/*
 * errors.h: what went wrong, and where in the source. Beside this, errors.c provides what XS itself
 * calls and declares: fxAbort() and its table of defaults.
 */

#ifndef ESP32GPT_ERRORS_H
#define ESP32GPT_ERRORS_H

#include "xsAll.h"

/* Says on stderr what was thrown and where, and ends the program. */
void failUncaught(txMachine *the) __attribute__((noreturn));

#endif
