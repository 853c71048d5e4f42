/*
 * output.h: saying something, and failing. What every other file of the device simulator stands on.
 */

#ifndef ESP32GPT_OUTPUT_H
#define ESP32GPT_OUTPUT_H

#include <stddef.h>

/* Exit codes of the program; 0 to 255 can also come from host.exit() and host.fail(). */
enum {
    EXIT_MEMORY = 3,       /* the heap or the stack of the simulated device is full */
    EXIT_USAGE = 64,       /* the command line makes no sense */
    EXIT_NO_INPUT = 66,    /* a file or directory of the command line cannot be opened */
    EXIT_SOFTWARE = 70     /* an uncaught exception, or a syntax error in the bundle */
};

/* To be called first: from then on whatever cannot be written is an error, and not the end. */
void outputPrepare(void);

/* Writes all bytes, waiting if need be. Returns -1 and errno if that is impossible. */
int hostWrite(int fd, const void *bytes, size_t size);

/* Says something on stderr; of what is very long, the beginning. */
void hostSay(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says one sentence on stderr and ends the program. */
void hostFail(int code, const char *format, ...) __attribute__((noreturn, format(printf, 2, 3)));

/* Zeros from the memory of this computer, which is not the device's: ends the program if there are none. */
void *hostAllocate(size_t size);

#endif
