#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake-chip.h"

#include "driver/uart.h"
#include "esp_heap_caps.h"
#include "esp_private/panic_internal.h"
#include "esp_system.h"
#include "freertos/task.h"
#ifdef WITH_USB
#include "esp_driver_usb_serial_jtag/include/driver/usb_serial_jtag.h"
#endif

struct chip chip;
jmp_buf on_restart;

static shutdown_handler_t handler;

/* What the real one would not survive: here the program ends, and the test fails. */
static void fail(const char *function, const char *problem)
{
    fprintf(stderr, "%s %s\n", function, problem);
    exit(3);
}

static void wait_for_ever(const char *function)
{
    fail(function, "would wait for ever");
}

void power_on(int fifo_size, int bytes_a_tick)
{
    chip = (struct chip) { .fifo_size = fifo_size, .bytes_a_tick = bytes_a_tick, .input = "", .pins = { -1, -1 } };
}

static bool has_host(void)
{
    return chip.host_from <= chip.now && chip.now < chip.host_until;
}

void tick(uint32_t ticks)
{
    for (; ticks > 0; ticks--) {
        /* What waits in the USB driver leaves it when a host asks for it. */
        int left = chip.is_usb_installed && !has_host() ? 0 : chip.bytes_a_tick;
        chip.fifo_used = chip.fifo_used > left ? chip.fifo_used - left : 0;
        chip.now++;
    }
}

void vTaskDelay(TickType_t ticks)
{
    if (ticks == portMAX_DELAY)
        wait_for_ever("vTaskDelay");
    chip.slept += ticks;
    tick(ticks);
}

static void keep(const void *bytes, int count)
{
    memcpy(chip.sent + chip.sent_size, bytes, (size_t)count);
    chip.sent_size += count;
    chip.fifo_used += count;
}

/* Until all is sent, at most so long. */
static esp_err_t wait_until_sent(TickType_t ticks)
{
    for (; ticks > 0 && chip.fifo_used > 0; ticks--) {
        chip.waited++;
        tick(1);
    }
    return chip.fifo_used == 0 ? ESP_OK : ESP_ERR_TIMEOUT;
}

esp_err_t uart_driver_install(uart_port_t port, int receive, int transmit, int events, QueueHandle_t *queue, int flags)
{
    (void)port, (void)receive, (void)events, (void)queue;
    chip.installs++;
    if (chip.is_installed)
        return ESP_FAIL;
    chip.is_installed = true;
    chip.transmit_buffer = transmit;
    chip.flags = flags;
    return ESP_OK;
}

esp_err_t uart_driver_delete(uart_port_t port)
{
    (void)port;
    chip.deletes++;
    chip.is_installed = false;
    return ESP_OK;
}

esp_err_t uart_param_config(uart_port_t port, const uart_config_t *config)
{
    (void)port;
    chip.baud_rate = config->baud_rate;
    return ESP_OK;
}

esp_err_t uart_set_pin(uart_port_t port, int tx, int rx, int rts, int cts)
{
    (void)port, (void)rts, (void)cts;
    if (chip.refuses_pins && tx >= 0)
        return ESP_FAIL;
    chip.pins[0] = tx;
    chip.pins[1] = rx;
    return ESP_OK;
}

static int take_input(void *bytes, uint32_t size)
{
    size_t count = strlen(chip.input);
    if (count > size)
        count = size;
    memcpy(bytes, chip.input, count);
    chip.input += count;
    return (int)count;
}

int uart_read_bytes(uart_port_t port, void *bytes, uint32_t size, TickType_t ticks)
{
    (void)port;
    if (ticks == portMAX_DELAY)
        wait_for_ever("uart_read_bytes");
    return chip.is_installed ? take_input(bytes, size) : -1;
}

int uart_tx_chars(uart_port_t port, const char *bytes, uint32_t size)
{
    int room = chip.fifo_size - chip.fifo_used;
    int count = (int)size < room ? (int)size : room;
    (void)port;
    if (!chip.is_installed || chip.transmit_buffer != 0 || chip.sent_size + count > MAX_SENT)
        return -1;
    keep(bytes, count);
    return count;
}

