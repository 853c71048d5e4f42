/*
 * host.h: what the files of the device simulator know about each other.
 *
 *   host.c      main: the options, the two machines
 *   loop.c      the event loop: timers, lines from stdin, promise jobs
 *   memory.c    the heap of the device: one piece of memory with a limit, and figures about it
 *   program.c   the bundle: compiled, and what a device has in flash
 *   errors.c    source lines for errors
 *   bindings.c  the global `host` object and native()
 *   storage.c   host.storage: files that are replaced atomically
 *   natives.c   the table of C functions that native() finds
 */

#ifndef ESP32GPT_HOST_H
#define ESP32GPT_HOST_H

#include "xsAll.h"
#include "xsmc.h"

/* Exit codes of the program; 0 to 255 can also come from host.exit() and host.fail(). */
enum {
    EXIT_MEMORY = 3,       /* the heap or the stack of the simulated device is full */
    EXIT_USAGE = 64,       /* the command line makes no sense */
    EXIT_NO_INPUT = 66,    /* a file or directory of the command line cannot be opened */
    EXIT_SOFTWARE = 70     /* an uncaught exception, or a syntax error in the bundle */
};

/* --- host.c --- */

typedef struct {
    const char *bundle;      /* the path of the JavaScript file */
    const char *names;       /* the path of the file behind host.names, or NULL */
    const char *request;     /* host.request, or NULL */
    int events;              /* the file descriptor of host.report(), or -1 */
    bool preload;            /* whether the top level of the bundle runs in flash */
    txSize chunks;           /* initial bytes of the chunk heap */
    txSize slots;            /* initial number of slots in the slot heap */
    txSize stack;            /* number of slots in the stack */
    size_t heapLimit;        /* bytes that chunks, slots and stack may take together */
} Options;

extern Options options;

/* Says one sentence on stderr and ends the program. */
void hostFail(int code, const char *format, ...)
    __attribute__((noreturn, format(printf, 2, 3)));

/* Writes all bytes, waiting if need be. Returns -1 and errno if that is impossible. */
int hostWrite(int fd, const void *bytes, size_t size);

/* --- loop.c --- */

void loopCreate(txMachine *the);
void loopRun(txMachine *the);
bool loopHasPromiseJobs(void);
double loopMilliseconds(void);
double loopCollections(void);
void loopSchedule(txMachine *the, txSlot *callback, double delay);
void loopSetLineListener(txMachine *the, txSlot *callback);

/* --- memory.c --- */

typedef struct {
    const char *name;
    size_t size;
    txByte *bottom;          /* chunks grow upward from here ... */
    txByte *chunks;          /* ... to here */
    txByte *slots;           /* the stack and the slots grow downward to here ... */
    txByte *top;             /* ... from here */
    size_t refusedBytes;     /* the last request that did not fit, for the error message */
    const char *refusedWhat;
} Heap;

typedef struct {
    size_t slots;            /* peak of the slots in use, in bytes */
    size_t chunks;           /* peak of the chunks in use, in bytes */
    size_t stack;            /* peak of the stack, in bytes */
    size_t used;             /* slots, chunks and stack in use now, garbage included */
    size_t reserved;         /* what XS has taken from the heap: this is what the limit bounds */
} Usage;

void heapCreate(Heap *heap, const char *name, size_t size);
void heapProtect(Heap *heap);
void heapUsage(txMachine *the, Usage *usage);
double bytecodesExecuted(txMachine *the);

/* --- program.c --- */

typedef struct {
    size_t code;             /* bytes of bytecode, kept out of the heap */
    size_t names;            /* bytes of slots and chunks for property names, likewise */
} ProgramSize;

void programCompile(txMachine *flash, const char *path);
void programLoad(txMachine *the);
void programShare(txMachine *flash);
void programMain(txMachine *the);
const ProgramSize *programSize(void);
size_t instructionSize(const txByte *code);

/* --- errors.c --- */

const char *errorLocation(txMachine *the, txSlot *frame);
void reportException(txMachine *the, txSlot *exception);

/* --- bindings.c, storage.c, natives.c --- */

void bindingsInstall(txMachine *flash);
void storageInstall(txMachine *flash, txSlot *storage);
void notWhilePreloading(txMachine *the);
void bindFunction(txMachine *the, txSlot *object, const char *name, txCallback callback, int length);
txID propertyID(txMachine *the, const char *name);
txSlot *argument(txMachine *the, int index);
void bindingsString(txMachine *the, txSlot *result, const char *utf8, size_t size);

typedef struct {
    const char *name;
    txCallback callback;
} Native;

extern const Native natives[];   /* ends with a NULL name */

#endif
