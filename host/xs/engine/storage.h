/*
 * storage.h: host.storage, files that are replaced atomically.
 */

#ifndef ESP32GPT_STORAGE_H
#define ESP32GPT_STORAGE_H

#include "xsAll.h"

/* Defines the functions of host.storage. */
void storageInstall(txMachine *flash, txSlot *storage);

#endif
