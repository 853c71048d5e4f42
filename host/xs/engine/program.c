/*
 * program.c: compiles and runs the bundle.
 *
 * On a device the SDK's linker puts bytecode, property names, the built-in objects and the objects of
 * preloaded modules into flash; only the rest uses RAM. This file does the same with two machines. The
 * first one, "flash", holds the built-in objects and the property names of the bundle, and runs its top
 * level if it is preloaded; it is then made read-only. The second one is cloned from it and has the
 * memory of the device. The bytecode stays in one malloc'ed buffer. As the linker does, special opcodes
 * (XS_CODE_CODE_ARCHIVE instead of XS_CODE_CODE, and so on) mark code and strings that are used in place.
 */

#include "program.h"
#include "bytecode.h"
#include "cache.h"
#include "output.h"
#include "words.h"
#include "xsmc.h"
#include "xsScript.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* A function of the engine that no header declares. */
extern void fxRemapIDs(txMachine *the, txByte *codeBuffer, txSize codeSize, txID *theIDs);

static struct {
    const char *name;          /* the bundle's name in error messages: bundle.js */
    txScript *script;
    ProgramSize size;
} program;

const ProgramSize *programSize(void)
{
    return &program.size;
}

/* --- compile --- */

typedef struct {
    const unsigned char *at, *end;
} Source;

static int nextByte(void *stream)
{
    Source *source = stream;
    return source->at < source->end ? *source->at++ : C_EOF;
}

static unsigned char *readFile(const char *path, size_t *size)
{
    unsigned char *bytes;
    size_t length = 0, room = 1 << 16;
    ssize_t count;
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        hostFail(EXIT_NO_INPUT, "Cannot read %s: %s.", printable(path, QUOTED_PATH), reasonOf(errno));
    bytes = malloc(room);
    while (bytes && (count = read(fd, bytes + length, room - length)) != 0) {
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            hostFail(EXIT_NO_INPUT, "Cannot read %s: %s.", printable(path, QUOTED_PATH), reasonOf(errno));
        length += (size_t)count;
        if (length == room)
            /* cppcheck-suppress memleakOnRealloc; the program exits when it fails */
            bytes = realloc(bytes, room *= 2);
    }
    if (!bytes)
        hostFail(EXIT_NO_INPUT, "Cannot read %s: %s.", printable(path, QUOTED_PATH), reasonOf(ENOMEM));
    close(fd);
    *size = length;
    return bytes;
}

/* Exits on the first syntax error, with a message like that of an uncaught exception. */
static void reportSyntaxError(void *console, txString path, txInteger line, txString format, va_list arguments)
{
    (void)console;
    char message[QUOTED_MOST];
    vsnprintf(message, sizeof(message), format, arguments);
    hostFail(EXIT_SOFTWARE, "SyntaxError: %s\n    at (%s:%d)", printable(message, QUOTED_MOST),
        path ? printable(path, QUOTED) : "?", (int)line);
}

static void ignoreWarning(void *console, txString path, txInteger line, txString format, va_list arguments)
{
    (void)console, (void)path, (void)line, (void)format, (void)arguments;
}

/* Marks code and strings as "in flash", as the SDK's linker does (fxMapCode in xslBase.c). Returns the
   size of the code without the opcodes for source lines. */
static size_t useInPlace(txByte *code, const txByte *end)
{
    size_t size = 0;
    for (; code < end; code += instructionSize(code)) {
        switch (*(txU1 *)code) {
        case XS_CODE_FILE:
        case XS_CODE_LINE:
        case XS_CODE_PROFILE:
            continue;
        case XS_CODE_CODE_1:
            *(txU1 *)code = XS_CODE_CODE_ARCHIVE_1;
            break;
        case XS_CODE_CODE_2:
            *(txU1 *)code = XS_CODE_CODE_ARCHIVE_2;
            break;
        case XS_CODE_CODE_4:
            *(txU1 *)code = XS_CODE_CODE_ARCHIVE_4;
            break;
        case XS_CODE_STRING_1:
            *(txU1 *)code = XS_CODE_STRING_ARCHIVE_1;
            break;
        case XS_CODE_STRING_2:
            *(txU1 *)code = XS_CODE_STRING_ARCHIVE_2;
            break;
        case XS_CODE_STRING_4:
            *(txU1 *)code = XS_CODE_STRING_ARCHIVE_4;
            break;
        }
        size += instructionSize(code);
    }
    return size;
}

