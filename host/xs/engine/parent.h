/*
 * parent.h: ends the program with its parent process.
 */

#ifndef ESP32GPT_PARENT_H
#define ESP32GPT_PARENT_H

/* From now on the program ends with the process `parent`, however that ends and whatever runs here. It
   must be the process that started this program. */
void parentFollow(long parent);

#endif
