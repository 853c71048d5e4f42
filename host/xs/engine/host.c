/*
 * host.c: the device simulator. It runs the device program (a bundle of JavaScript) in the XS engine
 * on a desktop, with the memory of an ESP32.
 *
 *   esp32gpt-xs --bundle FILE.js [--preload] [--names FILE] [--request JSON]
 *               [--events FD] [--chunks BYTES] [--slots COUNT] [--stack SLOTS] [--heap-limit BYTES]
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

/* --- the beginning --- */

static void runProgram(txMachine *machine, txCallback function)
{
    xsBeginHost(machine);
    {
        xsTry
            function(the);
        xsCatch
            fxAbort(the, XS_UNHANDLED_EXCEPTION_EXIT);
    }
    xsEndHost(machine);
}

static void printUsage(void)
{
    fprintf(stderr,
        "usage: esp32gpt-xs --bundle FILE.js [options]\n"
        "  --bundle FILE.js     the program: an ES module without imports\n"
        "  --preload            run the top level of the program in flash, like a preloaded module of\n"
        "                       the SDK, and call its default export on the device\n"
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
    for (i = 1; i < argc; i++) {
        const char *name = argv[i], *value;
        if (strcmp(name, "--help") == 0) {
            printUsage();
            exit(0);
        }
        if (strcmp(name, "--preload") == 0) {
            options.preload = true;
            continue;
        }
        value = argv[++i];
        if (!value)
            hostFail(EXIT_USAGE, "%s needs a value", name);
        if (strcmp(name, "--bundle") == 0)
            options.bundle = value;
        else if (strcmp(name, "--names") == 0)
            options.names = value;
        else if (strcmp(name, "--request") == 0)
            options.request = value;
        else if (strcmp(name, "--events") == 0)
            options.events = (int)parseCount(name, value, 0, FD_SETSIZE - 1);
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
    static txMachine *builtins, *the;
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
    if (options.preload) {
        runProgram(builtins, programLoad);
        if (loopHasPromiseJobs())
            hostFail(EXIT_SOFTWARE, "%s waits for a promise: it cannot be preloaded", options.bundle);
    }
    programShare(builtins);
    heapProtect(&flash);

    /* Property names have 16-bit numbers. XS does not notice when it runs out of numbers, but it does
       when it runs out of places in its table, so let that be large enough and of fixed size. */
    creation.initialKeyCount = 0xFFFF - builtins->keyIndex;
    creation.incrementalKeyCount = 0;
    heapCreate(&ram, "heap", options.heapLimit);
    the = fxCloneMachine(&creation, builtins, "esp32gpt", &ram);
    if (!the)
        hostFail(EXIT_SOFTWARE, "XS cannot make a machine");
    loopCreate(the);
    runProgram(the, options.preload ? programMain : programLoad);
    loopRun(the);
    return 0;
}
