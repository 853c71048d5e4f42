/*
 * host.c: the device simulator. It runs the device program (a bundle of JavaScript) in the XS engine
 * on a desktop, with the memory of an ESP32.
 *
 *   esp32gpt-xs --bundle FILE.js [--names FILE] [--request JSON] [--events FD]
 *               [--chunks BYTES] [--slots COUNT] [--stack SLOTS] [--heap-limit BYTES]
 *
 * main makes the two machines (program.c says why two), runs the bundle once and then whatever it
 * has asked for: timers, lines from stdin, promise jobs. When nothing is left to do, the program ends
 * with exit code 0.
 */

#include "host.h"

#include <errno.h>
#include <sys/select.h>

Options options = {
    .events = -1,
    .chunks = 110000,
    .slots = 3000,
    .stack = 512,
    .heapLimit = 64 << 20
};

/* --- the end --- */

void hostFail(int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    exit(code);
}

int hostWrite(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        ssize_t count = write(fd, at, size);
        if (count >= 0) {
            at += count;
            size -= (size_t)count;
        }
        else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            fd_set writable;
            FD_ZERO(&writable);
            FD_SET(fd, &writable);
            select(fd + 1, NULL, &writable, NULL, NULL);
        }
        else if (errno != EINTR)
            return -1;
    }
    return 0;
}

/* --- timers and lines: what the bundle waits for --- */

typedef struct sxTimer Timer;
struct sxTimer {
    Timer *next;
    double due;
    txSlot callback;
};

static struct {
    Timer *timers;             /* the earliest first; those due at the same time in order of call */
    txSlot lineListener;
    bool listening;
    bool endOfInput;
    char *input;               /* what was read from stdin and is not yet delivered */
    size_t inputStart, inputEnd, inputRoom;
    bool promiseJobs;
    txSize collections;
} loop;

double hostMilliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

void hostSchedule(txMachine *the, txSlot *callback, double delay)
{
    Timer *timer = malloc(sizeof(Timer)), **address = &loop.timers;
    if (!timer)
        fxAbort(the, XS_NOT_ENOUGH_MEMORY_EXIT);
    timer->due = hostMilliseconds() + (delay > 0 ? delay : 0);
    timer->callback = *callback;
    while (*address && (*address)->due <= timer->due)
        address = &(*address)->next;
    timer->next = *address;
    *address = timer;
}

void hostSetLineListener(txMachine *the, txSlot *callback)
{
    (void)the;
    loop.listening = callback->kind == XS_REFERENCE_KIND;
    loop.lineListener = *callback;
}

void fxQueuePromiseJobs(txMachine *the)
{
    (void)the;
    loop.promiseJobs = true;
}

/* The garbage collector asks this root for the callbacks that only C knows. It does so once in every
   collection, so this is also the place to count them. */
static void markLoop(txMachine *the, void *data, txMarkRoot markRoot)
{
    Timer *timer;
    (void)data;
    for (timer = loop.timers; timer; timer = timer->next)
        (*markRoot)(the, &timer->callback);
    (*markRoot)(the, &loop.lineListener);
    loop.collections++;
}

static const txHostHooks loopHooks = { NULL, markLoop, NULL };
static txSlot loopRoot;

static void createLoopRoot(txMachine *the)
{
    xsBeginHost(the);
    {
        xsResult = xsNewHostObject(NULL);
        xsSetHostHooks(xsResult, &loopHooks);
        xsmcSetHostData(xsResult, &loop);
        loopRoot = xsResult;
        xsRemember(loopRoot);
    }
    xsEndHost(the);
}

txSize hostCollections(void)
{
    return loop.collections;
}

/* Runs promise jobs until there are none. A promise that was rejected by then and that nobody
   handles ends the program. */
static void settle(txMachine *the)
{
    while (loop.promiseJobs) {
        loop.promiseJobs = false;
        fxRunPromiseJobs(the);
    }
    fxCheckUnhandledRejections(the, 1);
}

static void callTimer(txMachine *the, Timer *timer)
{
    xsBeginHost(the);
    {
        xsTry {
            xsResult = timer->callback;
            free(timer);
            xsCallFunction0(xsResult, xsUndefined);
        }
        xsCatch
            fxAbort(the, XS_UNHANDLED_EXCEPTION_EXIT);
    }
    xsEndHost(the);
    settle(the);
}

