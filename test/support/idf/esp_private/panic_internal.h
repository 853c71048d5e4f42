#ifndef PANIC_INTERNAL_H
#define PANIC_INTERNAL_H

#include <stdbool.h>

extern bool g_panic_abort;
extern char *g_panic_abort_details;

typedef struct {
    int core;
    const char *reason;
    const void *addr;
} panic_info_t;

#endif
