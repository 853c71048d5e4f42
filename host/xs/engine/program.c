/*
 * program.c: the bundle.
 *
 * On a device the SDK's linker puts bytecode, property names and the built-in objects into flash;
 * only what the program itself makes at run time takes RAM. This file does the same with two
 * machines. The first one, "flash", holds the built-in objects and the names that the bundle uses;
 * it is then frozen with fxShareMachine. The second one is cloned from it and has the memory of the
 * device. The bytecode stays in one malloc'ed buffer: the linker's way of saying "this code (or
 * string) is in flash, use it in place" is an opcode of its own, XS_CODE_CODE_ARCHIVE instead of
 * XS_CODE_CODE, and so on.
 *
 * The second story of this file is errors. The engine is compiled without its debugger, so it does
 * not keep track of source lines; but the bundle is compiled with LINE opcodes in the bytecode, and
 * every frame has the address of its code. lineOf finds the last LINE before that address.
 */

#include "host.h"
#include "xsScript.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* The engine's table of defaults, compiled here so that one entry can be our own. */
#define fxCaptureErrorStack captureErrorStack
static void captureErrorStack(txMachine *the, txSlot *internal, txSlot *frame);
#include "xsDefaults.c"
#undef fxCaptureErrorStack

/* A function of the engine that its headers do not declare. */
extern void fxRemapIDs(txMachine *the, txByte *codeBuffer, txSize codeSize, txID *theIDs);

static struct {
    const char *name;          /* how the bundle is called in error messages: bundle.js */
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
        hostFail(EXIT_NO_INPUT, "cannot open %s: %s", path, strerror(errno));
    bytes = malloc(room);
    while (bytes && (count = read(fd, bytes + length, room - length)) != 0) {
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            hostFail(EXIT_NO_INPUT, "cannot read %s: %s", path, strerror(errno));
        length += (size_t)count;
        if (length == room)
            bytes = realloc(bytes, room *= 2);
    }
    if (!bytes)
        hostFail(EXIT_NO_INPUT, "%s is too large", path);
    close(fd);
    *size = length;
    return bytes;
}

/* The first error in the source ends the program, in the format of an uncaught exception. */
static void reportSyntaxError(void *console, txString path, txInteger line, txString format, va_list arguments)
{
    (void)console;
    fprintf(stderr, "SyntaxError: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n    at (%s:%d)\n", path ? path : "?", (int)line);
    exit(EXIT_SOFTWARE);
}

static void ignoreWarning(void *console, txString path, txInteger line, txString format, va_list arguments)
{
    (void)console, (void)path, (void)line, (void)format, (void)arguments;
}

/* The size of the instruction at `code`. gxCodeSizes has the size, or 0 for an opcode with a property
   ID, or minus the width of the length of the data that follows. */
static size_t instructionSize(const txByte *code)
{
    const txU1 *p = (const txU1 *)code;
    txS1 size = gxCodeSizes[*p];
    switch (size) {
    case 0: return 1 + sizeof(txID);
    case -1: return 2 + (size_t)p[1];
    case -2: return 3 + ((size_t)p[1] | (size_t)p[2] << 8);
    case -4: return 5 + ((size_t)p[1] | (size_t)p[2] << 8 | (size_t)p[3] << 16 | (size_t)p[4] << 24);
    default: return (size_t)size;
    }
}

/* Marks code and strings as "in flash", as the SDK's linker (fxMapCode in xslBase.c) does. */
static void useInPlace(txByte *code, txByte *end)
{
    for (; code < end; code += instructionSize(code)) {
        switch (*(txU1 *)code) {
        case XS_CODE_CODE_1:   *(txU1 *)code = XS_CODE_CODE_ARCHIVE_1; break;
        case XS_CODE_CODE_2:   *(txU1 *)code = XS_CODE_CODE_ARCHIVE_2; break;
        case XS_CODE_CODE_4:   *(txU1 *)code = XS_CODE_CODE_ARCHIVE_4; break;
        case XS_CODE_STRING_1: *(txU1 *)code = XS_CODE_STRING_ARCHIVE_1; break;
        case XS_CODE_STRING_2: *(txU1 *)code = XS_CODE_STRING_ARCHIVE_2; break;
        case XS_CODE_STRING_4: *(txU1 *)code = XS_CODE_STRING_ARCHIVE_4; break;
        }
    }
}

