/*
 * storage.c: host.storage, files by their path.
 *
 *   open(path)    undefined if there is no such file, else { size, read(position, bytes), close() }
 *   create(path)  { write(bytes), commit(), abort() }
 *
 * A file is replaced as a whole. What is written goes to a temporary file, PATH.PID.tmp; commit()
 * brings it to the disk and renames it, which either happens or does not, whenever the power fails.
 * A temporary file that was not committed is removed by abort(), when the writer is collected or
 * when the program ends.
 */

#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { PATH_SIZE = 1024 };     /* with the NUL at its end */

static txSlot readerPrototype, writerPrototype;

typedef struct {
    int fd;                    /* -1 when closed */
    off_t size;                /* of a file that nobody changes any more */
    char path[PATH_SIZE];
} Reader;

typedef struct sxWriter Writer;
struct sxWriter {
    Writer *next;              /* the other open ones */
    int fd;                    /* -1 when committed or aborted */
    char path[PATH_SIZE];
    char temporary[PATH_SIZE + 32];
};

static Writer *openWriters;

/* A path from the first argument. */
static void pathArgument(txMachine *the, char *path)
{
    const char *string = fxToString(the, argument(the, 0));
    if (!*string || strlen(string) >= PATH_SIZE)
        xsRangeError("A file name has 1 to %d bytes", PATH_SIZE - 1);
    strcpy(path, string);
}

/* Part of the public interface of XS, but declared only where xsAll.h is not included. */
extern void *fxGetHostDataValidate(txMachine *the, txSlot *slot, void *destructor);

/* --- reading --- */

static void destroyReader(void *data)
{
    Reader *reader = data;
    if (!reader)
        return;
    if (reader->fd >= 0)
        close(reader->fd);
    free(reader);
}

static Reader *openReader(txMachine *the)
{
    Reader *reader = fxGetHostDataValidate(the, mxThis, (void *)destroyReader);
    if (!reader || reader->fd < 0)
        xsUnknownError("this file is closed");
    return reader;
}

/* storage.open(path) */
static void xs_storage_open(txMachine *the)
{
    char path[PATH_SIZE];
    struct stat status;
    Reader *reader;
    txSlot size;
    int fd;

    notWhilePreloading(the);
    pathArgument(the, path);
    fd = open(path, O_RDONLY);
    if (fd < 0) {
        if (errno == ENOENT)
            return;
        xsUnknownError("Cannot read %s: %s", path, strerror(errno));
    }
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        xsUnknownError("Cannot read %s: it is no file", path);
    }
    reader = malloc(sizeof(Reader));
    if (!reader)
        fxAbort(the, XS_NOT_ENOUGH_MEMORY_EXIT);
    reader->fd = fd;
    reader->size = status.st_size;
    strcpy(reader->path, path);
    xsmcSetNewHostInstance(xsResult, readerPrototype);
    fxSetHostData(the, mxResult, reader);
    fxNumber(the, &size, (double)status.st_size);
    _xsDefine(the, mxResult, propertyID(the, "size"), &size, xsDontSet);
}

/* file.read(position, bytes): fills the Uint8Array; less only where the file ends. */
static void xs_reader_read(txMachine *the)
{
    Reader *reader = openReader(the);
    double position = fxToNumber(the, argument(the, 0));
    txUnsigned size, done = 0;
    void *bytes;
    if (!(position >= 0 && position <= C_MAX_SAFE_INTEGER) || position != c_floor(position))
        xsRangeError("a position is an integer from 0 on");
    xsmcGetBufferWritable(*argument(the, 1), &bytes, &size);
    while (done < size && position < (double)reader->size) {
        ssize_t count = pread(reader->fd, (char *)bytes + done, size - done, (off_t)position + done);
        if (count == 0)
            break;
        if (count > 0)
            done += (txUnsigned)count;
        else if (errno != EINTR)
            xsUnknownError("Cannot read %s: %s", reader->path, strerror(errno));
    }
    xsmcSetInteger(xsResult, (txInteger)done);
}

/* file.close() */
static void xs_reader_close(txMachine *the)
{
    Reader *reader = fxGetHostDataValidate(the, mxThis, (void *)destroyReader);
    if (reader && reader->fd >= 0) {
        close(reader->fd);
        reader->fd = -1;
    }
}

