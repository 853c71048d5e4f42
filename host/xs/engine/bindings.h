/*
 * bindings.h: the global object `host`.
 */

#ifndef ESP32GPT_BINDINGS_H
#define ESP32GPT_BINDINGS_H

#include "xsAll.h"

typedef struct {
    const char *names;       /* the path of the file behind host.names, or NULL */
    const char *request;     /* host.request, or NULL */
} Surroundings;

/* Defines the global object `host` in the machine. */
void bindingsInstall(txMachine *flash, const Surroundings *surroundings);

#endif
