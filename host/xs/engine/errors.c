/*
 * errors.c: error messages with source lines.
 *
 * The engine is compiled without its debugger, so it does not track source lines. But the bytecode of the bundle
 * contains LINE opcodes, which do nothing, and every stack frame has a code address: lineOf finds the last LINE
 * before that address. So error.stack and the report of an uncaught exception have source lines at no run-time cost.
 */

#include "errors.h"
#include "bytecode.h"
#include "memory.h"
#include "output.h"
#include "words.h"

/* Compiles the engine's table of default functions here, with one entry replaced by ours. */
#define fxCaptureErrorStack captureErrorStack
static void captureErrorStack(txMachine *the, txSlot *internal, txSlot *frame);
#include "xsDefaults.c"
#undef fxCaptureErrorStack

/* The line of the last LINE opcode before the address `at` in the function that begins at `code`. The
   code of nested functions is embedded in it and skipped. */
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
            /* XS 17 has LINE 0 where the parameters of a function end: keep the previous line. */
            if (p[1] | p[2])
                line = p[1] | p[2] << 8;
            break;
        case XS_CODE_CODE_1:
        case XS_CODE_CODE_ARCHIVE_1:
            next += (txS1)p[1];
            break;
        case XS_CODE_CODE_2:
        case XS_CODE_CODE_ARCHIVE_2:
            next += (txS2)(p[1] | p[2] << 8);
            break;
        case XS_CODE_CODE_4:
        case XS_CODE_CODE_ARCHIVE_4:
            next += (txS4)((txU4)p[1] | (txU4)p[2] << 8 | (txU4)p[3] << 16 | (txU4)p[4] << 24);
            break;
        }
        code = next;
    }
    return line;
}

/* The file and line of a frame. `at` is the address of its next instruction: for the innermost frame the
   machine's, for others the one that the called frame has saved. */
static txInteger locate(txMachine *the, txSlot *frame, const txByte *at, txID *file)
{
    txSlot *function = frame + (mxFunction - the->frame);   /* XS documents this for the innermost frame only */
    *file = XS_NO_ID;
    if (!at || (frame->flag & XS_C_FLAG) || function->kind != XS_REFERENCE_KIND)
        return 0;
    function = mxFunctionInstanceCode(function->value.reference);
    if (!function || (function->kind != XS_CODE_KIND && function->kind != XS_CODE_X_KIND))
        return 0;
    return lineOf(function->value.code.address, at, file);
}

/* XS's hook for new errors. The engine's own function builds the stack trace from the file and line in
   each frame, which only the debugger updates. So update them first. */
static void captureErrorStack(txMachine *the, txSlot *internal, txSlot *from)
{
    txSlot *frame;
    const txByte *at = the->code;
    for (frame = the->frame; frame; frame = frame->next) {
        txSlot *environment = mxFrameToEnvironment(frame);
        environment->value.environment.line = locate(the, frame, at, &environment->ID);
        at = frame->value.frame.code;
    }
    fxCaptureErrorStack(the, internal, from);
}

/* " at bundle.js:12" for the innermost frame with a line, or "". */
static const char *errorLocation(txMachine *the, txSlot *frame)
{
    static char location[4 * QUOTED + 32];
    const txByte *at = the->code;
    location[0] = 0;
    for (; frame; frame = frame->next) {
        txID file;
        txInteger line = locate(the, frame, at, &file);
        if (line) {
            const char *name = fxGetKeyName(the, file);
            snprintf(location, sizeof(location), " at %s:%d", name ? printable(name, QUOTED) : "?", (int)line);
            break;
        }
        at = frame->value.frame.code;
    }
    return location;
}

