/*
 * The port of the console: UART0, or the USB Serial/JTAG port of chips that have one, through ESP-IDF's drivers.
 *
 * Every wait has a timeout. The caller queues bytes that the port does not accept: see serial.ts.
 */

#include <string.h>

#include "gpt_device.h"

#include "sdkconfig.h"

#include "driver/uart.h"
#include "esp_intr_alloc.h"
#include "soc/soc_caps.h"

/* In debug and instrumented builds xsbug and trace() use the ports: UART0, USB, or both. */
#if defined(mxDebug) || defined(mxInstrument)
#define GPT_HAS_PORT 0
#else
#define GPT_HAS_PORT 1
#endif

#if GPT_HAS_PORT && SOC_USB_SERIAL_JTAG_SUPPORTED
#define GPT_HAS_USB 1
/* The SDK's include path has ESP-IDF's components folder, but not this component's include folder. */
#include "esp_driver_usb_serial_jtag/include/driver/usb_serial_jtag.h"
#include "freertos/task.h"
#else
#define GPT_HAS_USB 0
#endif

/* Size of the receive buffer. */
enum { RECEIVE_BYTES = 4096 };

const struct port *gpt_port;

#if GPT_HAS_PORT
/*
 * UART0. The SDK's embedded:io/serial buffers only the hardware's 128 bytes of input, which fill up in 11 ms; this
 * driver buffers 4 KB, with CONFIG_UART_ISR_IN_IRAM also while flash is written.
 *
 * uart_write_bytes blocks until the driver's buffer has room, and uart_get_tx_buffer_free_size only estimates that
 * room. So the driver gets no transmit buffer: uart_tx_chars fills the hardware's 128 bytes as far as they have room
 * and returns at once. (Its lock is also taken by uart_wait_tx_done, which always has a timeout here.)
 */
enum { NO_TRANSMIT_BUFFER = 0 };

static size_t read_uart(void *bytes, size_t size)
{
    int count = uart_read_bytes(UART_NUM_0, bytes, (uint32_t)size, 0);
    return count > 0 ? (size_t)count : 0;
}

static size_t write_uart(const char *bytes, size_t size)
{
    int count = uart_tx_chars(UART_NUM_0, bytes, (uint32_t)size);
    return count > 0 ? (size_t)count : 0;
}

static bool wait_uart(TickType_t ticks)
{
    return uart_wait_tx_done(UART_NUM_0, ticks) == ESP_OK;
}

static const struct port uartPort = { read_uart, write_uart, wait_uart };

static esp_err_t open_uart(int baud, int transmit, int receive)
{
    uart_config_t config = {
        .baud_rate = baud,
        .data_bits = UART_DATA_8_BITS,
        .parity = UART_PARITY_DISABLE,
        .stop_bits = UART_STOP_BITS_1,
        .flow_ctrl = UART_HW_FLOWCTRL_DISABLE,
        .source_clk = UART_SCLK_DEFAULT,
    };
    int flags = 0;
    esp_err_t error;
#if CONFIG_UART_ISR_IN_IRAM
    flags |= ESP_INTR_FLAG_IRAM;
#endif
    error = uart_driver_install(UART_NUM_0, RECEIVE_BYTES, NO_TRANSMIT_BUFFER, 0, NULL, flags);
    if (error != ESP_OK)
        return error;
    error = uart_param_config(UART_NUM_0, &config);
    if (error == ESP_OK && (transmit >= 0 || receive >= 0))
        error = uart_set_pin(UART_NUM_0, transmit >= 0 ? transmit : UART_PIN_NO_CHANGE,
            receive >= 0 ? receive : UART_PIN_NO_CHANGE, UART_PIN_NO_CHANGE, UART_PIN_NO_CHANGE);
    if (error == ESP_OK)
        gpt_port = &uartPort;
    else
        uart_driver_delete(UART_NUM_0);
    return error;
}

#if GPT_HAS_USB
/*
 * USB. While flash is written its interrupt is disabled and the host waits: nothing is lost. Input is lost only when
 * the driver's RECEIVE_BYTES are full.
 *
 * The driver accepts a piece as a whole or not at all. A piece is one packet; the buffer holds several, so that the
 * host always has one to fetch. While the host is disconnected or has not opened the port, they stay in the buffer.
 */
enum { USB_PIECE = 64, USB_TRANSMIT_BYTES = 4 * USB_PIECE };