/* The parser numbers the names that the script uses; replace the numbers with the machine's IDs. */
static void internNames(txMachine *the, txScript *script)
{
    txByte *p = script->symbolsBuffer;
    txID count, i, *ids;
    mxDecodeID(p, count);
    ids = malloc((size_t)count * sizeof(txID));
    if (!ids)
        hostFail(EXIT_MEMORY, "this computer has no memory for the names of %s", program.name);
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

/* The parser's memory comes from malloc, not from the heap. */
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
        hostFail(EXIT_SOFTWARE, "XS cannot compile %s", program.name);
    return script;
}

/* Compiles the file as an ES module: its variables are then found as fast as those of a module on the
   device, while those of a classic script would be properties that are searched by name. */
void programCompile(txMachine *flash, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t size;
    unsigned char *bytes = readFile(path, &size);
    Source source = { bytes, bytes + size };
    txSize slots = flash->currentHeapCount, chunks = flash->currentChunksSize;
    txScript *script;

    program.name = slash ? slash + 1 : path;
    script = parseModule(flash, &source);
    free(bytes);
    fxNewNameC(flash, (txString)program.name);
    internNames(flash, script);
    useInPlace(script->codeBuffer, script->codeBuffer + script->codeSize);
    program.script = script;
    program.size.code = script->codeSize;
    program.size.names = (flash->currentHeapCount - slots) * (txSize)sizeof(txSlot)
        + flash->currentChunksSize - chunks;
}

/* --- share and run --- */

/* Makes the machine read-only and ready to be cloned. What fxShareMachine leaves to the linker is
   done here: values whose bytes are in chunks of this machine become the "X" kind, which the clone's
   garbage collector neither marks nor moves, and the one object that got the alias number 0, which
   means "none", gets another one. */
void programShare(txMachine *flash)
{
    txSlot *heap, *slot;
    bool first = true;
    fxShareMachine(flash);
    for (heap = flash->firstHeap; heap; heap = heap->next) {
        for (slot = heap + 1; slot < heap->value.reference; slot++) {
            switch (slot->kind) {
            case XS_STRING_KIND: slot->kind = XS_STRING_X_KIND; break;
            case XS_BIGINT_KIND: slot->kind = XS_BIGINT_X_KIND; break;
            case XS_KEY_KIND: slot->kind = XS_KEY_X_KIND; break;
            case XS_CODE_KIND: slot->kind = XS_CODE_X_KIND; break;
            case XS_INSTANCE_KIND:
                if (first && !(slot->flag & XS_DONT_PATCH_FLAG)) {
                    slot->ID = flash->aliasCount++;
                    first = false;
                }
                break;
            }
        }
    }
}

/* XS asks for modules by name. There is one. */
txID fxFindModule(txMachine *the, txSlot *realm, txID moduleID, txSlot *name)
{
    (void)realm, (void)moduleID;
    return strcmp(name->value.string, program.name) == 0 ? fxNewNameC(the, name->value.string) : XS_NO_ID;
}

void fxLoadModule(txMachine *the, txSlot *module, txID moduleID)
{
    fxResolveModule(the, module, moduleID, program.script, NULL, NULL);
}

/* Runs the top level of the bundle. What it throws is thrown here. */
void programRun(txMachine *the)
{
    xsAwaitImport(program.name, XS_IMPORT_NAMESPACE);
}

/* --- errors --- */

/* The last LINE before the address `at` in the function that begins at `code`. The code of functions
   inside the function is in the middle of its own code, and skipped. */
