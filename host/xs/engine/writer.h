/*
 * writer.h: replaces a file atomically and keeps its mode.
 *
 * Data goes to a temporary file, PATH.PID.tmp. writerCommit() flushes and renames it, so that after a power failure
 * the path has either the old or the new file. A temporary file that was not committed is removed when the writer is
 * closed or the program exits.
 */

#ifndef ESP32GPT_WRITER_H
#define ESP32GPT_WRITER_H

#include <sys/types.h>

enum { PATH_SIZE = 4096 };     /* including the NUL */

typedef struct sxWriter Writer;
struct sxWriter {
    Writer *next;              /* list of open writers */
    int fd;                    /* -1 when closed */
    char path[PATH_SIZE];
    char temporary[PATH_SIZE + 32];
};

/* Opens a writer, after closing one that is open for the same path. `mode` is that of the file to
   replace, or NULL if there is none. Returns NULL and sets errno on failure. */
Writer *writerOpen(const char *path, const mode_t *mode);

/* Commits the file and closes the writer. Returns -1 and sets errno on failure. */
int writerCommit(Writer *writer);

/* Renames a file durably. Returns -1 and sets errno on failure. */
int fileMove(const char *from, const char *to);

/* Removes a file durably. Returns -1 and sets errno on failure. */
int fileRemove(const char *path);

/* Closes the writer and removes an uncommitted file. Preserves errno. */
void writerClose(Writer *writer);

#endif
