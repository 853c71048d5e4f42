/*
 * What the firmware asks of the chip: free memory, why it was reset, a restart that says why, and UART0
 * through ESP-IDF's driver. The SDK's own embedded:io/serial has only the hardware's 128 bytes for
 * input, which are 11 ms of it; this driver keeps 4 KB, and with CONFIG_UART_ISR_IN_IRAM also while
 * flash is written.
 *
 * Nothing here waits without a limit. uart_write_bytes does, for room in the driver's buffer, and
 * uart_get_tx_buffer_free_size is but an estimate of that room. So the driver gets no buffer for output,
 * and uart_tx_chars puts into the hardware's 128 bytes what they can take and returns at once. (Its lock
 * is held by nobody else but uart_wait_tx_done, which always gets a limit here.) Whoever writes keeps
 * the rest: see serial.ts.
 */

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "xsmc.h"

#include "sdkconfig.h"

#include "driver/uart.h"
#include "esp_heap_caps.h"
#include "esp_intr_alloc.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"

enum { RECEIVE_BYTES = 4096, NO_TRANSMIT_BUFFER = 0 };

/* The last words: so many times the hardware gets what it can take, and so long to send it. */
enum { MOST_ROUNDS = 50, ROUND_MILLISECONDS = 20 };

/* Characters of a message that the last words quote. */
enum { QUOTED = 200 };

/* A JavaScript stack with no more slots than this has overflowed: a call wants more. */
enum { NO_ROOM_SLOTS = 64 };

/* In debug and instrumented builds UART0 belongs to xsbug and to trace(). */
#if defined(mxDebug) || defined(mxInstrument)
#define HAS_UART 0
#else
#define HAS_UART 1
#endif

/* The machine whose port is open, and whether it has said its last words. */
static xsMachine *machine;
static bool hasSpoken;

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

/* Sends text, or as much of it as leaves in MOST_ROUNDS. */
static void say(const char *text, size_t size, int *rounds)
{
    while (size > 0 && *rounds > 0) {
        int sent = uart_tx_chars(UART_NUM_0, text, (uint32_t)size);
        if (sent > 0) {
            text += sent;
            size -= (size_t)sent;
        }
        if (size > 0) {
            uart_wait_tx_done(UART_NUM_0, pdMS_TO_TICKS(ROUND_MILLISECONDS));
            --*rounds;
        }
    }
}

static void say_string(const char *text, int *rounds)
{
    say(text, strlen(text), rounds);
}

/* Without what would move a terminal's cursor, and cut. */
static void say_foreign(const char *text, int *rounds)
{
    for (int i = 0; i < QUOTED && text[i] != '\0'; i++) {
        unsigned char byte = (unsigned char)text[i];
        say(byte < 0x20 || byte == 0x7f ? "?" : text + i, 1, rounds);
    }
}

/* The line before a restart. It comes once: whatever fails while it is said has no other line. */
static void say_last_words(const char *reason, const char *message)
{
    int rounds = MOST_ROUNDS;
    if (machine == NULL || hasSpoken)
        return;
    hasSpoken = true;
    say_string("Restarting: ", &rounds);
    say_foreign(reason, &rounds);
    if (message != NULL) {
        say_string(": ", &rounds);
        say_foreign(message, &rounds);
    }
    say_string("\r\n", &rounds);
    uart_wait_tx_done(UART_NUM_0, pdMS_TO_TICKS(ROUND_MILLISECONDS));
}

#if HAS_UART
/*
 * ESP-IDF calls this when the program restarts the chip. The SDK asks its abort hook first, which has then
 * said why, unless a stack is full.
 */
static void on_shutdown(void)
{
    if (machine == NULL || hasSpoken)
        return;
    say_last_words(machine->stack - machine->stackBottom <= NO_ROOM_SLOTS
            ? "JavaScript stack overflow" : "C stack overflow", NULL);
}
#endif

static const char *string_of(xsMachine *the, int i)
{
    xsType type;
    if (i >= xsmcToInteger(xsArgc))
        return NULL;
    type = xsmcTypeOf(xsArg(i));
    return type == xsStringType || type == xsStringXType ? xsmcToString(xsArg(i)) : NULL;
}

/* restart(reason, message) */
void xs_gpt_restart(xsMachine *the)
{
    const char *reason = string_of(the, 0);
    say_last_words(reason != NULL ? reason : "unknown", string_of(the, 1));
    esp_restart();
}

/* openUart(baud, transmit, receive) */
void xs_gpt_open_uart(xsMachine *the)
{
#if !HAS_UART
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
    int flags = 0;
    esp_err_t error;
#if CONFIG_UART_ISR_IN_IRAM
    flags |= ESP_INTR_FLAG_IRAM;
#endif
    error = uart_driver_install(UART_NUM_0, RECEIVE_BYTES, NO_TRANSMIT_BUFFER, 0, NULL, flags);
    if (error != ESP_OK)
        xsUnknownError("UART0 cannot be opened: error %d", (int)error);
    error = uart_param_config(UART_NUM_0, &config);
    if (error == ESP_OK && (transmit >= 0 || receive >= 0))
        error = uart_set_pin(UART_NUM_0, transmit >= 0 ? transmit : UART_PIN_NO_CHANGE,
            receive >= 0 ? receive : UART_PIN_NO_CHANGE, UART_PIN_NO_CHANGE, UART_PIN_NO_CHANGE);
    if (error != ESP_OK) {
        uart_driver_delete(UART_NUM_0);
        xsUnknownError("UART0 cannot be set up: error %d", (int)error);
    }
    if (machine == NULL)
        esp_register_shutdown_handler(on_shutdown);
    machine = the;
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

/* writeUart(bytes, from, to) */
void xs_gpt_write_uart(xsMachine *the)
{
    xsIntegerValue from = xsmcToInteger(xsArg(1)), to = xsmcToInteger(xsArg(2));
    void *bytes;
    xsUnsignedValue size;
    int count = 0;
    xsmcGetBufferReadable(xsArg(0), &bytes, &size);
    if (from < 0 || to < from || (xsUnsignedValue)to > size)
        xsRangeError("%d to %d in %d bytes", (int)from, (int)to, (int)size);
    if (to > from)
        count = uart_tx_chars(UART_NUM_0, (const char *)bytes + from, (uint32_t)(to - from));
    xsmcSetInteger(xsResult, count > 0 ? count : 0);
}

/* flushUart(milliseconds) */
void xs_gpt_flush_uart(xsMachine *the)
{
    xsIntegerValue milliseconds = xsmcToInteger(xsArg(0));
    if (milliseconds < 0)
        milliseconds = 0;
    xsmcSetBoolean(xsResult, uart_wait_tx_done(UART_NUM_0, pdMS_TO_TICKS(milliseconds)) == ESP_OK);
}
