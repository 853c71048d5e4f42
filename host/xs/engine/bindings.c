/*
 * bindings.c: what the bundle sees of the computer: the global object `host` and native().
 *
 * Everything here is made in the flash machine, before that is shared: like the native modules of
 * the SDK, it takes no memory of the device.
 */

#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* --- helpers --- */

/* The argument at `index`, or undefined if there are fewer. */
txSlot *argument(txMachine *the, int index)
{
    static txSlot missing;
    if (index < mxArgc)
        return mxArgv(index);
    fxUndefined(the, &missing);   /* each time: the engine's conversions change their slot */
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

/* The number of bytes of the UTF-8 sequence at `at`, or 0 if it is not a valid one. */
static size_t utf8Sequence(const unsigned char *at, const unsigned char *end)
{
    size_t size = at[0] < 0x80 ? 1 : at[0] < 0xC2 ? 0 : at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : at[0] < 0xF5 ? 4 : 0;
    size_t i;
    if (size > (size_t)(end - at))
        return 0;
    for (i = 1; i < size; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    if ((at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xED && at[1] > 0x9F)
            || (at[0] == 0xF0 && at[1] < 0x90) || (at[0] == 0xF4 && at[1] > 0x8F))
        return 0;
    return size;
}

/* Makes a string of bytes from outside. XS trusts its strings to be UTF-8 with NUL written as C0 80,
   so every other byte that is not UTF-8 becomes U+FFFD, the replacement character. */
void bindingsString(txMachine *the, txSlot *result, const char *utf8, size_t size)
{
    const unsigned char *at = (const unsigned char *)utf8, *end = at + size;
    char *string = malloc(3 * size + 1), *to = string;
    if (!string)
        fxAbort(the, XS_NOT_ENOUGH_MEMORY_EXIT);
    while (at < end) {
        size_t length = utf8Sequence(at, end);
        if (length == 0) {
            memcpy(to, "\xEF\xBF\xBD", 3);
            to += 3;
            at++;
        }
        else if (*at == 0) {
            memcpy(to, "\xC0\x80", 2);
            to += 2;
            at++;
        }
        else {
            memcpy(to, at, length);
            to += length;
            at += length;
        }
    }
    *to = 0;
    fxString(the, result, string);
    free(string);
}

/* The other way: writes a string of XS as UTF-8. C0 80 becomes NUL, a pair of surrogates one
   character of four bytes, a single surrogate U+FFFD. None of these makes it longer. */
static int writeString(int fd, const char *string)
{
    const unsigned char *at = (const unsigned char *)string;
    size_t size = strlen(string);
    unsigned char *utf8, *to;
    int result;
    if (!memchr(string, 0xC0, size) && !memchr(string, 0xED, size))
        return hostWrite(fd, string, size);
    utf8 = to = malloc(size);
    if (!utf8)
        return -1;
    while (*at) {
        if (at[0] == 0xC0) {
            *to++ = 0;
            at += 2;
        }
        else if (at[0] == 0xED && at[1] >= 0xA0) {
            if (at[1] < 0xB0 && at[3] == 0xED && at[4] >= 0xB0) {
                unsigned character = 0x10000u + ((at[1] & 0x0Fu) << 16 | (at[2] & 0x3Fu) << 10
                    | (at[4] & 0x0Fu) << 6 | (at[5] & 0x3Fu));
                *to++ = (unsigned char)(0xF0 | character >> 18);
                *to++ = (unsigned char)(0x80 | (character >> 12 & 0x3F));
                *to++ = (unsigned char)(0x80 | (character >> 6 & 0x3F));
                *to++ = (unsigned char)(0x80 | (character & 0x3F));
                at += 6;
            }
            else {
                memcpy(to, "\xEF\xBF\xBD", 3);
                to += 3;
                at += 3;
            }
        }
        else
            *to++ = *at++;
    }
    result = hostWrite(fd, utf8, (size_t)(to - utf8));
    free(utf8);
    return result;
}

static int exitCode(txMachine *the, int index)
{
    double code = fxToNumber(the, argument(the, index));
    if (!(code >= 0 && code <= 255) || code != (int)code)
        xsRangeError("an exit code is an integer from 0 to 255");
    return (int)code;
}

/* While the bundle is preloaded there is no device yet, so there is nothing it could wait for. */
void notWhilePreloading(txMachine *the)
{
    if (!the->sharedMachine)
        xsTypeError("not while the program is preloaded");
}

static txSlot *callbackArgument(txMachine *the)
{
    txSlot *callback = argument(the, 0);
    if (!fxIsCallable(the, callback))
        xsTypeError("the callback is no function");
    return callback;
}

/* --- host --- */

/* host.write(text): to stdout, at once. */
static void xs_host_write(txMachine *the)
{
    if (writeString(STDOUT_FILENO, fxToString(the, argument(the, 0))) < 0)
        xsUnknownError("cannot write to stdout: %s", strerror(errno));
}

/* host.now(): milliseconds, monotonic, with a fraction. */
static void xs_host_now(txMachine *the)
{
    xsmcSetNumber(xsResult, loopMilliseconds());
}

/* host.schedule(callback, delay): calls back once, after the delay in milliseconds. */
static void xs_host_schedule(txMachine *the)
{
    double delay = mxArgc > 1 ? fxToNumber(the, mxArgv(1)) : 0;
    notWhilePreloading(the);
    loopSchedule(the, callbackArgument(the), delay);
}

/* host.setLineListener(callback | undefined): calls back with each line from stdin. */
static void xs_host_setLineListener(txMachine *the)
{
    txSlot *callback = argument(the, 0);
    notWhilePreloading(the);
    loopSetLineListener(the, callback->kind == XS_UNDEFINED_KIND ? callback : callbackArgument(the));
}

/* host.exit(code): ends the program now. */
static void xs_host_exit(txMachine *the)
{
    exit(mxArgc > 0 ? exitCode(the, 0) : 0);
}

/* host.fail(message, code): says why on stderr and ends the program now. */
static void xs_host_fail(txMachine *the)
{
    int code = mxArgc > 1 ? exitCode(the, 1) : 1;
    writeString(STDERR_FILENO, fxToString(the, argument(the, 0)));
    hostWrite(STDERR_FILENO, "\n", 1);
    exit(code);
}

/* Numbers as JavaScript's Number() reads them; %.17g gives back the same double. */
static int printNumber(char *buffer, size_t size, double value, char end)
{
    if (isnan(value))
        return snprintf(buffer, size, "NaN%c", end);
    if (isinf(value))
        return snprintf(buffer, size, "%sInfinity%c", value < 0 ? "-" : "", end);
    return snprintf(buffer, size, "%.17g%c", value, end);
}

/* host.report(...numbers): a line of numbers for whoever started us. */
static void xs_host_report(txMachine *the)
{
    char line[256];
    int i, size = 0, count = mxArgc < 8 ? mxArgc : 8;
    if (options.events < 0 || count == 0)
        return;
    for (i = 0; i < count; i++)
        size += printNumber(line + size, sizeof(line) - (size_t)size,
            fxToNumber(the, argument(the, i)), i + 1 < count ? '\t' : '\n');
    if (hostWrite(options.events, line, (size_t)size) < 0)
        xsUnknownError("cannot write to the events descriptor %d: %s", options.events, strerror(errno));
}

static void setNumber(txMachine *the, txSlot *object, const char *name, double value)
{
    txSlot number;
    fxNumber(the, &number, value);
    _xsSet(the, object, propertyID(the, name), &number);
}

/* host.usage(): what the program has cost until now. */
static void xs_host_usage(txMachine *the)
{
    Usage usage;
    double bytecodes = bytecodesExecuted(the);
    heapUsage(the, &usage);
    xsmcSetNewObject(xsResult);
    setNumber(the, mxResult, "bytecodes", bytecodes);
    setNumber(the, mxResult, "collections", loopCollections());
    setNumber(the, mxResult, "slots", (double)usage.slots);
    setNumber(the, mxResult, "chunks", (double)usage.chunks);
    setNumber(the, mxResult, "stack", (double)usage.stack);
    setNumber(the, mxResult, "peak", (double)usage.reserved);
    setNumber(the, mxResult, "used", (double)usage.used);
    setNumber(the, mxResult, "code", (double)programSize()->code);
    setNumber(the, mxResult, "names", (double)programSize()->names);
}

/* host.collect(): collects garbage, so that host.usage().used is what is really needed. */
static void xs_host_collect(txMachine *the)
{
    fxCollectGarbage(the);
}

/* --- native --- */

static txSlot *nativeFunctions;    /* one for each entry of natives, in flash */

/* native(name): the C function that is registered under this name. */
static void xs_native(txMachine *the)
{
    const char *name = fxToString(the, argument(the, 0));
    size_t i;
    for (i = 0; natives[i].name; i++) {
        if (strcmp(natives[i].name, name) == 0) {
            mxResult->kind = nativeFunctions[i].kind;
            mxResult->value = nativeFunctions[i].value;
            return;
        }
    }
    xsTypeError("there is no native function %s", name);
}

static void installNatives(txMachine *the)
{
    size_t count = 0, i;
    while (natives[count].name)
        count++;
    nativeFunctions = calloc(count + 1, sizeof(txSlot));
    for (i = 0; i < count; i++) {
        fxNewHostFunction(the, natives[i].callback, 0, propertyID(the, natives[i].name), XS_NO_ID);
        nativeFunctions[i] = *the->stack;
        xsRemember(nativeFunctions[i]);
        mxPop();
    }
    bindFunction(the, &mxGlobal, "native", xs_native, 1);
}

/* --- names --- */

/* Maps the file into memory and makes a read-only host buffer of it: `new Uint8Array(host.names)`
   reads it in place, like a resource in flash. The mapping lives as long as the program. */
static void installNames(txMachine *the, txSlot *host, const char *path)
{
    struct stat status;
    void *bytes = "";      /* a file without bytes cannot be mapped */
    int fd = open(path, O_RDONLY);
    if (fd < 0 || fstat(fd, &status) < 0)
        hostFail(EXIT_NO_INPUT, "cannot open %s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        hostFail(EXIT_NO_INPUT, "cannot read %s: it is no file", path);
    if (status.st_size > 0x7FFFFFFF)
        hostFail(EXIT_NO_INPUT, "cannot read %s: it is too large", path);
    if (status.st_size > 0)
        bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        hostFail(EXIT_NO_INPUT, "cannot map %s: %s", path, strerror(errno));
    close(fd);

    fxNewHostObject(the, NULL);
    fxSetHostBuffer(the, the->stack, bytes, (txSize)status.st_size);
    fxPetrifyHostBuffer(the, the->stack);
    _xsDefine(the, host, propertyID(the, "names"), the->stack, xsDontSet);
    mxPop();
}

/* --- install --- */

void bindingsInstall(txMachine *flash)
{
    xsBeginHost(flash);
    {
        static const struct { const char *name; txCallback callback; int length; } functions[] = {
            { "collect", xs_host_collect, 0 },
            { "exit", xs_host_exit, 1 },
            { "fail", xs_host_fail, 2 },
            { "now", xs_host_now, 0 },
            { "report", xs_host_report, 0 },
            { "schedule", xs_host_schedule, 2 },
            { "setLineListener", xs_host_setLineListener, 1 },
            { "usage", xs_host_usage, 0 },
            { "write", xs_host_write, 1 },
        };
        static const char *const figures[] = { "bytecodes", "collections", "slots", "chunks", "stack",
            "peak", "used", "code", "names", "size" };
        txSlot *host, *value;
        size_t i;

        xsmcVars(2);
        host = &xsVar(0), value = &xsVar(1);
        _xsNewObject(the, host);
        for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
            bindFunction(the, host, functions[i].name, functions[i].callback, functions[i].length);
        if (options.request) {
            bindingsString(the, value, options.request, strlen(options.request));
            _xsDefine(the, host, propertyID(the, "request"), value, xsDontSet);
        }
        if (options.names)
            installNames(the, host, options.names);
        _xsNewObject(the, value);
        storageInstall(the, value);
        _xsDefine(the, host, propertyID(the, "storage"), value, xsDontSet);
        _xsDefine(the, &mxGlobal, propertyID(the, "host"), host, xsDontEnum);
        installNatives(the);
        for (i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
            propertyID(the, figures[i]);
    }
    xsEndHost(flash);
}
