#ifndef FREERTOS_H
#define FREERTOS_H

#include <stdint.h>

typedef uint32_t TickType_t;
typedef void *QueueHandle_t;

/* The SDK has CONFIG_FREERTOS_HZ=1000. */
#define pdMS_TO_TICKS(milliseconds) ((TickType_t)(milliseconds))
#define portMAX_DELAY ((TickType_t)0xffffffffu)

#endif
