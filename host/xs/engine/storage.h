/*
 * storage.h: host.storage, files that are replaced as a whole.
 */

#ifndef ESP32GPT_STORAGE_H
#define ESP32GPT_STORAGE_H

#include "xsAll.h"

/* Gives the object its functions. */
void storageInstall(txMachine *flash, txSlot *storage);

#endif
