/*
 * options.c: command-line options.
 */

#include "options.h"
#include "output.h"
#include "words.h"

static Options options = { .chunks = 20000, .slots = 2112, .stack = 512, .heapLimit = 64 << 20 };

static const char *usage(void)
{
    static char text[2048];
    snprintf(text, sizeof(text),
        "usage: esp32gpt-xs --bundle FILE.js [options]\n"
        "  --bundle FILE.js     the program: an ES module without imports\n"
        "  --cache FILE         keep the compiled program in this file, which is for this executable only\n"
        "  --preload            run the top level of the program in flash, like a preloaded module of\n"
        "                       the SDK, and call its default export on the device\n"
        "  --names FILE         the bytes of host.names, read in place\n"
        "  --request JSON       the string host.request\n"
        "  --with-parent PID    end when the process PID does, which must be the one that starts this\n"
        "  --chunks BYTES       initial size of the chunk heap (%d)\n"
        "  --slots COUNT        initial number of slots (%d), of %zu bytes each\n"
        "  --stack SLOTS        size of the stack (%d)\n"
        "  --heap-limit BYTES   what chunks, slots and stack may take together (%zu)\n",
        (int)options.chunks, (int)options.slots, sizeof(txSlot), (int)options.stack, options.heapLimit);
    return text;
}

static long parseCount(const char *name, const char *value, long least, long most)
{
    const char *at = value;
    int64_t result = 0;
    for (; *at >= '0' && *at <= '9' && result <= most; at++)
        result = 10 * result + (*at - '0');
    if (at == value || *at || result < least || result > most)
        hostFail(EXIT_USAGE, "%s must be a whole number from %ld to %ld, not \"%s\".", name, least, most,
            printable(value, QUOTED));
    return (long)result;
}

const Options *parseOptions(int argc, char **argv)
{
    const long most = 1 << 30;
    int i;
    for (i = 1; i < argc; i++) {
        const char *name = argv[i], *value;
        if (strcmp(name, "--help") == 0) {
            const char *text = usage();
            exit(hostWrite(STDOUT_FILENO, text, strlen(text)) < 0 ? EXIT_SOFTWARE : 0);
        }
        if (strcmp(name, "--preload") == 0) {
            options.preload = true;
            continue;
        }
        value = argv[++i];
        if (!value)
            hostFail(EXIT_USAGE, "%s needs a value, or is not an option.", printable(name, QUOTED));
        if (strcmp(name, "--bundle") == 0)
            options.bundle = value;
        else if (strcmp(name, "--cache") == 0)
            options.cache = value;
        else if (strcmp(name, "--names") == 0)
            options.surroundings.names = value;
        else if (strcmp(name, "--request") == 0)
            options.surroundings.request = value;
        else if (strcmp(name, "--with-parent") == 0)
            options.parent = parseCount(name, value, 1, most);
        else if (strcmp(name, "--chunks") == 0)
            options.chunks = (txSize)parseCount(name, value, 1024, most);
        else if (strcmp(name, "--slots") == 0)
            options.slots = (txSize)parseCount(name, value, 64, most / (long)sizeof(txSlot));
        else if (strcmp(name, "--stack") == 0)
            options.stack = (txSize)parseCount(name, value, 64, most / (long)sizeof(txSlot));
        else if (strcmp(name, "--heap-limit") == 0)
            options.heapLimit = (size_t)parseCount(name, value, 1, most);
        else
            hostFail(EXIT_USAGE, "There is no option %s.", printable(name, QUOTED));
    }
    if (!options.bundle)
        hostFail(EXIT_USAGE, "%s--bundle is missing.", usage());
    return &options;
}
