/*
 * main.c: the device simulator. It runs the device program (a bundle of JavaScript) in the XS engine
 * on a desktop, with the memory of an ESP32.
 *
 * Each file has a header of the same name and uses only files below it in this list:
 *
 *   main
 *   options                   the command line
 *   bindings                  the global `host` object
 *   storage, natives          host.storage, native()
 *   program, loop             the bundle; timers, lines from stdin, promise jobs
 *   values, errors, cache     JavaScript values in C; error messages with source lines; the compiled bundle
 *   memory, bytecode, writer  the limited heap; the layout of bytecode; atomic files
 *   output, words, parent     messages and exit; their text; ending with the parent
 *
 * main creates the two machines (program.c says why two), runs the bundle once, then the event loop:
 * timers, lines from stdin, promise jobs. When nothing is pending, the program exits with code 0.
 */

#include "bindings.h"
#include "errors.h"
#include "loop.h"
#include "memory.h"
#include "options.h"
#include "output.h"
#include "parent.h"
#include "program.h"
#include "words.h"
#include "xsmc.h"

static void runProgram(txMachine *machine, txCallback function)
{
    xsBeginHost(machine);
    {
        xsTry
            function(the);
        xsCatch
            failUncaught(the);
    }
    xsEndHost(machine);
}

int main(int argc, char **argv)
{
    static Heap flash, ram;
    static txMachine *builtins, *the;
    /* The parser serves eval, new Function and the like. The clone shares the sizes of the tables. The chunks
       hold what the top level of the bundle makes, without a collection of garbage in between. */
    txCreation flashCreation = {
        .initialChunkSize = 1 << 20,
        .incrementalChunkSize = 16 << 10,
        .initialHeapCount = 8192,
        .incrementalHeapCount = 1024,
        .stackCount = 4096,
        .initialKeyCount = 4096,
        .incrementalKeyCount = 1024,
        .nameModulo = 127,
        .symbolModulo = 3,
        .parserBufferSize = 1024,
        .parserTableModulo = 127,
    };
    txCreation creation = flashCreation;
    const Options *options;
    size_t initial;

    outputPrepare();
    options = parseOptions(argc, argv);
    if (options->parent)
        parentFollow(options->parent);
    creation.initialChunkSize = options->chunks;
    creation.incrementalChunkSize = 1024;
    creation.initialHeapCount = options->slots;
    creation.incrementalHeapCount = 64;
    creation.stackCount = options->stack;
    initial =
        (size_t)options->chunks + sizeof(txBlock) + ((size_t)options->slots + (size_t)options->stack) * sizeof(txSlot);
    if (initial > options->heapLimit)
        hostFail(EXIT_MEMORY, "The initial chunks, slots and stack need %zu bytes, but the heap limit is %zu.", initial,
            options->heapLimit);

    heapCreate(&flash, "flash", 64 << 20);
    builtins = fxCreateMachine(&flashCreation, "flash", &flash, XS_NO_ID);
    if (!builtins)
        hostFail(EXIT_SOFTWARE, "XS cannot create its built-in objects.");
    programCompile(builtins, options->bundle, options->cache);
    bindingsInstall(builtins, &options->surroundings);
    if (options->preload) {
        runProgram(builtins, programLoad);
        if (loopHasPromiseJobs())
            hostFail(EXIT_SOFTWARE, "%s waits for a promise: it cannot be preloaded.",
                printable(options->bundle, QUOTED_PATH));
    }
    programShare(builtins);
    heapProtect(&flash);

    /* Property IDs have 16 bits. XS does not detect when it runs out of IDs, but it does detect a full
       table, so make the table as large as the IDs allow, and of fixed size. */
    creation.initialKeyCount = 0xFFFF - builtins->keyIndex;
    creation.incrementalKeyCount = 0;
    heapCreate(&ram, "heap", options->heapLimit);
    the = fxCloneMachine(&creation, builtins, "esp32gpt", &ram);
    if (!the)
        hostFail(EXIT_SOFTWARE, "XS cannot create a machine.");
    loopCreate(the);
    runProgram(the, options->preload ? programMain : programLoad);
    loopRun(the);
    return 0;
}
