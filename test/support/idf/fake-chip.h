/*
 * A chip for the firmware's C on a desktop: a UART with a tiny FIFO, USB where WITH_USB is defined, and the few calls
 * of XS that it makes.
 */
#ifndef FAKE_CHIP_H
#define FAKE_CHIP_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xsmc.h"

enum { MAX_SENT = 4096 };

struct chip {
    /* Ticks since it was switched on. */
    uint32_t now;
    /* Bytes that the open port takes without waiting, and those that leave it in a tick. */
    int fifo_size, fifo_used, bytes_a_tick;
    /* What has left, or will. */
    char sent[MAX_SENT];
    int sent_size;
    const char *input;
    /* Ticks that the program has waited for a port to send, and those that it slept. */
    uint32_t waited, slept;
    int transmit_buffer, flags, pins[2], baud_rate, handlers, installs, deletes;
    bool is_installed, refuses_pins, has_restarted;
    /* The ticks from and until which a host is at the other end of the USB cable. */
    uint32_t host_from, host_until;
    bool is_usb_installed, refuses_usb;
    int panics;
};

extern struct chip chip;

/* One that has just been switched on. */
void power_on(int fifo_size, int bytes_a_tick);
/* Time goes by. */
void tick(uint32_t ticks);
/* esp_restart() ends here. */
extern jmp_buf on_restart;

/* A call of a native function. Its result, or is_thrown. */
struct call {
    int32_t result;
    bool is_thrown, is_undefined;
    /* Where it is a string; the next call takes its place. */
    const char *text;
};
struct argument {
    char kind; /* i: integer, b: buffer, s: string, u: undefined */
    int32_t integer;
    void *bytes;
    size_t size;
};
struct call call_native(void (*function)(xsMachine *), int count, const struct argument *arguments);
/* So many slots of the JavaScript stack are left. */
void leave_slots(int slots);

#endif
