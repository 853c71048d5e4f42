/*
 * natives.h: native(), and the C functions that it finds.
 */

#ifndef ESP32GPT_NATIVES_H
#define ESP32GPT_NATIVES_H

#include "xsAll.h"

/* Gives the machine the global function native(). */
void nativesInstall(txMachine *flash);

#endif
