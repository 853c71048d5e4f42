/* Arguments from JavaScript that are no tensors: what the boundaries of both kinds of ops have in common. */

#ifndef GPT_XS_H
#define GPT_XS_H

#include <stdbool.h>
#include <stdint.h>

#include "xsmc.h"

/* The largest size: products of sizes do not overflow. */
enum { MOST = 1 << 14 };

static inline int count(xsMachine *the, int index)
{
    int value = -1;
    /* xsmcToInteger would convert any other number to some integer: NaN to 0, 2^32 + 1 to 1. */
    if (xsmcTypeOf(xsArg(index)) == xsIntegerType)
        value = xsmcToInteger(xsArg(index));
    else {
        xsNumberValue number = xsmcToNumber(xsArg(index));
        if (number >= 0 && number <= MOST)
            value = (int)number;
    }
    if (value < 0 || value > MOST)
        xsRangeError("an op got an invalid size");
    return value;
}

/* An index of a number, which may be larger than a size. */
static inline int index_of(xsMachine *the, int index)
{
    xsNumberValue number = xsmcToNumber(xsArg(index));
    if (!(number >= 0 && number <= 1 << 28))
        xsRangeError("an op got an invalid index");
    return (int)number;
}

/* Checks rows `from` to `to`. */
static inline void check_range(xsMachine *the, int from, int to)
{
    if (from > to)
        xsRangeError("an op got rows %d to %d", from, to);
}

static inline void check_heads(xsMachine *the, int n, int heads)
{
    if (heads < 1 || n % heads)
        xsRangeError("an op got %d heads for a width of %d", heads, n);
}

static inline bool boolean(xsMachine *the, int index)
{
    if (xsmcTypeOf(xsArg(index)) != xsBooleanType)
        xsTypeError("an op needs a boolean");
    return xsmcToBoolean(xsArg(index)) != 0;
}

/* The tokens of `length` positions; all of them are in the vocabulary. */
static inline const uint8_t *token_array(xsMachine *the, int index, int length, int vocabulary)
{
    void *data;
    const uint8_t *tokens;
    xsUnsignedValue bytes;
    xsmcGetBufferReadable(xsArg(index), &data, &bytes);
    if (bytes < (xsUnsignedValue)length)
        xsRangeError("an op got %d tokens and needs %d", (int)bytes, length);
    tokens = data;
    for (int i = 0; i < length; i++)
        if (tokens[i] >= vocabulary)
            xsRangeError("an op got token %d of a vocabulary of %d", (int)tokens[i], vocabulary);
    return tokens;
}

#endif
