/*
 * main.c: the device simulator. It runs the device program (a bundle of JavaScript) in the XS engine
 * on a desktop, with the memory of an ESP32.
 *
 * The files stand on each other, each with a header of its name, and use only what is below them:
 *
 *   main
 *   options                   the command line
 *   bindings                  the global `host` object
 *   storage, natives          host.storage, native()
 *   program, loop             the bundle; timers, lines from stdin, promise jobs
 *   values, errors            JavaScript seen from C; what went wrong, and where in the source
 *   memory, bytecode, writer  the heap with its limit; the code in it; files that are replaced
 *   output, words, parent     saying, failing, and ending with whoever started this
 *
 * main makes the two machines (program.c says why two), runs the bundle once and then whatever it
 * has asked for: timers, lines from stdin, promise jobs. When nothing is left to do, the program ends
 * with exit code 0.
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
    /* The parser is used by eval, new Function and the like. The clone shares the tables' sizes. */
    txCreation flashCreation = {
        .initialChunkSize = 64 << 10,
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
        hostFail(EXIT_MEMORY,
            "The machine asks for %zu bytes of chunks, slots and stack to begin with, but the heap limit is %zu.",
            initial, options->heapLimit);

    heapCreate(&flash, "flash", 64 << 20);
    builtins = fxCreateMachine(&flashCreation, "flash", &flash, XS_NO_ID);
    if (!builtins)
        hostFail(EXIT_SOFTWARE, "XS cannot make its built-in objects.");
    programCompile(builtins, options->bundle);
    bindingsInstall(builtins, &options->surroundings);
    if (options->preload) {
        runProgram(builtins, programLoad);
        if (loopHasPromiseJobs())
            hostFail(EXIT_SOFTWARE, "%s waits for a promise: it cannot be preloaded.",
                printable(options->bundle, QUOTED_PATH));
    }
    programShare(builtins);
    heapProtect(&flash);

    /* Property names have 16-bit numbers. XS does not notice when it runs out of numbers, but it does
       when it runs out of places in its table, so let that be large enough and of fixed size. */
    creation.initialKeyCount = 0xFFFF - builtins->keyIndex;
    creation.incrementalKeyCount = 0;
    heapCreate(&ram, "heap", options->heapLimit);
    the = fxCloneMachine(&creation, builtins, "esp32gpt", &ram);
    if (!the)
        hostFail(EXIT_SOFTWARE, "XS cannot make a machine.");
    loopCreate(the);
    runProgram(the, options->preload ? programMain : programLoad);
    loopRun(the);
    return 0;
}
