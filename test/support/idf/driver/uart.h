/* As much of ESP-IDF's driver as gpt_port.c could use; fake-chip.c is what is behind it. */
#ifndef DRIVER_UART_H
#define DRIVER_UART_H

#include <stddef.h>
#include <stdint.h>

#include "esp_system.h"
#include "freertos/FreeRTOS.h"

typedef int uart_port_t;
enum { UART_NUM_0 };
enum { UART_DATA_8_BITS = 3 };
enum { UART_PARITY_DISABLE = 0 };
enum { UART_STOP_BITS_1 = 1 };
enum { UART_HW_FLOWCTRL_DISABLE = 0 };
enum { UART_SCLK_DEFAULT = 4 };
enum { UART_PIN_NO_CHANGE = -1 };

typedef struct {
    int baud_rate, data_bits, parity, stop_bits, flow_ctrl;
    uint8_t rx_flow_ctrl_thresh;
    int source_clk;
} uart_config_t;

esp_err_t uart_driver_install(uart_port_t port, int receive, int transmit, int events, QueueHandle_t *queue, int flags);
esp_err_t uart_driver_delete(uart_port_t port);
esp_err_t uart_param_config(uart_port_t port, const uart_config_t *config);
esp_err_t uart_set_pin(uart_port_t port, int tx, int rx, int rts, int cts);
int uart_read_bytes(uart_port_t port, void *bytes, uint32_t size, TickType_t ticks);
int uart_tx_chars(uart_port_t port, const char *bytes, uint32_t size);
esp_err_t uart_wait_tx_done(uart_port_t port, TickType_t ticks);
int uart_write_bytes(uart_port_t port, const void *bytes, size_t size);
esp_err_t uart_get_tx_buffer_free_size(uart_port_t port, size_t *size);

#endif
