#ifndef ESP_INTR_ALLOC_H
#define ESP_INTR_ALLOC_H

#define ESP_INTR_FLAG_IRAM (1 << 10)

#endif
