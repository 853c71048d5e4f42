/*
 * values.h: values of JavaScript, seen from C.
 */

#ifndef ESP32GPT_VALUES_H
#define ESP32GPT_VALUES_H

#include "xsAll.h"
#include "xsmc.h"

/* The argument at `index`, or undefined if there are fewer. */
txSlot *argument(txMachine *the, int index);

txID propertyID(txMachine *the, const char *name);
void bindFunction(txMachine *the, txSlot *object, const char *name, txCallback callback, int length);

/* Makes a string of bytes from outside: every byte that is not UTF-8 becomes U+FFFD. */
void stringFromBytes(txMachine *the, txSlot *result, const char *bytes, size_t size);

/* The other way: UTF-8, not ended by a NUL, from a string of XS. It is never longer than that.
   Gives back its size. */
size_t utf8FromString(char *utf8, const char *string);

/* Throws an Error. Unlike xsUnknownError() it does not cut the message to 127 bytes. */
void throwError(txMachine *the, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* While the bundle is preloaded there is no device yet, so there is nothing it could wait for: throws. */
void notWhilePreloading(txMachine *the);

#endif
