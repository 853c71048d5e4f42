/*
 * writer.c: replaces a file atomically and keeps its mode.
 */

#include "writer.h"
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static Writer *openWriters;

static void closeAt(const char *path)
{
    Writer *writer = openWriters;
    while (writer && strcmp(writer->path, path) != 0)
        writer = writer->next;
    if (writer)
        writerClose(writer);
}

static void removeTemporaries(void)
{
    while (openWriters)
        writerClose(openWriters);
}

Writer *writerOpen(const char *path, const mode_t *mode)
{
    static bool cleaning;
    Writer *writer = hostAllocate(sizeof(Writer));
    closeAt(path);
    strcpy(writer->path, path);
    snprintf(writer->temporary, sizeof(writer->temporary), "%s.%ld.tmp", path, (long)getpid());
    unlink(writer->temporary);     /* left behind by a killed process with the same PID */
    /* Never readable by more users than the file that it replaces. */
    writer->fd = open(writer->temporary, O_WRONLY | O_CREAT | O_EXCL, mode ? *mode & 0600 : 0666);
    if (writer->fd < 0) {
        int error = errno;
        free(writer);
        errno = error;
        return NULL;
    }
    writer->next = openWriters;
    openWriters = writer;
    if (!cleaning)
        atexit(removeTemporaries);
    cleaning = true;
    if (mode && fchmod(writer->fd, *mode) < 0) {
        int error = errno;
        writerClose(writer);
        free(writer);
        errno = error;
        return NULL;
    }
    return writer;
}

/* Flushes the folder, so that a rename is durable. Some file systems do not support it and some folders
   cannot be opened: that is not an error. */
static int syncFolderOf(const char *path)
{
    char folder[PATH_SIZE];
    char *slash;
    int fd, result, error;
    strcpy(folder, path);
    slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder ? 1 : 0] = 0;
    fd = open(slash ? folder : ".", O_RDONLY);
    if (fd < 0)
        return 0;
    result = fsync(fd);
    error = errno;
    close(fd);
    errno = error;
    return result < 0 && (error == EINVAL || error == ENOTSUP || error == ENOSYS || error == EBADF) ? 0 : result;
}

static void closeFile(Writer *writer)
{
    Writer **address = &openWriters;
    close(writer->fd);
    writer->fd = -1;
    while (*address != writer)
        address = &(*address)->next;
    *address = writer->next;
}

int writerCommit(Writer *writer)
{
    if (fsync(writer->fd) < 0 || rename(writer->temporary, writer->path) < 0) {
        writerClose(writer);
        return -1;
    }
    closeFile(writer);
    return syncFolderOf(writer->path);
}

int fileMove(const char *from, const char *to)
{
    return rename(from, to) < 0 ? -1 : syncFolderOf(to);
}

int fileRemove(const char *path)
{
    return unlink(path) < 0 && errno != ENOENT ? -1 : syncFolderOf(path);
}

void writerClose(Writer *writer)
{
    int error = errno;
    if (writer->fd >= 0) {
        closeFile(writer);
        unlink(writer->temporary);
    }
    errno = error;
}
