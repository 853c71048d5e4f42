/*
 * platform.h: the configuration of the engine.
 *
 * Every XS source includes this file (through -DXSPLATFORM), so the whole configuration is here and
 * not in compiler flags. It follows the Moddable SDK's release build for the ESP32: no debugger, no
 * instrumentation, 16-bit property IDs, bounds checks on the stack, no minus zero from integer
 * multiplication. Two things are added: the parser, because this machine compiles the bundle itself,
 * and a counter for each kind of bytecode.
 */

#ifndef ESP32GPT_PLATFORM_H
#define ESP32GPT_PLATFORM_H

#include <arpa/inet.h>
#include <ctype.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define mxExport extern
#define mxImport extern

#define mxParse 1
#define mxRun 1
#define mxBoundsCheck 1        /* a full stack ends the program, never overwrites memory */
#define mxFrequency 1          /* the->frequencies[opcode], see bytecodesExecuted() */
#define mxNoConsole 1          /* the engine itself prints nothing; errors are said by fxAbort */
#define mxUseGCCAtomics 1
#define mxFallThrough (void)0  /* as on an ESP32; only XS from the SDK asks for it */

/* What XS brings itself, and what memory.c and program.c provide instead. */
#define mxUseDefaultMachinePlatform 1
#define mxUseDefaultBuildKeys 1
#define mxUseDefaultParseScript 1
#define mxUseDefaultSharedChunks 1
#define mxUseDefaultChunkAllocation 0
#define mxUseDefaultSlotAllocation 0
#define mxUseDefaultCStackLimit 0
#define mxUseDefaultAbort 0
#define mxUseDefaultFindModule 0
#define mxUseDefaultLoadModule 0
#define mxUseDefaultQueuePromiseJobs 0

#endif
