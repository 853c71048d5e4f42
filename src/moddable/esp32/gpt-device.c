/*
 * What the firmware asks of the chip: free memory, why it was reset, and UART0 through ESP-IDF's
 * driver. The SDK's own embedded:io/serial has only the hardware's 128 bytes for input, which are
 * 11 ms of it; this driver keeps 4 KB, and with CONFIG_UART_ISR_IN_IRAM also while flash is written.
 */

#include <stddef.h>

#include "xsmc.h"

#include "driver/uart.h"
#include "esp_heap_caps.h"
#include "esp_system.h"

enum { RECEIVE_BYTES = 4096, TRANSMIT_BYTES = 2048 };

void xs_gpt_free_heap(xsMachine *the)
{
    xsmcSetInteger(xsResult, (xsIntegerValue)heap_caps_get_free_size(MALLOC_CAP_8BIT));
}

void xs_gpt_largest_piece(xsMachine *the)
{
    xsmcSetInteger(xsResult, (xsIntegerValue)heap_caps_get_largest_free_block(MALLOC_CAP_8BIT));
}

void xs_gpt_reset_reason(xsMachine *the)
{
    xsmcSetInteger(xsResult, (xsIntegerValue)esp_reset_reason());
}

/* openUart(baud, transmit, receive) */
void xs_gpt_open_uart(xsMachine *the)
{
#if defined(mxDebug) || defined(mxInstrument)
    xsmcSetFalse(xsResult);
#else
    uart_config_t config = {
        .baud_rate = xsmcToInteger(xsArg(0)),
        .data_bits = UART_DATA_8_BITS,
        .parity = UART_PARITY_DISABLE,
        .stop_bits = UART_STOP_BITS_1,
        .flow_ctrl = UART_HW_FLOWCTRL_DISABLE,
        .source_clk = UART_SCLK_DEFAULT,
    };
    int transmit = xsmcToInteger(xsArg(1)), receive = xsmcToInteger(xsArg(2));
    esp_err_t error = uart_driver_install(UART_NUM_0, RECEIVE_BYTES, TRANSMIT_BYTES, 0, NULL, 0);
    if (error == ESP_OK)
        error = uart_param_config(UART_NUM_0, &config);
    if (error == ESP_OK && (transmit >= 0 || receive >= 0))
        error = uart_set_pin(UART_NUM_0, transmit >= 0 ? transmit : UART_PIN_NO_CHANGE,
            receive >= 0 ? receive : UART_PIN_NO_CHANGE, UART_PIN_NO_CHANGE, UART_PIN_NO_CHANGE);
    if (error != ESP_OK)
        xsUnknownError("UART0 cannot be opened: error %d", (int)error);
    xsmcSetTrue(xsResult);
#endif
}

/* readUart(bytes) */
void xs_gpt_read_uart(xsMachine *the)
{
    void *bytes;
    xsUnsignedValue size;
    int count;
    xsmcGetBufferWritable(xsArg(0), &bytes, &size);
    count = uart_read_bytes(UART_NUM_0, bytes, size, 0);
    xsmcSetInteger(xsResult, count > 0 ? count : 0);
}

/* writeUart(bytes, offset) */
void xs_gpt_write_uart(xsMachine *the)
{
    xsIntegerValue offset = xsmcToInteger(xsArg(1));
    void *bytes;
    xsUnsignedValue size;
    size_t room = 0;
    xsmcGetBufferReadable(xsArg(0), &bytes, &size);
    if (offset < 0 || (xsUnsignedValue)offset > size)
        xsRangeError("an offset of %d in %d bytes", (int)offset, (int)size);
    size -= (xsUnsignedValue)offset;
    /* The driver blocks when its buffer is full, so it gets no more than fits. */
    uart_get_tx_buffer_free_size(UART_NUM_0, &room);
    if (size > room)
        size = (xsUnsignedValue)room;
    if (size > 0)
        uart_write_bytes(UART_NUM_0, (const char *)bytes + offset, size);
    xsmcSetInteger(xsResult, (xsIntegerValue)size);
}

/* flushUart() */
void xs_gpt_flush_uart(xsMachine *the)
{
    (void)the;
    uart_wait_tx_done(UART_NUM_0, portMAX_DELAY);
}
