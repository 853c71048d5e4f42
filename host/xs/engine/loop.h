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

/* The listener gets each line from stdin, but for those of more than 4,096 bytes, and undefined, once,
   when stdin has ended. The callback may be undefined: then nothing is read. */
void loopSetLineListener(txSlot *callback);

#endif
