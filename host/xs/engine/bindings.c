/*
 * bindings.c: the global object `host`, the interface of the bundle to this computer.
 *
 * Everything here is created in the flash machine before it is shared. Like the native modules of the SDK, it takes
 * no RAM of the device.
 */

#include "bindings.h"
#include "bytecode.h"
#include "loop.h"
#include "memory.h"
#include "natives.h"
#include "output.h"
#include "program.h"
#include "storage.h"
#include "values.h"
#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

/* --- helpers --- */

/* Writes an XS string as UTF-8. */
static int writeString(int fd, const char *string)
{
    size_t size = strlen(string);
    char *utf8;
    int result, error;
    if (!memchr(string, 0xC0, size) && !memchr(string, 0xED, size))
        return hostWrite(fd, string, size);
    utf8 = hostAllocate(size);
    result = hostWrite(fd, utf8, utf8FromString(utf8, string));
    error = errno;
    free(utf8);
    errno = error;
    return result;
}

static int exitCode(txMachine *the, int index)
{
    double code = fxToNumber(the, argument(the, index));
    if (!(code >= 0 && code <= 255) || code != (int)code)
        xsRangeError("an exit code is an integer from 0 to 255");
    return (int)code;
}

static txSlot *callbackArgument(txMachine *the)
{
    txSlot *callback = argument(the, 0);
    if (!fxIsCallable(the, callback))
        xsTypeError("the callback is not a function");
    return callback;
}

/* --- host --- */

/* host.write(text): writes to stdout; blocks until it is written. */
static void xs_host_write(txMachine *the)
{
    if (writeString(STDOUT_FILENO, fxToString(the, argument(the, 0))) < 0)
        throwError(the, "Cannot write to standard output: %s", reasonOf(errno));
}

/* Whether `fd` can be read or written without blocking. */
static bool isReady(int fd, short events)
{
    struct pollfd entry = { fd, events, 0 };
    return poll(&entry, 1, 0) > 0;
}

/* Whether SIGTERM has arrived: host.read() then reports the end of stdin and ignores pending input. */
static volatile sig_atomic_t isTerminated;

static void terminate(int number)
{
    (void)number;
    isTerminated = 1;
}

/* host.read(bytes): reads available bytes from stdin; returns their number, -1 at the end. */
static void xs_host_read(txMachine *the)
{
    static bool isListening;
    txUnsigned size;
    void *bytes;
    ssize_t count = 0;
    if (!isListening)
        signal(SIGTERM, terminate);
    isListening = true;
    xsmcGetBufferWritable(*argument(the, 0), &bytes, &size);
    if (isTerminated)
        count = -1;
    else if (size > 0 && isReady(STDIN_FILENO, POLLIN)) {
        count = read(STDIN_FILENO, bytes, size);
        if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN))
            count = -1;
        else if (count < 0)
            count = 0;
    }
    xsmcSetInteger(xsResult, (txInteger)count);
}

/* host.send(bytes, from, to): writes to stdout what it takes without blocking; returns the number of
   bytes. */
static void xs_host_send(txMachine *the)
{
    txInteger from = fxToInteger(the, argument(the, 1)), to = fxToInteger(the, argument(the, 2));
    txUnsigned size;
    void *bytes;
    ssize_t count = 0;
    xsmcGetBufferReadable(*argument(the, 0), &bytes, &size);
    if (from < 0 || to < from || (txUnsigned)to > size)
        xsRangeError("%d to %d in %d bytes", (int)from, (int)to, (int)size);
    if (to - from > PIPE_BUF)
        to = from + PIPE_BUF;      /* a ready pipe takes PIPE_BUF bytes without blocking */
    if (to > from && isReady(STDOUT_FILENO, POLLOUT)) {
        count = write(STDOUT_FILENO, (char *)bytes + from, (size_t)(to - from));
        if (count < 0 && errno != EINTR && errno != EAGAIN)
            throwError(the, "Cannot write to standard output: %s", reasonOf(errno));
        if (count < 0)
            count = 0;
    }
    xsmcSetInteger(xsResult, (txInteger)count);
}

/* host.now(): monotonic time in milliseconds, with a fraction. */
static void xs_host_now(txMachine *the)
{
    xsmcSetNumber(xsResult, loopMilliseconds());
}

/* host.schedule(callback, delay): calls back once after `delay` milliseconds. */
static void xs_host_schedule(txMachine *the)
{
    double delay = mxArgc > 1 ? fxToNumber(the, mxArgv(1)) : 0;
    notWhilePreloading(the);
    loopSchedule(callbackArgument(the), delay);
}

/* host.setLineListener(callback | undefined): sets the callback for lines of stdin, see loop.h. */
static void xs_host_setLineListener(txMachine *the)
{
    txSlot *callback = argument(the, 0);
    notWhilePreloading(the);
    loopSetLineListener(callback->kind == XS_UNDEFINED_KIND ? callback : callbackArgument(the));
}

