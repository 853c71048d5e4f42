/*
 * output.c: output, error messages and exit.
 */

#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <unistd.h>

void outputPrepare(void)
{
    int fd;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    /* If one of these descriptors were free, the next opened file would get it, and output for stdout
       would go into that file. So open /dev/null in a mode that fails, as a closed descriptor would. */
    for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
            exit(EXIT_SOFTWARE);
}

int hostWrite(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        ssize_t count = write(fd, at, size);
        if (count > 0) {
            at += count;
            size -= (size_t)count;
        } else if (count == 0) {
            errno = EIO;           /* a retry would loop forever */
            return -1;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            fd_set writable;
            FD_ZERO(&writable);
            FD_SET(fd, &writable);
            select(fd + 1, NULL, &writable, NULL, NULL);
        } else if (errno != EINTR)
            return -1;
    }
    return 0;
}

static void say(const char *format, va_list arguments, const char *end)
{
    char text[4096];
    int size = vsnprintf(text, sizeof(text), format, arguments);
    if (size >= (int)sizeof(text))
        size = (int)sizeof(text) - 1;
    if (size > 0)
        hostWrite(STDERR_FILENO, text, (size_t)size);
    hostWrite(STDERR_FILENO, end, *end ? 1 : 0);
}

void hostSay(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments, "");
    va_end(arguments);
}

void hostFail(int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments, "\n");
    va_end(arguments);
    exit(code);
}

void *hostAllocate(size_t size)
{
    void *result = calloc(1, size > 0 ? size : 1);
    if (!result)
        hostFail(EXIT_MEMORY, "This computer cannot allocate %zu bytes.", size);
    return result;
}
