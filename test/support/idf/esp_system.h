#ifndef ESP_SYSTEM_H
#define ESP_SYSTEM_H

typedef int esp_err_t;
enum { ESP_OK = 0, ESP_FAIL = -1, ESP_ERR_TIMEOUT = 0x107 };

typedef enum { ESP_RST_UNKNOWN, ESP_RST_POWERON, ESP_RST_EXT, ESP_RST_SW } esp_reset_reason_t;
typedef void (*shutdown_handler_t)(void);

esp_reset_reason_t esp_reset_reason(void);
esp_err_t esp_register_shutdown_handler(shutdown_handler_t handler);
void esp_restart(void) __attribute__((noreturn));

#endif