/* Replaces the parser's numbers of names by the property IDs of the machine. */
static void internNames(txMachine *the, txScript *script)
{
    txByte *p = script->symbolsBuffer;
    txID count, i, *ids;
    mxDecodeID(p, count);
    ids = hostAllocate((size_t)count * sizeof(txID));
    ids[0] = XS_NO_ID;
    for (i = 1; i < count; i++) {
        ids[i] = fxNewNameC(the, (txString)p);
        p += mxStringLength((txString)p) + 1;
    }
    fxRemapIDs(the, script->codeBuffer, script->codeSize, ids);
    free(ids);
    free(script->symbolsBuffer);
    script->symbolsBuffer = NULL;   /* so that fxRunScript neither maps them again nor frees the code */
}

/* The parser allocates with malloc, not in the device's heap. */
static txScript *parseModule(txMachine *flash, Source *source)
{
    txParser parser;
    txParserJump jump;
    txScript *volatile script = NULL;
    fxInitializeParser(&parser, flash, 1024, 127);
    parser.firstJump = &jump;
    parser.reportError = reportSyntaxError;
    parser.reportWarning = ignoreWarning;
    if (c_setjmp(jump.jmp_buf) == 0) {
        parser.path = fxNewParserSymbol(&parser, (txString)program.name);
        fxParserTree(&parser, source, nextByte, mxDebugFlag, NULL);
        fxParserHoist(&parser);
        fxParserBind(&parser);
        script = fxParserCode(&parser);
    }
    fxTerminateParser(&parser);
    if (!script)
        hostFail(EXIT_SOFTWARE, "XS cannot compile %s.", printable(program.name, QUOTED_PATH));
    return script;
}

/* Compiles the file as an ES module. Its variables are then found as fast as those of a module on the
   device; those of a classic script would be properties, which are searched by name. */
void programCompile(txMachine *flash, const char *path, const char *cache)
{
    const char *slash = strrchr(path, '/');
    size_t size;
    unsigned char *bytes = readFile(path, &size);
    Source source = { bytes, bytes + size };
    ProgramSource compiled;
    txSize slots = flash->currentHeapCount, chunks = flash->currentChunksSize;
    txScript *script;

    program.name = slash ? slash + 1 : path;
    compiled = (ProgramSource) { program.name, bytes, size };
    script = cache ? cacheRead(cache, &compiled) : NULL;
    if (!script) {
        script = parseModule(flash, &source);
        if (cache)
            cacheWrite(cache, &compiled, script);
    }
    free(bytes);
    fxNewNameC(flash, (txString)program.name);
    internNames(flash, script);
    program.script = script;
    program.size.code = useInPlace(script->codeBuffer, script->codeBuffer + script->codeSize);
    program.size.names =
        (size_t)(flash->currentHeapCount - slots) * sizeof(txSlot) + (size_t)(flash->currentChunksSize - chunks);
}

/* --- run and share --- */

/* XS looks up modules by name. There is only the bundle. */
txID fxFindModule(txMachine *the, txSlot *realm, txID moduleID, txSlot *name)
{
    (void)realm, (void)moduleID;
    return strcmp(name->value.string, program.name) == 0 ? fxNewNameC(the, name->value.string) : XS_NO_ID;
}

void fxLoadModule(txMachine *the, txSlot *module, txID moduleID)
{
    fxResolveModule(the, module, moduleID, program.script, NULL, NULL);
}

/* Runs the top level of the bundle: in the flash machine if the bundle is preloaded, else in the
   device's. Exceptions propagate. */
void programLoad(txMachine *the)
{
    xsAwaitImport(program.name, XS_IMPORT_NAMESPACE);
}

/* Calls the default export of the preloaded bundle. */
void programMain(txMachine *the)
{
    xsResult = xsAwaitImport(program.name, XS_IMPORT_DEFAULT);
    if (!fxIsCallable(the, mxResult))
        hostFail(EXIT_SOFTWARE, "The default export of %s is not a function: it cannot be preloaded.",
            printable(program.name, QUOTED_PATH));
    xsCallFunction0(xsResult, xsUndefined);
}

/* Makes an object read-only, as the linker does, so that the clone cannot change flash. */
static void freeze(txSlot *instance)
{
    txSlot *property = instance->next;
    if (instance->kind != XS_INSTANCE_KIND || !property || !(property->flag & XS_INTERNAL_FLAG))
        return;
    switch (property->kind) {
    case XS_ARRAY_BUFFER_KIND:
    case XS_DATA_VIEW_KIND:
    case XS_TYPED_ARRAY_KIND:
    case XS_REGEXP_KIND:
    case XS_MAP_KIND:
    case XS_SET_KIND:
    case XS_WEAK_MAP_KIND:
    case XS_WEAK_SET_KIND:
    case XS_WEAK_REF_KIND:
    case XS_PROMISE_KIND:
    case XS_PROXY_KIND:
        instance->flag |= XS_DONT_PATCH_FLAG;
        for (; property; property = property->next)
            property->flag |=
                property->kind == XS_ACCESSOR_KIND ? XS_DONT_DELETE_FLAG : XS_DONT_DELETE_FLAG | XS_DONT_SET_FLAG;
    }
}

