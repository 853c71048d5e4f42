/*
 * cache.h: the compiled program in a file, so that the next start need not compile it.
 *
 * The file is valid for this executable only, which its name must say. It has a checksum of the source and of itself:
 * a file that is cut, damaged, or of another source is not used.
 */

#ifndef ESP32GPT_CACHE_H
#define ESP32GPT_CACHE_H

#include "xsAll.h"

typedef struct {
    const char *name;      /* as error messages show it, which is part of the bytecode */
    const unsigned char *bytes;
    size_t size;
} ProgramSource;

/* Returns the script as fxParserCode does, or NULL if there is no valid file. */
txScript *cacheRead(const char *path, const ProgramSource *source);

/* Replaces the file. A folder that is read-only and a full disk are no errors. */
void cacheWrite(const char *path, const ProgramSource *source, const txScript *script);

#endif
