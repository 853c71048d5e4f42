/*
 * faults.c: a disk that fails. Loaded into the XS host, or into Node, with LD_PRELOAD. FAULT is the system call that
 * fails and its errno, as in "fsync:5"; "write:0" writes a byte at a time, "fsync-folder:5" fails for
 * folders only. FAULT_LOG is a file that gets a line for each call that matters.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether the call fails: then errno says how. */
static int fails(const char *call)
{
    const char *fault = getenv("FAULT");
    size_t size = strlen(call);
    if (!fault || strncmp(fault, call, size) != 0 || fault[size] != ':')
        return 0;
    errno = atoi(fault + size + 1);
    return 1;
}

static mode_t modeOf(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 ? status.st_mode : 0;
}

static void report(const char *line)
{
    const char *path = getenv("FAULT_LOG");
    FILE *log = path ? fopen(path, "a") : NULL;
    if (!log)
        return;
    fprintf(log, "%s\n", line);
    fclose(log);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    ssize_t (*next)(int, const void *, size_t) = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    if (S_ISREG(modeOf(fd)) && fails("write")) {
        if (errno)
            return -1;
        size = size > 0;
    }
    return next(fd, bytes, size);
}

ssize_t pread64(int fd, void *bytes, size_t size, off64_t position)
{
    ssize_t (*next)(int, void *, size_t, off64_t) =
        (ssize_t (*)(int, void *, size_t, off64_t))dlsym(RTLD_NEXT, "pread64");
    return fails("read") ? -1 : next(fd, bytes, size, position);
}

int fsync(int fd)
{
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    int isFolder = S_ISDIR(modeOf(fd));
    report(isFolder ? "fsync folder" : "fsync file");
    return fails(isFolder ? "fsync-folder" : "fsync") ? -1 : next(fd);
}

int rename(const char *from, const char *to)
{
    int (*next)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
    report("rename");
    return fails("rename") ? -1 : next(from, to);
}
