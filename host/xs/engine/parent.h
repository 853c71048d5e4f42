/*
 * parent.h: who started this program.
 */

#ifndef ESP32GPT_PARENT_H
#define ESP32GPT_PARENT_H

/* From now on the program ends when the process `parent` does, however that ends and whatever is going
   on here. The process must be the one that started this program. */
void parentFollow(long parent);

#endif
