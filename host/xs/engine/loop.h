/*
 * loop.h: the event loop: timers, lines from stdin, promise jobs.
 */

#ifndef ESP32GPT_LOOP_H
#define ESP32GPT_LOOP_H

#include "xsAll.h"

void loopCreate(txMachine *the);
void loopRun(txMachine *the);
bool loopHasPromiseJobs(void);
double loopMilliseconds(void);
double loopCollections(void);
void loopSchedule(txSlot *callback, double delay);

/* Sets the callback for lines of stdin. Lines of more than 4,096 bytes are skipped. At the end of stdin
   it is called once with undefined. If the callback is undefined, stdin is not read. */
void loopSetLineListener(txSlot *callback);

#endif
