/*
 * The boundary between JavaScript and gpt_text.c. All buffers arrive as Uint8Arrays. Once they are fetched, no
 * function of XS is called, as it might move them.
 */

#include "gpt_text.h"

#include "xsmc.h"

/* A buffer of `count` integers. */
static uint32_t *integers(xsMachine *the, int index, size_t count)
{
    void *data;
    xsUnsignedValue bytes;
    xsmcGetBufferWritable(xsArg(index), &data, &bytes);
    if (bytes != count * sizeof(uint32_t))
        xsRangeError("a scan got %d bytes for %d integers", (int)bytes, (int)count);
    if ((uintptr_t)data % sizeof(uint32_t))
        xsRangeError("a scan got integers that are not aligned");
    return data;
}

/* scan(bytes, index, characters, numbers) */
void gpt_xs_scan(xsMachine *the)
{
    void *bytes;
    xsUnsignedValue size;
    uint32_t *index = integers(the, 1, GPT_ENTRIES), *characters = integers(the, 2, GPT_CHARACTERS);
    uint32_t *numbers = integers(the, 3, GPT_NUMBERS);
    xsmcGetBufferReadable(xsArg(0), &bytes, &size);
    gpt_scan(bytes, size, index, characters, numbers);
}

/* skip(bytes, at, documents) */
void gpt_xs_skip(xsMachine *the)
{
    xsIntegerValue at = xsmcToInteger(xsArg(1)), documents = xsmcToInteger(xsArg(2));
    void *bytes;
    xsUnsignedValue size;
    xsmcGetBufferReadable(xsArg(0), &bytes, &size);
    if (at < 0 || (xsUnsignedValue)at > size || documents < 0)
        xsRangeError("%d documents from byte %d of %d", (int)documents, (int)at, (int)size);
    xsmcSetInteger(xsResult, (xsIntegerValue)gpt_skip(bytes, size, (size_t)at, (uint32_t)documents));
}

/* encode(bytes, at, byteTokens, tokens) */
void gpt_xs_encode(xsMachine *the)
{
    xsIntegerValue at = xsmcToInteger(xsArg(1));
    void *bytes, *byte_tokens, *tokens;
    xsUnsignedValue size, known, room;
    xsmcGetBufferReadable(xsArg(0), &bytes, &size);
    xsmcGetBufferReadable(xsArg(2), &byte_tokens, &known);
    xsmcGetBufferWritable(xsArg(3), &tokens, &room);
    if (at < 0 || (xsUnsignedValue)at > size)
        xsRangeError("byte %d of %d", (int)at, (int)size);
    if (known != 0x80)
        xsRangeError("the tokens of %d bytes", (int)known);
    xsmcSetInteger(xsResult, (xsIntegerValue)gpt_encode(bytes, size, (size_t)at, byte_tokens, tokens, room));
}

/* crc32(bytes, crc = 0) */
void gpt_xs_crc32(xsMachine *the)
{
    uint32_t crc = xsmcArgc > 1 ? (uint32_t)xsmcToNumber(xsArg(1)) : 0;
    void *bytes;
    xsUnsignedValue size;
    xsmcGetBufferReadable(xsArg(0), &bytes, &size);
    crc = gpt_crc32(bytes, size, crc);
    xsmcSetNumber(xsResult, (xsNumberValue)crc);
}

/* encodeUtf8(text): an ArrayBuffer */
void gpt_xs_encode_utf8(xsMachine *the)
{
    size_t size;
    void *bytes;
    xsUnsignedValue room;
    xsType type = xsmcArgc > 0 ? xsmcTypeOf(xsArg(0)) : xsUndefinedType;
    if (type != xsStringType && type != xsStringXType)
        xsTypeError("only a text can be encoded");
    size = gpt_encode_utf8(xsmcToString(xsArg(0)), NULL);
    xsmcSetArrayBuffer(xsResult, NULL, (xsIntegerValue)size);
    xsmcGetBufferWritable(xsResult, &bytes, &room);
    /* The text may have moved. */
    gpt_encode_utf8(xsmcToString(xsArg(0)), bytes);
}
