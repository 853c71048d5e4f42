/*
 * output.h: output, error messages and exit. Every other file of the device simulator uses it.
 */

#ifndef ESP32GPT_OUTPUT_H
#define ESP32GPT_OUTPUT_H

#include <stddef.h>

/* Exit codes; host.exit() and host.fail() can use any from 0 to 255. */
enum {
    EXIT_MEMORY = 3,       /* the heap or the stack of the simulated device is full */
    EXIT_USAGE = 64,       /* the command line is invalid */
    EXIT_NO_INPUT = 66,    /* a file on the command line cannot be read */
    EXIT_SOFTWARE = 70     /* an uncaught exception, a syntax error in the bundle, or an internal error */
};

/* Call this first. Afterwards a failed write returns an error instead of killing the process with a
   signal. */
void outputPrepare(void);

/* Writes all bytes; blocks if necessary. Returns -1 and sets errno on failure. */
int hostWrite(int fd, const void *bytes, size_t size);

/* Prints a message on stderr; a very long one is cut. */
void hostSay(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints one line on stderr and exits. */
void hostFail(int code, const char *format, ...) __attribute__((noreturn, format(printf, 2, 3)));

/* Allocates zeroed memory of this computer, not of the device; exits with an error if there is none. */
void *hostAllocate(size_t size);

#endif