/* Changes values with bytes in chunks to their "X" kind, which the clone's garbage collector neither
   marks nor moves. */
static void useFromFlash(txSlot *slot, txSlot *end)
{
    for (; slot < end; slot++) {
        switch (slot->kind) {
        case XS_STRING_KIND:
            slot->kind = XS_STRING_X_KIND;
            break;
        case XS_BIGINT_KIND:
            slot->kind = XS_BIGINT_X_KIND;
            break;
        case XS_KEY_KIND:
            slot->kind = XS_KEY_X_KIND;
            break;
        case XS_CODE_KIND:
            slot->kind = XS_CODE_X_KIND;
            break;
        case XS_REGEXP_KIND:
            /* XS allocates the match state in RAM. SDK 8.2.3 (fxAllocateRegExpData) allocates it with
               malloc, but the collector treats it as a chunk and overwrites the bytes before it: a chip
               panics, a desktop usually does not. */
            if (XS_MAJOR_VERSION > 13)
                hostFail(EXIT_SOFTWARE, "A regular expression is preloaded: XS of the Moddable SDK panics on it.");
            slot->value.regexp.data = NULL;
            break;
        case XS_ARRAY_KIND:
            useFromFlash(slot->value.array.address, slot->value.array.address + fxGetIndexSize(NULL, slot));
            break;
        }
    }
}

static bool isFrozen(const txSlot *slot)
{
    return (slot->flag & XS_DONT_DELETE_FLAG) && (slot->kind == XS_ACCESSOR_KIND || (slot->flag & XS_DONT_SET_FLAG));
}

static bool isInstanceFrozen(txSlot *instance)
{
    txSlot *property;
    if (!(instance->flag & XS_DONT_PATCH_FLAG))
        return false;
    for (property = instance->next; property; property = property->next) {
        txIndex i, count = property->kind == XS_ARRAY_KIND ? fxGetIndexSize(NULL, property) : 0;
        for (i = 0; i < count; i++)
            if (!isFrozen(property->value.array.address + i))
                return false;
        if (!isFrozen(property))
            return false;
    }
    return true;
}

/* Makes the flash machine read-only and ready to be cloned: fxShareMachine, plus what it leaves to the
   SDK's linker (fxPrepareHeap in xslSlot.c).

   When the clone changes an object or a variable in flash, XS copies it to RAM and enters the copy in a
   table; its index in the table is the ID of the instance or of the variable's slot. fxShareMachine
   numbers these IDs from 0, but 0 means "none", so renumber them from 1. */
void programShare(txMachine *flash)
{
    txSlot *heap, *slot;
    txID alias = 1, id;
    /* The global object caches where it finds the built-in names. Fill the cache now. */
    for (id = XS_SYMBOL_ID_COUNT; id < XS_INTRINSICS_COUNT; id++)
        fxGlobalGetProperty(flash, flash->stackTop[-1 - mxGlobalStackIndex].value.reference, id, 0, XS_ANY);
    /* Collect now: in the middle of fxShareMachine the collector would find slots that it does not
       expect. */
    fxCollectGarbage(flash);
    fxEnableGarbageCollection(flash, 0);
    fxShareMachine(flash);
    for (heap = flash->firstHeap; heap; heap = heap->next) {
        txSlot *end = heap->value.reference;
        for (slot = heap + 1; slot < end; slot++) {
            freeze(slot);
            if (slot->kind == XS_INSTANCE_KIND)
                slot->ID = isInstanceFrozen(slot) ? XS_NO_ID : alias++;
            else if (slot->kind == XS_CLOSURE_KIND && slot->value.closure)
                slot->value.closure->ID = XS_NO_ID;
        }
        useFromFlash(heap + 1, end);
    }
    for (heap = flash->firstHeap; heap; heap = heap->next)
        for (slot = heap + 1; slot < heap->value.reference; slot++)
            if (slot->kind == XS_CLOSURE_KIND && slot->value.closure) {
                txSlot *variable = slot->value.closure;
                if (!(variable->flag & XS_DONT_SET_FLAG) && variable->ID == XS_NO_ID)
                    variable->ID = alias++;
            }
    flash->aliasCount = alias;
}