static txInteger lineOf(const txByte *code, const txByte *at, txID *file)
{
    txInteger line = 0;
    while (code < at) {
        const txU1 *p = (const txU1 *)code;
        const txByte *next = code + instructionSize(code);
        switch (*p) {
        case XS_CODE_FILE: {
            const txByte *operand = code + 1;
            memcpy(file, operand, sizeof(txID));
            break;
        }
        case XS_CODE_LINE:
            line = p[1] | p[2] << 8;
            break;
        case XS_CODE_CODE_1: case XS_CODE_CODE_ARCHIVE_1:
            next += (txS1)p[1];
            break;
        case XS_CODE_CODE_2: case XS_CODE_CODE_ARCHIVE_2:
            next += (txS2)(p[1] | p[2] << 8);
            break;
        case XS_CODE_CODE_4: case XS_CODE_CODE_ARCHIVE_4:
            next += (txS4)((txU4)p[1] | (txU4)p[2] << 8 | (txU4)p[3] << 16 | (txU4)p[4] << 24);
            break;
        }
        code = next;
    }
    return line;
}

/* The file and line where a frame stands. `at` is the address of its next instruction: the machine's
   for the innermost frame, saved by the frame that it called for the others. */
static txInteger locate(txSlot *frame, const txByte *at, txID *file)
{
    txSlot *function = frame + 3;
    *file = XS_NO_ID;
    if (!at || (frame->flag & XS_C_FLAG) || function->kind != XS_REFERENCE_KIND)
        return 0;
    function = mxFunctionInstanceCode(function->value.reference);
    if (!function || (function->kind != XS_CODE_KIND && function->kind != XS_CODE_X_KIND))
        return 0;
    return lineOf(function->value.code.address, at, file);
}

/* XS's hook for new errors. The engine's own function makes the stack of the error from the file and
   line in each frame, which only the debugger keeps up to date. So bring them up to date first. */
static void captureErrorStack(txMachine *the, txSlot *internal, txSlot *from)
{
    txSlot *frame;
    const txByte *at = the->code;
    for (frame = the->frame; frame; frame = frame->next) {
        txSlot *environment = mxFrameToEnvironment(frame);
        environment->value.environment.line = locate(frame, at, &environment->ID);
        at = frame->value.frame.code;
    }
    fxCaptureErrorStack(the, internal, from);
}

/* " at bundle.js:12" for the innermost frame that has a line, or "". */
const char *programLocation(txMachine *the, txSlot *frame)
{
    static char location[160];
    const txByte *at = the->code;
    location[0] = 0;
    for (; frame; frame = frame->next) {
        txID file;
        txInteger line = locate(frame, at, &file);
        if (line) {
            const char *name = fxGetKeyName(the, file);
            snprintf(location, sizeof(location), " at %s:%d", name ? name : "?", (int)line);
            break;
        }
        at = frame->value.frame.code;
    }
    return location;
}

/* Says what was thrown on stderr, one line for the error, one for each frame. */
static void reportError(txMachine *the, txSlot *exception)
{
    txSlot *slot;
    fxBeginHost(the);
    mxPushSlot(exception);
    if (exception->kind == XS_SYMBOL_KIND)
        fxSymbolToString(the, the->stack);
    fprintf(stderr, "%s\n", fxToString(the, the->stack));
    mxPop();
    if (exception->kind == XS_REFERENCE_KIND) {
        slot = exception->value.reference->next;
        slot = slot && slot->kind == XS_ERROR_KIND ? slot->value.error.info : NULL;
        for (slot = slot ? slot->next : NULL; slot; slot = slot->next) {
            const char *function = slot->value.key.string, *file = fxGetKeyName(the, slot->ID);
            fprintf(stderr, "    at ");
            if (function && *function)
                fprintf(stderr, "%s ", function);
            if (file && slot->value.key.sum)
                fprintf(stderr, "(%s:%d)\n", file, (int)slot->value.key.sum);
            else
                fprintf(stderr, "(native)\n");
        }
    }
    fxEndHost(the);
}

void programReportException(txMachine *the, txSlot *exception)
{
    static bool reporting;   /* an exception may throw while it is described */
    mxPushSlot(exception);
    mxTry(the) {
        if (!reporting) {
            reporting = true;
            reportError(the, the->stack);
        }
    }
    mxCatch(the) {
        fprintf(stderr, "Error: something was thrown that cannot be described\n");
    }
    mxPop();
}