static void callLineListener(txMachine *the, const char *line, size_t size)
{
    xsBeginHost(the);
    {
        xsmcVars(1);
        xsTry {
            bindingsString(the, &xsVar(0), line, size);
            xsResult = loop.lineListener;
            xsCallFunction1(xsResult, xsUndefined, xsVar(0));
        }
        xsCatch
            fxAbort(the, XS_UNHANDLED_EXCEPTION_EXIT);
    }
    xsEndHost(the);
    settle(the);
}

/* Waits until there is something to read on stdin, but not longer than until `due`, and reads it. */
static void readInput(double due)
{
    struct timeval timeout = { 0, 0 }, *wait = NULL;
    fd_set readable;
    ssize_t count;
    if (due < HUGE_VAL) {
        double delay = due - hostMilliseconds();
        if (delay > 0) {
            timeout.tv_sec = (time_t)(delay / 1e3);
            timeout.tv_usec = (suseconds_t)((delay - (double)timeout.tv_sec * 1e3) * 1e3) + 1;
            if (timeout.tv_usec >= 1000000)
                timeout.tv_usec = 999999;
        }
        wait = &timeout;
    }
    FD_ZERO(&readable);
    if (loop.listening && !loop.endOfInput)
        FD_SET(STDIN_FILENO, &readable);
    if (select(STDIN_FILENO + 1, &readable, NULL, NULL, wait) <= 0)
        return;
    if (loop.inputStart > 0) {
        memmove(loop.input, loop.input + loop.inputStart, loop.inputEnd - loop.inputStart);
        loop.inputEnd -= loop.inputStart;
        loop.inputStart = 0;
    }
    if (loop.inputEnd == loop.inputRoom) {
        loop.inputRoom = loop.inputRoom ? 2 * loop.inputRoom : 4096;
        loop.input = realloc(loop.input, loop.inputRoom);
        if (!loop.input)
            hostFail(EXIT_SOFTWARE, "a line from stdin is too long");
    }
    count = read(STDIN_FILENO, loop.input + loop.inputEnd, loop.inputRoom - loop.inputEnd);
    if (count > 0)
        loop.inputEnd += (size_t)count;
    else if (count == 0 || (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK))
        loop.endOfInput = true;
}

/* Delivers one line, without its end (LF or CR LF), if a whole one is there. */
static bool deliverLine(txMachine *the)
{
    char *line = loop.input + loop.inputStart, *end;
    size_t size = loop.inputEnd - loop.inputStart, taken;
    if (!loop.listening || size == 0)
        return false;
    end = memchr(line, '\n', size);
    if (!end && !loop.endOfInput)
        return false;
    taken = end ? (size_t)(end - line) + 1 : size;
    size = end ? (size_t)(end - line) : size;
    if (size > 0 && line[size - 1] == '\r')
        size--;
    loop.inputStart += taken;
    callLineListener(the, line, size);
    return true;
}

/* One turn delivers at most one line and runs at most one timer, so that neither can keep the other
   waiting. */
static void runLoop(txMachine *the)
{
    for (;;) {
        bool delivered = deliverLine(the);
        Timer *timer = loop.timers;
        bool reading = loop.listening && !loop.endOfInput;
        if (timer && timer->due <= hostMilliseconds()) {
            loop.timers = timer->next;
            callTimer(the, timer);
            if (reading && !delivered)
                readInput(0);
        }
        else if (!delivered) {
            if (!timer && !reading)
                break;
            readInput(timer ? timer->due : HUGE_VAL);
        }
    }
}

/* --- the beginning --- */

static void printUsage(void)
{
    fprintf(stderr,
        "usage: esp32gpt-xs --bundle FILE.js [options]\n"
        "  --bundle FILE.js     the program: an ES module without imports\n"
        "  --names FILE         the bytes of host.names, read in place\n"
        "  --request JSON       the string host.request\n"
        "  --events FD          the open file descriptor that host.report writes to\n"
        "  --chunks BYTES       initial size of the chunk heap (%d)\n"
        "  --slots COUNT        initial number of slots (%d), of %zu bytes each\n"
        "  --stack SLOTS        size of the stack (%d)\n"
        "  --heap-limit BYTES   what chunks, slots and stack may take together (%zu)\n",
        (int)options.chunks, (int)options.slots, sizeof(txSlot), (int)options.stack, options.heapLimit);
}