esp_err_t uart_wait_tx_done(uart_port_t port, TickType_t ticks)
{
    (void)port;
    if (!chip.is_installed)
        return ESP_FAIL;
    if (ticks == portMAX_DELAY)
        wait_for_ever("uart_wait_tx_done");
    return wait_until_sent(ticks);
}

/* Says that there is room where there is none. */
esp_err_t uart_get_tx_buffer_free_size(uart_port_t port, size_t *size)
{
    (void)port;
    *size = 1000;
    return ESP_OK;
}

int uart_write_bytes(uart_port_t port, const void *bytes, size_t size)
{
    int count = uart_tx_chars(port, bytes, (uint32_t)size);
    if (count < (int)size)
        wait_for_ever("uart_write_bytes");
    return count;
}

#ifdef WITH_USB
enum {
    USB_PACKET = 64,
    /* For so long the real one takes a host for granted. */
    TICKS_IN_DOUBT = 5,
};

esp_err_t usb_serial_jtag_driver_install(usb_serial_jtag_driver_config_t *config)
{
    if (chip.is_usb_installed || chip.refuses_usb || config->rx_buffer_size <= USB_PACKET
        || config->tx_buffer_size == 0)
        return ESP_FAIL;
    chip.is_usb_installed = true;
    chip.fifo_size = (int)config->tx_buffer_size;
    return ESP_OK;
}

int usb_serial_jtag_read_bytes(void *bytes, uint32_t size, uint32_t ticks)
{
    if (ticks == portMAX_DELAY)
        wait_for_ever("usb_serial_jtag_read_bytes");
    if (!chip.is_usb_installed)
        fail("usb_serial_jtag_read_bytes", "has no driver");
    return take_input(bytes, size);
}

/* All of it or nothing. */
int usb_serial_jtag_write_bytes(const void *bytes, size_t size, uint32_t ticks)
{
    if (ticks == portMAX_DELAY)
        wait_for_ever("usb_serial_jtag_write_bytes");
    if (size == 0)
        fail("usb_serial_jtag_write_bytes", "logs an error about no bytes");
    if (!chip.is_usb_installed || chip.sent_size + (int)size > MAX_SENT)
        return 0;
    for (; ticks > 0 && chip.fifo_size - chip.fifo_used < (int)size; ticks--) {
        chip.waited++;
        tick(1);
    }
    if (chip.fifo_size - chip.fifo_used < (int)size)
        return 0;
    keep(bytes, (int)size);
    return (int)size;
}

esp_err_t usb_serial_jtag_wait_tx_done(uint32_t ticks)
{
    if (ticks == portMAX_DELAY)
        wait_for_ever("usb_serial_jtag_wait_tx_done");
    if (!chip.is_usb_installed)
        fail("usb_serial_jtag_wait_tx_done", "has no driver");
    return wait_until_sent(ticks);
}

bool usb_serial_jtag_is_connected(void)
{
    return chip.now < TICKS_IN_DOUBT || has_host();
}
#endif

size_t heap_caps_get_free_size(uint32_t caps)
{
    return caps == MALLOC_CAP_DEFAULT ? 106000 : 0;
}

size_t heap_caps_get_largest_free_block(uint32_t caps)
{
    return caps == MALLOC_CAP_DEFAULT ? 63488 : 0;
}

esp_reset_reason_t esp_reset_reason(void)
{
    return ESP_RST_SW;
}

bool g_panic_abort;
char *g_panic_abort_details;

/* ESP-IDF's own, which restarts the chip. */
void esp_panic_handler(panic_info_t *info)
{
    (void)info;
    chip.panics++;
    chip.has_restarted = true;
    longjmp(on_restart, 1);
}

esp_err_t esp_register_shutdown_handler(shutdown_handler_t wanted)
{
    chip.handlers++;
    handler = wanted;
    return ESP_OK;
}

