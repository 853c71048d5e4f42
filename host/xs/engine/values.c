/*
 * values.c: access to JavaScript values from C.
 */

#include "values.h"
#include "output.h"
#include "words.h"

txSlot *argument(txMachine *the, int index)
{
    static txSlot missing;
    if (index < mxArgc)
        return mxArgv(index);
    fxUndefined(the, &missing);   /* each time: conversions of the engine modify their slot */
    return &missing;
}

txID propertyID(txMachine *the, const char *name)
{
    return fxID(the, (txString)name);   /* XS does not write to it */
}

void bindFunction(txMachine *the, txSlot *object, const char *name, txCallback callback, int length)
{
    txID id = propertyID(the, name);
    fxNewHostFunction(the, callback, length, id, XS_NO_ID);
    _xsDefine(the, object, id, the->stack, xsDontEnum);
    mxPop();
}

/* XS expects valid UTF-8, with NUL encoded as C0 80. */
void stringFromBytes(txMachine *the, txSlot *result, const char *bytes, size_t size)
{
    const unsigned char *at = (const unsigned char *)bytes, *end = at + size;
    char *string = hostAllocate(3 * size + 1), *to = string;
    while (at < end) {
        size_t length = utf8Sequence(at, end);
        if (length == 0) {
            memcpy(to, "\xEF\xBF\xBD", 3);
            to += 3;
            at++;
        } else if (*at == 0) {
            memcpy(to, "\xC0\x80", 2);
            to += 2;
            at++;
        } else {
            memcpy(to, at, length);
            to += length;
            at += length;
        }
    }
    *to = 0;
    fxString(the, result, string);
    free(string);
}

/* C0 80 becomes NUL, a surrogate pair one character of four bytes, a lone surrogate U+FFFD. */
size_t utf8FromString(char *utf8, const char *string)
{
    const unsigned char *at = (const unsigned char *)string;
    unsigned char *to = (unsigned char *)utf8;
    while (*at) {
        if (at[0] == 0xC0) {
            *to++ = 0;
            at += 2;
        } else if (at[0] == 0xED && at[1] >= 0xA0) {
            if (at[1] < 0xB0 && at[3] == 0xED && at[4] >= 0xB0) {
                unsigned character =
                    0x10000u + ((at[1] & 0x0Fu) << 16 | (at[2] & 0x3Fu) << 10 | (at[4] & 0x0Fu) << 6 | (at[5] & 0x3Fu));
                *to++ = (unsigned char)(0xF0 | character >> 18);
                *to++ = (unsigned char)(0x80 | (character >> 12 & 0x3F));
                *to++ = (unsigned char)(0x80 | (character >> 6 & 0x3F));
                *to++ = (unsigned char)(0x80 | (character & 0x3F));
                at += 6;
            } else {
                memcpy(to, "\xEF\xBF\xBD", 3);
                to += 3;
                at += 3;
            }
        } else
            *to++ = *at++;
    }
    return (size_t)((char *)to - utf8);
}

void throwError(txMachine *the, const char *format, ...)
{
    char message[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    mxPush(mxGlobal);
    mxGetID(mxID(_Error));
    mxNew();
    mxPushUndefined();
    stringFromBytes(the, the->stack, message, strlen(message));
    mxRunCount(1);
    mxPullSlot(&mxException);
    fxThrow(the, NULL, 0);
}

void notWhilePreloading(txMachine *the)
{
    if (!the->sharedMachine)
        xsTypeError("not while the program is preloaded");
}