/* Prints an exception on stderr: one line for the error, one per frame, then the same for its cause. */
static void describe(txMachine *the, txSlot *exception, int depth)
{
    txSlot *frame;
    mxPushSlot(exception);
    if (exception->kind == XS_SYMBOL_KIND)
        fxSymbolToString(the, the->stack);
    hostSay("%s\n", printable(fxToString(the, the->stack), QUOTED_MOST));
    mxPop();
    if (exception->kind != XS_REFERENCE_KIND)
        return;
    frame = exception->value.reference->next;
    if (!frame || frame->kind != XS_ERROR_KIND)
        return;
    frame = frame->value.error.info;
    while (frame && (frame = frame->next)) {
        const char *function = frame->value.key.string, *file = fxGetKeyName(the, frame->ID);
        hostSay("    at ");
        if (function && *function)
            hostSay("%s ", printable(function, QUOTED));
        if (file && frame->value.key.sum)
            hostSay("(%s:%d)\n", printable(file, QUOTED), (int)frame->value.key.sum);
        else
            hostSay("(native)\n");
    }
    mxPushSlot(exception);
    mxGetID(mxID(_cause));
    if (the->stack->kind != XS_UNDEFINED_KIND && depth < 8) {
        hostSay("caused by ");
        describe(the, the->stack, depth + 1);
    }
    mxPop();
}

static void reportException(txMachine *the, txSlot *exception)
{
    static bool reporting;   /* describing an exception may throw */
    mxPushSlot(exception);
    mxTry(the) {
        if (!reporting) {
            txSlot *thrown = the->stack;
            reporting = true;
            fxBeginHost(the);
            describe(the, thrown, 0);
            fxEndHost(the);
        }
    } mxCatch(the) {
        hostSay("Error: something was thrown that cannot be described\n");
    }
    mxPop();
}

void failUncaught(txMachine *the)
{
    reportException(the, &mxException);
    exit(EXIT_SOFTWARE);
}

/* XS calls this when it cannot continue. No JavaScript may run here, except to describe an exception. */
void fxAbort(txMachine *the, int status)
{
    Heap *heap = heapOf(the);
    size_t taken = (size_t)(heap->chunks - heap->bottom) + (size_t)(heap->top - heap->slots);
    const char *where = errorLocation(the, the->frame);

    switch (status) {
    case XS_NOT_ENOUGH_MEMORY_EXIT:
        if (heap->refusedBytes)
            hostFail(EXIT_MEMORY,
                "The heap is full%s: XS asked for %zu more bytes for %s, "
                "%zu of %zu bytes of the %s were taken (chunks %zu, slots and stack %zu).",
                where, heap->refusedBytes, heap->refusedWhat, taken, heap->size, heap->name,
                (size_t)(heap->chunks - heap->bottom), (size_t)(heap->top - heap->slots));
        hostFail(EXIT_MEMORY,
            "The heap is full%s: one object is too large, "
            "%zu of %zu bytes of the %s were taken.",
            where, taken, heap->size, heap->name);
#if XS_MAJOR_VERSION > 13
    case XS_NATIVE_STACK_OVERFLOW_EXIT:
    case XS_JAVASCRIPT_STACK_OVERFLOW_EXIT:
#else
    case XS_STACK_OVERFLOW_EXIT:
#endif
        if ((char *)__builtin_frame_address(0) < the->stackLimit + 4096)
            hostFail(EXIT_MEMORY, "The stack has overflowed%s: the C stack is exhausted.", where);
        hostFail(EXIT_MEMORY, "The stack has overflowed%s: the XS stack of %zu slots (%zu bytes) is exhausted.", where,
            (size_t)(the->stackTop - the->stackBottom), (size_t)(the->stackTop - the->stackBottom) * sizeof(txSlot));
    case XS_NO_MORE_KEYS_EXIT:
        hostFail(EXIT_MEMORY, "There are no more property names%s: XS is limited to %d.", where, 0xFFFF);
    case XS_UNHANDLED_EXCEPTION_EXIT:
    case XS_UNHANDLED_REJECTION_EXIT:
        failUncaught(the);
    default:
        hostFail(EXIT_SOFTWARE, "XS stopped%s with status %d.", where, status);
    }
}
