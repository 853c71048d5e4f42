/*
 * natives.h: native() and the C functions that it can find.
 */

#ifndef ESP32GPT_NATIVES_H
#define ESP32GPT_NATIVES_H

#include "xsAll.h"

/* Defines the global function native() in the machine. */
void nativesInstall(txMachine *flash);

#endif
