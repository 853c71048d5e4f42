/*
 * storage.c: host.storage, files by their path.
 *
 *   open(path)      { size, read(position, bytes), close() }, or undefined if the file does not exist
 *   create(path)    { write(bytes), commit(), abort() }; an open writer of the same path is aborted
 *   move(from, to)  renames a file; does nothing if it does not exist
 *   remove(path)    removes a file; does nothing if it does not exist
 */

#include "storage.h"
#include "output.h"
#include "values.h"
#include "words.h"
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static txSlot readerPrototype, writerPrototype;

typedef struct {
    int fd;                    /* -1 when closed */
    off_t size;                /* size; the file is never modified in place */
    char path[PATH_SIZE];
} Reader;

static void pathArgument(txMachine *the, int index, char *path)
{
    const char *string = fxToString(the, argument(the, index));
    size_t size = strlen(string);
    if (size == 0 || size >= PATH_SIZE)
        xsRangeError("a file name must have 1 to %d bytes", PATH_SIZE - 1);
    size = utf8FromString(path, string);
    path[size] = 0;
    if (strlen(path) < size)
        xsRangeError("a file name must not contain NUL");
}

/* `error` is an errno. */
static void failFile(txMachine *the, const char *action, const char *path, int error)
{
    throwError(the, "Cannot %s %s: %s", action, printable(path, QUOTED_PATH), reasonOf(error));
}

/* Only a regular file can be read at any position and be replaced. */
static void checkRegular(txMachine *the, const char *action, const char *path, mode_t mode)
{
    if (S_ISDIR(mode))
        failFile(the, action, path, EISDIR);
    if (!S_ISREG(mode))
        throwError(the, "Cannot %s %s: it is not a regular file", action, printable(path, QUOTED_PATH));
}

/* Public interface of XS, but declared only where xsAll.h is not included. */
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
    pathArgument(the, 0, path);
    if (stat(path, &status) == 0)
        checkRegular(the, "read", path, status.st_mode);
    fd = open(path, O_RDONLY | O_NONBLOCK);    /* it may have become a pipe */
    if (fd < 0) {
        if (errno == ENOENT)
            return;
        failFile(the, "read", path, errno);
    }
    if (fstat(fd, &status) < 0) {
        int error = errno;
        close(fd);
        failFile(the, "read", path, error);
    }
    reader = hostAllocate(sizeof(Reader));
    reader->fd = fd;
    reader->size = status.st_size;
    strcpy(reader->path, path);
    xsmcSetNewHostInstance(xsResult, readerPrototype);
    fxSetHostData(the, mxResult, reader);
    fxNumber(the, &size, (double)status.st_size);
    _xsDefine(the, mxResult, propertyID(the, "size"), &size, xsDontSet);
}

/* file.read(position, bytes): fills the Uint8Array; returns fewer bytes only at the end of the file. */
static void xs_reader_read(txMachine *the)
{
    Reader *reader = openReader(the);
    double position = fxToNumber(the, argument(the, 0));
    txUnsigned size, done = 0;
    void *bytes;
    if (!(position >= 0 && position <= C_MAX_SAFE_INTEGER) || position != c_floor(position))
        xsRangeError("a position must be an integer of at least 0");
    xsmcGetBufferWritable(*argument(the, 1), &bytes, &size);
    while (done < size && position < (double)reader->size) {
        ssize_t count = pread(reader->fd, (char *)bytes + done, size - done, (off_t)position + done);
        if (count == 0)
            break;
        if (count > 0)
            done += (txUnsigned)count;
        else if (errno != EINTR)
            failFile(the, "read", reader->path, errno);
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

static void destroyWriter(void *data)
{
    if (!data)
        return;
    writerClose(data);
    free(data);
}

static Writer *openWriter(txMachine *the)
{
    Writer *writer = fxGetHostDataValidate(the, mxThis, (void *)destroyWriter);
    if (!writer)
        xsUnknownError("this file is closed");
    if (writer->fd < 0)
        failFile(the, "write", writer->path, EBADF);
    return writer;
}

/* storage.create(path) */
static void xs_storage_create(txMachine *the)
{
    char path[PATH_SIZE];
    Writer *writer;
    struct stat status;
    mode_t mode = 0;
    bool exists;

    notWhilePreloading(the);
    pathArgument(the, 0, path);
    exists = stat(path, &status) == 0;
    if (exists) {
        checkRegular(the, "write", path, status.st_mode);
        mode = status.st_mode & 07777;
    }
    xsmcSetNewHostInstance(xsResult, writerPrototype);
    writer = writerOpen(path, exists ? &mode : NULL);
    if (!writer)
        failFile(the, "write", path, errno);
    fxSetHostData(the, mxResult, writer);
}

/* file.write(bytes) */
static void xs_writer_write(txMachine *the)
{
    Writer *writer = openWriter(the);
    txUnsigned size;
    void *bytes;
    xsmcGetBufferReadable(*argument(the, 0), &bytes, &size);
    if (hostWrite(writer->fd, bytes, size) < 0) {
        writerClose(writer);
        failFile(the, "write", writer->path, errno);
    }
}

/* file.commit() */
static void xs_writer_commit(txMachine *the)
{
    Writer *writer = openWriter(the);
    if (writerCommit(writer) < 0)
        failFile(the, "write", writer->path, errno);
}

/* file.abort() */
static void xs_writer_abort(txMachine *the)
{
    Writer *writer = fxGetHostDataValidate(the, mxThis, (void *)destroyWriter);
    if (writer)
        writerClose(writer);
}

/* --- moving --- */

/* storage.move(from, to) */
static void xs_storage_move(txMachine *the)
{
    char from[PATH_SIZE], to[PATH_SIZE];
    struct stat status;

    notWhilePreloading(the);
    pathArgument(the, 0, from);
    pathArgument(the, 1, to);
    if (stat(from, &status) < 0) {
        if (errno == ENOENT)
            return;
        failFile(the, "read", from, errno);
    }
    checkRegular(the, "read", from, status.st_mode);
    if (stat(to, &status) == 0)
        checkRegular(the, "write", to, status.st_mode);
    if (fileMove(from, to) < 0)
        failFile(the, "write", to, errno);
}

/* --- removing --- */

/* storage.remove(path) */
static void xs_storage_remove(txMachine *the)
{
    char path[PATH_SIZE];
    struct stat status;

    notWhilePreloading(the);
    pathArgument(the, 0, path);
    if (stat(path, &status) < 0) {
        if (errno == ENOENT)
            return;
        failFile(the, "write", path, errno);
    }
    checkRegular(the, "write", path, status.st_mode);
    if (fileRemove(path) < 0)
        failFile(the, "write", path, errno);
}

/* --- install --- */

void storageInstall(txMachine *the, txSlot *storage)
{
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
    bindFunction(the, storage, "move", xs_storage_move, 2);
    bindFunction(the, storage, "remove", xs_storage_remove, 1);
}