void esp_restart(void)
{
    if (handler)
        handler();
    chip.has_restarted = true;
    longjmp(on_restart, 1);
}

/* XS: a stack of slots, and what the functions of xsmc.h do with a slot. */

enum { STACK_SLOTS = 512 };

struct slot {
    xsType type;
    int32_t integer;
    void *bytes;
    size_t size;
};
_Static_assert(sizeof(struct slot) <= sizeof(xsSlot), "a slot has room for it");

static xsSlot stack[STACK_SLOTS];
static struct xsMachineRecord machine = { .stackBottom = stack, .stackTop = stack + STACK_SLOTS };
static jmp_buf on_throw;

static struct slot get(const xsSlot *from)
{
    struct slot slot;
    memcpy(&slot, from, sizeof slot);
    return slot;
}

static void set(xsSlot *to, struct slot slot)
{
    memcpy(to, &slot, sizeof slot);
}

void leave_slots(int slots)
{
    machine.stack = stack + slots;
}

struct call call_native(void (*function)(xsMachine *), int count, const struct argument *arguments)
{
    xsSlot *frame = stack + STACK_SLOTS - 2;
    machine.frame = frame;
    if (machine.stack == NULL)
        leave_slots(STACK_SLOTS / 2);
    set(&frame[1], (struct slot) { .type = xsUndefinedType });
    set(&frame[-1], (struct slot) { .type = xsIntegerType, .integer = count });
    for (int i = 0; i < count; i++) {
        const struct argument *argument = &arguments[i];
        xsType type = argument->kind == 'i' ? xsIntegerType
            : argument->kind == 'b'         ? xsReferenceType
            : argument->kind == 's'         ? xsStringType
                                            : xsUndefinedType;
        set(&frame[-2 - i], (struct slot) { type, argument->integer, argument->bytes, argument->size });
    }
    if (setjmp(on_throw))
        return (struct call) { .is_thrown = true };
    function(&machine);
    struct slot result = get(&frame[1]);
    return (struct call) {
        .result = result.integer,
        .text = result.type == xsStringType ? result.bytes : NULL,
        .is_undefined = result.type == xsUndefinedType,
    };
}

xsType fxTypeOf(xsMachine *the, xsSlot *from)
{
    (void)the;
    return get(from).type;
}

xsIntegerValue _xsArgc(xsMachine *the)
{
    return fxToInteger(the, &the->frame[-1]);
}

xsIntegerValue fxToInteger(xsMachine *the, xsSlot *from)
{
    (void)the;
    return get(from).integer;
}

xsStringValue fxToString(xsMachine *the, xsSlot *from)
{
    (void)the;
    return get(from).bytes;
}

void fxInteger(xsMachine *the, xsSlot *to, xsIntegerValue value)
{
    (void)the;
    set(to, (struct slot) { .type = xsIntegerType, .integer = value });
}

void fxString(xsMachine *the, xsSlot *to, xsStringValue text)
{
    static char copy[MAX_SENT];
    (void)the;
    strncpy(copy, text, sizeof copy - 1);
    set(to, (struct slot) { .type = xsStringType, .bytes = copy });
}

void fxBoolean(xsMachine *the, xsSlot *to, xsBooleanValue value)
{
    (void)the;
    set(to, (struct slot) { .type = xsBooleanType, .integer = value != 0 });
}

xsIntegerValue _xsmcGetBuffer(
    xsMachine *the, xsSlot *from, void **data, xsUnsignedValue *count, xsBooleanValue writable)
{
    struct slot slot = get(from);
    (void)the, (void)writable;
    if (slot.type != xsReferenceType)
        longjmp(on_throw, 1);
    *data = slot.bytes;
    *count = (xsUnsignedValue)slot.size;
    return 0;
}

void fxThrowMessage(
    xsMachine *the, xsStringValue path, xsIntegerValue line, xsIntegerValue error, xsStringValue message, ...)
{
    (void)the, (void)path, (void)line, (void)error, (void)message;
    longjmp(on_throw, 1);
}
