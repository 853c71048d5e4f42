/*
 * platform.h: the configuration of the engine.
 *
 * Every XS source includes this file (through -DXSPLATFORM), so the whole configuration is here and
 * not in compiler flags. It is that of the Moddable SDK's release build for the ESP32: no debugger, no
 * instrumentation, 16-bit property IDs, bounds checks on the stack, no minus zero from integer
 * multiplication. In addition it has the parser, because the host compiles the bundle itself, and a
 * counter for each opcode.
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
#define mxBoundsCheck 1        /* a full stack aborts, never overwrites memory */
#define mxFrequency 1          /* the->frequencies[opcode], see bytecodesExecuted() */
#define mxNoConsole 1          /* the engine prints nothing; fxAbort prints errors */
#define mxUseGCCAtomics 1
#define mxFallThrough (void)0  /* as on an ESP32; only XS of the SDK uses it */

/* What XS implements itself, and what memory.c and program.c implement instead. */
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
