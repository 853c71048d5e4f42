/*
 * The firmware's interface to the chip in C: a port for the console (gpt_port.c), a restart that prints its reason
 * (gpt_restart.c), memory that survives a reset (gpt_kept.c).
 */
#ifndef GPT_DEVICE_H
#define GPT_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "xsmc.h"

#include "freertos/FreeRTOS.h"

/* The operations of a port. Only `wait` blocks. */
struct port {
    /* Returns the number of bytes read. */
    size_t (*read)(void *bytes, size_t size);
    /* Returns the number of bytes accepted. */
    size_t (*write)(const char *bytes, size_t size);
    /* Waits until all accepted bytes are sent; false on timeout. */
    bool (*wait)(TickType_t ticks);
};

/* The open port, or NULL. */
extern const struct port *gpt_port;

/* From now on a restart without a printed reason reports which stack has overflowed, the machine's or C's. */
void gpt_explain_restarts(xsMachine *the);

/* Argument i if it is a string, otherwise NULL. */
static inline const char *gpt_string_of(xsMachine *the, int i)
{
    xsType type;
    if (i >= xsmcArgc)
        return NULL;
    type = xsmcTypeOf(xsArg(i));
    return type == xsStringType || type == xsStringXType ? xsmcToString(xsArg(i)) : NULL;
}

#endif
