/*
 * cache.c: the compiled program in a file, so that the next start need not compile it.
 */

#include "cache.h"
#include "output.h"
#include "writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file: this, the bytecode, and the names in it. */
typedef struct {
    uint64_t checksum;
    txSize code, symbols;      /* sizes in bytes */
} Header;

/* As FNV-1a, but eight bytes at a time. Each step is a bijection, so that a change of one word always shows. */
static uint64_t mix(uint64_t sum, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        uint64_t word = 0;
        size_t taken = size < sizeof(word) ? size : sizeof(word);
        memcpy(&word, at, taken);
        sum = (sum ^ word) * 0x100000001B3;
        sum ^= sum >> 29;
        at += taken;
        size -= taken;
    }
    return sum;
}

static uint64_t checksumOf(const ProgramSource *source, const txScript *script)
{
    const uint64_t sizes[] = { source->size, (uint64_t)script->codeSize, (uint64_t)script->symbolsSize };
    uint64_t sum = mix(0xCBF29CE484222325, sizes, sizeof(sizes));
    sum = mix(sum, source->name, strlen(source->name));
    sum = mix(sum, source->bytes, source->size);
    sum = mix(sum, script->codeBuffer, (size_t)script->codeSize);
    return mix(sum, script->symbolsBuffer, (size_t)script->symbolsSize);
}

static bool readInto(int fd, void *bytes, size_t size)
{
    char *at = bytes;
    while (size > 0) {
        ssize_t count = read(fd, at, size);
        if (count <= 0)
            return false;
        at += count;
        size -= (size_t)count;
    }
    return true;
}

static txScript *readScript(int fd, const ProgramSource *source)
{
    struct stat status;
    Header header;
    txScript *script;
    if (fstat(fd, &status) < 0 || !readInto(fd, &header, sizeof(header)))
        return NULL;
    /* The sizes add up to that of the file, so that a damaged one asks for no more memory than that. */
    if (header.code <= 0 || header.symbols <= 0
        || status.st_size != (off_t)sizeof(header) + (off_t)header.code + (off_t)header.symbols)
        return NULL;
    script = hostAllocate(sizeof(txScript));
    script->codeSize = header.code;
    script->symbolsSize = header.symbols;
    script->codeBuffer = hostAllocate((size_t)header.code);
    script->symbolsBuffer = hostAllocate((size_t)header.symbols);
    if (readInto(fd, script->codeBuffer, (size_t)header.code)
        && readInto(fd, script->symbolsBuffer, (size_t)header.symbols) && checksumOf(source, script) == header.checksum)
        return script;
    fxDeleteScript(script);
    return NULL;
}

txScript *cacheRead(const char *path, const ProgramSource *source)
{
    txScript *script;
    int fd = open(path, O_RDONLY | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    script = readScript(fd, source);
    close(fd);
    return script;
}

void cacheWrite(const char *path, const ProgramSource *source, const txScript *script)
{
    Header header;
    Writer *writer;
    if (script->hostsBuffer || strlen(path) >= PATH_SIZE)
        return;
    writer = writerOpen(path, NULL);
    if (!writer)
        return;
    memset(&header, 0, sizeof(header));
    header.checksum = checksumOf(source, script);
    header.code = script->codeSize;
    header.symbols = script->symbolsSize;
    if (hostWrite(writer->fd, &header, sizeof(header)) == 0
        && hostWrite(writer->fd, script->codeBuffer, (size_t)script->codeSize) == 0
        && hostWrite(writer->fd, script->symbolsBuffer, (size_t)script->symbolsSize) == 0)
        writerCommit(writer);
    else
        writerClose(writer);
    free(writer);
}