static long parseCount(const char *name, const char *value, long least, long most)
{
    char *end;
    long result;
    errno = 0;
    result = strtol(value, &end, 10);
    if (errno || end == value || *end || result < least || result > most)
        hostFail(EXIT_USAGE, "%s must be a number from %ld to %ld, not \"%s\"", name, least, most, value);
    return result;
}

static void parseOptions(int argc, char **argv)
{
    const long most = 1 << 30;
    int i;
    for (i = 1; i < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];
        if (strcmp(name, "--help") == 0) {
            printUsage();
            exit(0);
        }
        if (i + 1 == argc)
            hostFail(EXIT_USAGE, "%s needs a value", name);
        if (strcmp(name, "--bundle") == 0)
            options.bundle = value;
        else if (strcmp(name, "--names") == 0)
            options.names = value;
        else if (strcmp(name, "--request") == 0)
            options.request = value;
        else if (strcmp(name, "--events") == 0)
            options.events = (int)parseCount(name, value, 0, 1 << 20);
        else if (strcmp(name, "--chunks") == 0)
            options.chunks = (txSize)parseCount(name, value, 1024, most);
        else if (strcmp(name, "--slots") == 0)
            options.slots = (txSize)parseCount(name, value, 64, most / (long)sizeof(txSlot));
        else if (strcmp(name, "--stack") == 0)
            options.stack = (txSize)parseCount(name, value, 64, most / (long)sizeof(txSlot));
        else if (strcmp(name, "--heap-limit") == 0)
            options.heapLimit = (size_t)parseCount(name, value, 1, most);
        else
            hostFail(EXIT_USAGE, "unknown option %s", name);
    }
    if (!options.bundle) {
        printUsage();
        hostFail(EXIT_USAGE, "--bundle is missing");
    }
}

int main(int argc, char **argv)
{
    static Heap flash, ram;
    txMachine *builtins, *the;
    /* Initial and incremental sizes: chunk bytes, slots; stack; keys; the hash tables for names and
       symbols; parser (used by eval, new Function and the like). The clone shares the tables' sizes. */
    txCreation flashCreation = { 64 << 10, 16 << 10, 8192, 1024, 4096, 4096, 1024, 127, 3, 1024, 127, 0 };
    txCreation creation = flashCreation;
    size_t initial;

    parseOptions(argc, argv);
    creation.initialChunkSize = options.chunks;
    creation.incrementalChunkSize = 1024;
    creation.initialHeapCount = options.slots;
    creation.incrementalHeapCount = 64;
    creation.stackCount = options.stack;
    creation.initialKeyCount = 32;
    creation.incrementalKeyCount = 32;
    initial = (size_t)options.chunks + sizeof(txBlock)
        + ((size_t)options.slots + (size_t)options.stack) * sizeof(txSlot);
    if (initial > options.heapLimit)
        hostFail(EXIT_MEMORY, "The machine asks for %zu bytes of chunks, slots and stack to begin with, but the heap limit is %zu.",
            initial, options.heapLimit);

    heapCreate(&flash, "flash", 64 << 20);
    builtins = fxCreateMachine(&flashCreation, "flash", &flash, XS_NO_ID);
    if (!builtins)
        hostFail(EXIT_SOFTWARE, "XS cannot make its built-in objects");
    programCompile(builtins, options.bundle);
    bindingsInstall(builtins);
    programShare(builtins);

    heapCreate(&ram, "heap", options.heapLimit);
    the = fxCloneMachine(&creation, builtins, "esp32gpt", &ram);
    if (!the)
        hostFail(EXIT_SOFTWARE, "XS cannot make a machine");
    createLoopRoot(the);
    xsBeginHost(the);
    {
        xsTry
            programRun(the);
        xsCatch
            fxAbort(the, XS_UNHANDLED_EXCEPTION_EXIT);
    }
    xsEndHost(the);
    settle(the);
    runLoop(the);
    return 0;
}
