/*
 * What the firmware asks of the chip, in C: a port to speak through (gpt_port.c), a restart that says why
 * (gpt_restart.c), memory that a reset keeps (gpt_kept.c).
 */
#ifndef GPT_DEVICE_H
#define GPT_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "xsmc.h"

#include "freertos/FreeRTOS.h"

/* What can be done with a port. None of it waits but `wait`. */
struct port {
    /* Returns how many bytes there were. */
    size_t (*read)(void *bytes, size_t size);
    /* Returns how many it has taken. */
    size_t (*write)(const char *bytes, size_t size);
    /* Until all is sent, at most so long: false when that was not enough. */
    bool (*wait)(TickType_t ticks);
};

/* The one that is open, or NULL. */
extern const struct port *gpt_port;

/* A restart that nobody has explained says which stack of this machine is full. */
void gpt_explain_restarts(xsMachine *the);

/* An argument that is a string; NULL for anything else. */
static inline const char *gpt_string_of(xsMachine *the, int i)
{
    xsType type;
    if (i >= xsmcArgc)
        return NULL;
    type = xsmcTypeOf(xsArg(i));
    return type == xsStringType || type == xsStringXType ? xsmcToString(xsArg(i)) : NULL;
}

#endif
