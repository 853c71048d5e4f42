/* As much of ESP-IDF's driver as gpt_port.c could use; fake-chip.c is what is behind it. */
#ifndef DRIVER_USB_SERIAL_JTAG_H
#define DRIVER_USB_SERIAL_JTAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_system.h"

typedef struct {
    uint32_t tx_buffer_size, rx_buffer_size;
    int intr_priority;
} usb_serial_jtag_driver_config_t;

esp_err_t usb_serial_jtag_driver_install(usb_serial_jtag_driver_config_t *config);
int usb_serial_jtag_read_bytes(void *bytes, uint32_t size, uint32_t ticks);
int usb_serial_jtag_write_bytes(const void *bytes, size_t size, uint32_t ticks);
esp_err_t usb_serial_jtag_wait_tx_done(uint32_t ticks);
bool usb_serial_jtag_is_connected(void);

#endif
