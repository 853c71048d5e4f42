/*
 * writer.h: a file that is replaced as a whole, and keeps its mode.
 *
 * What is written goes to a temporary file, PATH.PID.tmp; writerCommit() brings it to the disk and
 * renames it, which either happens or does not, whenever the power fails. A temporary file that was not
 * committed is removed when the writer is closed or when the program ends.
 */

#ifndef ESP32GPT_WRITER_H
#define ESP32GPT_WRITER_H

#include <sys/types.h>

enum { PATH_SIZE = 4096 };     /* with the NUL at its end */

typedef struct sxWriter Writer;
struct sxWriter {
    Writer *next;              /* the other open ones */
    int fd;                    /* -1 when closed */
    char path[PATH_SIZE];
    char temporary[PATH_SIZE + 32];
};

/* One that is open for this path is closed. `mode` is that of the file that will be replaced, or NULL if there is none.
   Returns NULL and errno if that is impossible. */
Writer *writerOpen(const char *path, const mode_t *mode);

/* Puts the file into its place. Returns -1 and errno if that failed. In any case it is closed then. */
int writerCommit(Writer *writer);

/* Renames a file, and brings that to the disk. Returns -1 and errno if that failed. */
int fileMove(const char *from, const char *to);

/* Removes a file, likewise. */
int fileRemove(const char *path);

/* Gives up, unless the writer is closed. errno stays what it is. */
void writerClose(Writer *writer);

#endif