/* --- writing --- */

static void closeWriter(Writer *writer, bool removeTemporary)
{
    Writer **address = &openWriters;
    if (writer->fd < 0)
        return;
    close(writer->fd);
    writer->fd = -1;
    if (removeTemporary)
        unlink(writer->temporary);
    while (*address != writer)
        address = &(*address)->next;
    *address = writer->next;
}

static void destroyWriter(void *data)
{
    if (!data)
        return;
    closeWriter(data, true);
    free(data);
}

static void removeTemporaries(void)
{
    while (openWriters)
        closeWriter(openWriters, true);
}

static Writer *openWriter(txMachine *the)
{
    Writer *writer = fxGetHostDataValidate(the, mxThis, (void *)destroyWriter);
    if (!writer || writer->fd < 0)
        xsUnknownError("this file is closed");
    return writer;
}

/* Gives up: removes the temporary file and throws. The message is made first, from errno. */
static void failWriter(txMachine *the, Writer *writer)
{
    int error = errno;
    closeWriter(writer, true);
    xsUnknownError("Cannot write %s: %s", writer->path, strerror(error));
}

/* storage.create(path) */
static void xs_storage_create(txMachine *the)
{
    char path[PATH_SIZE];
    Writer *writer, *other;
    struct stat status;

    notWhilePreloading(the);
    pathArgument(the, path);
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        xsUnknownError("Cannot write %s: it is a folder", path);
    for (other = openWriters; other; other = other->next)
        if (strcmp(other->path, path) == 0)
            xsUnknownError("Cannot write %s: it is already being written", path);
    xsmcSetNewHostInstance(xsResult, writerPrototype);
    writer = calloc(1, sizeof(Writer));
    if (!writer)
        fxAbort(the, XS_NOT_ENOUGH_MEMORY_EXIT);
    strcpy(writer->path, path);
    snprintf(writer->temporary, sizeof(writer->temporary), "%s.%ld.tmp", path, (long)getpid());
    writer->fd = open(writer->temporary, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (writer->fd < 0) {
        int error = errno;
        free(writer);
        xsUnknownError("Cannot write %s: %s", path, strerror(error));
    }
    writer->next = openWriters;
    openWriters = writer;
    fxSetHostData(the, mxResult, writer);
}

/* file.write(bytes) */
static void xs_writer_write(txMachine *the)
{
    Writer *writer = openWriter(the);
    txUnsigned size;
    void *bytes;
    xsmcGetBufferReadable(*argument(the, 0), &bytes, &size);
    if (hostWrite(writer->fd, bytes, size) < 0)
        failWriter(the, writer);
}

/* file.commit() */
static void xs_writer_commit(txMachine *the)
{
    Writer *writer = openWriter(the);
    if (fsync(writer->fd) < 0)
        failWriter(the, writer);
    if (rename(writer->temporary, writer->path) < 0)
        failWriter(the, writer);
    closeWriter(writer, false);
}

/* file.abort() */
static void xs_writer_abort(txMachine *the)
{
    Writer *writer = fxGetHostDataValidate(the, mxThis, (void *)destroyWriter);
    if (writer)
        closeWriter(writer, true);
}

/* --- install --- */

void storageInstall(txMachine *the, txSlot *storage)
{
    atexit(removeTemporaries);

    fxNewHostObject(the, destroyReader);
    readerPrototype = *the->stack;
    xsRemember(readerPrototype);
    bindFunction(the, &readerPrototype, "read", xs_reader_read, 2);
    bindFunction(the, &readerPrototype, "close", xs_reader_close, 0);
    mxPop();
    fxNewHostObject(the, destroyWriter);
    writerPrototype = *the->stack;
    xsRemember(writerPrototype);
    bindFunction(the, &writerPrototype, "write", xs_writer_write, 1);
    bindFunction(the, &writerPrototype, "commit", xs_writer_commit, 0);
    bindFunction(the, &writerPrototype, "abort", xs_writer_abort, 0);
    mxPop();

    bindFunction(the, storage, "open", xs_storage_open, 1);
    bindFunction(the, storage, "create", xs_storage_create, 1);
}
