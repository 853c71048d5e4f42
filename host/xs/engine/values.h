/*
 * values.h: access to JavaScript values from C.
 */

#ifndef ESP32GPT_VALUES_H
#define ESP32GPT_VALUES_H

#include "xsAll.h"
#include "xsmc.h"

/* The argument at `index`, or undefined if there are fewer. */
txSlot *argument(txMachine *the, int index);

txID propertyID(txMachine *the, const char *name);
void bindFunction(txMachine *the, txSlot *object, const char *name, txCallback callback, int length);

/* Makes a string from external bytes: each byte of invalid UTF-8 becomes U+FFFD. */
void stringFromBytes(txMachine *the, txSlot *result, const char *bytes, size_t size);

/* Converts an XS string to UTF-8 without a terminating NUL. The result is never longer than `string`.
   Returns its size. */
size_t utf8FromString(char *utf8, const char *string);

/* Throws an Error. Unlike xsUnknownError() it does not cut the message to 127 bytes. */
void throwError(txMachine *the, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Throws if the bundle is being preloaded: timers and input exist only on the device. */
void notWhilePreloading(txMachine *the);

#endif