/* host.exit(code): exits now. */
static void xs_host_exit(txMachine *the)
{
    exit(mxArgc > 0 ? exitCode(the, 0) : 0);
}

/* host.fail(message, code): prints the message on stderr and exits now. */
static void xs_host_fail(txMachine *the)
{
    int code = mxArgc > 1 ? exitCode(the, 1) : 1;
    writeString(STDERR_FILENO, fxToString(the, argument(the, 0)));
    hostWrite(STDERR_FILENO, "\n", 1);
    exit(code);
}

static void setNumber(txMachine *the, txSlot *object, const char *name, double value)
{
    txSlot number;
    fxNumber(the, &number, value);
    _xsSet(the, object, propertyID(the, name), &number);
}

/* host.usage(): memory and bytecode usage so far. */
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
    setNumber(the, mxResult, "usedSlots", (double)usage.usedSlots);
    setNumber(the, mxResult, "usedChunks", (double)usage.usedChunks);
    setNumber(the, mxResult, "code", (double)programSize()->code);
    setNumber(the, mxResult, "names", (double)programSize()->names);
}

/* host.collect(): collects garbage, so that host.usage() reports live memory. */
static void xs_host_collect(txMachine *the)
{
    fxCollectGarbage(the);
}

/* --- names --- */

/* Makes a read-only host buffer of the file: `new Uint8Array(host.names)` reads it in place, like a
   resource in flash, without using the device's heap. The file is read, not mapped, so that the program
   does not see later changes. */
static void installNames(txMachine *the, txSlot *host, const char *path)
{
    const char *shown = printable(path, QUOTED_PATH);
    struct stat status;
    char *bytes;
    size_t size = 0;
    ssize_t count;
    /* O_NONBLOCK: opening a pipe could block forever. */
    int fd = open(path, O_RDONLY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &status) < 0)
        hostFail(EXIT_NO_INPUT, "Cannot read %s: %s.", shown, reasonOf(errno));
    if (S_ISDIR(status.st_mode))
        hostFail(EXIT_NO_INPUT, "Cannot read %s: %s.", shown, reasonOf(EISDIR));
    if (!S_ISREG(status.st_mode))
        hostFail(EXIT_NO_INPUT, "Cannot read %s: it is not a regular file.", shown);
    if (status.st_size > INT32_MAX)
        hostFail(EXIT_NO_INPUT, "Cannot read %s: it has %lld bytes, and this program reads up to %ld.", shown,
            (long long)status.st_size, (long)INT32_MAX);
    bytes = hostAllocate((size_t)status.st_size);
    while (size < (size_t)status.st_size) {
        count = read(fd, bytes + size, (size_t)status.st_size - size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            hostFail(EXIT_NO_INPUT, "Cannot read %s: %s.", shown, reasonOf(errno));
        if (count == 0)
            break;         /* the file was truncated meanwhile */
        size += (size_t)count;
    }
    close(fd);

    fxNewHostObject(the, NULL);
    fxSetHostBuffer(the, the->stack, bytes, (txSize)size);
    fxPetrifyHostBuffer(the, the->stack);
    _xsDefine(the, host, propertyID(the, "names"), the->stack, xsDontSet);
    mxPop();
}

/* --- install --- */

void bindingsInstall(txMachine *flash, const Surroundings *surroundings)
{
    xsBeginHost(flash);
    {
        static const struct {
            const char *name;
            txCallback callback;
            int length;
        } functions[] = {
            { "collect", xs_host_collect, 0 },
            { "exit", xs_host_exit, 1 },
            { "fail", xs_host_fail, 2 },
            { "now", xs_host_now, 0 },
            { "read", xs_host_read, 1 },
            { "schedule", xs_host_schedule, 2 },
            { "send", xs_host_send, 3 },
            { "setLineListener", xs_host_setLineListener, 1 },
            { "usage", xs_host_usage, 0 },
            { "write", xs_host_write, 1 },
        };
        static const char *const figures[] = { "bytecodes", "collections", "slots", "chunks", "stack", "peak",
            "usedSlots", "usedChunks", "code", "names", "size" };
        txSlot *host, *value;
        size_t i;

        xsmcVars(2);
        host = &xsVar(0), value = &xsVar(1);
        _xsNewObject(the, host);
        for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
            bindFunction(the, host, functions[i].name, functions[i].callback, functions[i].length);
        if (surroundings->request) {
            stringFromBytes(the, value, surroundings->request, strlen(surroundings->request));
            _xsDefine(the, host, propertyID(the, "request"), value, xsDontSet);
        }
        if (surroundings->names)
            installNames(the, host, surroundings->names);
        _xsNewObject(the, value);
        storageInstall(the, value);
        _xsDefine(the, host, propertyID(the, "storage"), value, xsDontSet);
        _xsDefine(the, &mxGlobal, propertyID(the, "host"), host, xsDontEnum);
        nativesInstall(the);
        for (i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
            propertyID(the, figures[i]);
    }
    xsEndHost(flash);
}