/*
 * Timeout and interval of the search for a host. A host that powers the chip through the cable takes 0.2 s to
 * enumerate it. ESP-IDF reports a host in its first milliseconds even without one, and may miss one for a moment later.
 */
enum { LOOK_MILLISECONDS = 500, GLANCE_MILLISECONDS = 10 };

static size_t read_usb(void *bytes, size_t size)
{
    int count = usb_serial_jtag_read_bytes(bytes, (uint32_t)size, 0);
    return count > 0 ? (size_t)count : 0;
}

static size_t write_usb(const char *bytes, size_t size)
{
    size_t taken = 0;
    while (taken < size) {
        size_t piece = size - taken < USB_PIECE ? size - taken : USB_PIECE;
        if (usb_serial_jtag_write_bytes(bytes + taken, piece, 0) <= 0)
            break;
        taken += piece;
    }
    return taken;
}

static bool wait_usb(TickType_t ticks)
{
    return usb_serial_jtag_wait_tx_done(ticks) == ESP_OK;
}

static const struct port usbPort = { read_usb, write_usb, wait_usb };

static esp_err_t open_usb(void)
{
    usb_serial_jtag_driver_config_t config = {
        .tx_buffer_size = USB_TRANSMIT_BYTES,
        .rx_buffer_size = RECEIVE_BYTES,
    };
    esp_err_t error = usb_serial_jtag_driver_install(&config);
    if (error == ESP_OK)
        gpt_port = &usbPort;
    return error;
}

static bool has_host(void)
{
    for (int waited = 0; waited < LOOK_MILLISECONDS; waited += GLANCE_MILLISECONDS) {
        vTaskDelay(pdMS_TO_TICKS(GLANCE_MILLISECONDS));
        if (usb_serial_jtag_is_connected())
            return true;
    }
    return false;
}
#else
static esp_err_t open_usb(void)
{
    return ESP_FAIL;
}

static bool has_host(void)
{
    return false;
}
#endif
#endif

/* openPort(port, baud, transmit, receive) */
void gpt_xs_open_port(xsMachine *the)
{
#if !GPT_HAS_PORT
    xsmcSetFalse(xsResult);
#else
    const char *name = gpt_string_of(the, 0);
    bool isAuto = name != NULL && strcmp(name, "auto") == 0;
    bool isUsb = name != NULL && strcmp(name, "usb") == 0;
    esp_err_t error = ESP_OK;
    if (gpt_port != NULL)
        xsUnknownError("a port is open");
    if (isUsb || (isAuto && has_host()))
        error = open_usb();
    if (gpt_port == NULL && !isUsb)
        error = open_uart(xsmcToInteger(xsArg(1)), xsmcToInteger(xsArg(2)), xsmcToInteger(xsArg(3)));
    if (gpt_port == NULL)
        xsUnknownError("%s cannot be opened: error %d", isUsb ? "USB" : "UART0", (int)error);
    gpt_explain_restarts(the);
    xsmcSetTrue(xsResult);
#endif
}

/* readPort(bytes) */
void gpt_xs_read_port(xsMachine *the)
{
    void *bytes;
    xsUnsignedValue size;
    xsmcGetBufferWritable(xsArg(0), &bytes, &size);
    xsmcSetInteger(xsResult, gpt_port != NULL ? (xsIntegerValue)gpt_port->read(bytes, size) : 0);
}

/* writePort(bytes, from, to) */
void gpt_xs_write_port(xsMachine *the)
{
    xsIntegerValue from = xsmcToInteger(xsArg(1)), to = xsmcToInteger(xsArg(2));
    void *bytes;
    xsUnsignedValue size;
    size_t count = 0;
    xsmcGetBufferReadable(xsArg(0), &bytes, &size);
    if (from < 0 || to < from || (xsUnsignedValue)to > size)
        xsRangeError("%d to %d in %d bytes", (int)from, (int)to, (int)size);
    if (gpt_port != NULL && to > from)
        count = gpt_port->write((const char *)bytes + from, (size_t)(to - from));
    xsmcSetInteger(xsResult, (xsIntegerValue)count);
}

/* flushPort(milliseconds) */
void gpt_xs_flush_port(xsMachine *the)
{
    xsIntegerValue milliseconds = xsmcToInteger(xsArg(0));
    if (milliseconds < 0)
        milliseconds = 0;
    xsmcSetBoolean(xsResult, gpt_port != NULL && gpt_port->wait(pdMS_TO_TICKS(milliseconds)));
}
