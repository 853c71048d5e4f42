/*
 * What firmware-device.test.ts asks of src/firmware/chip/esp32/gpt_*.c, a scenario a run: "ok", or the line that does not
 * hold.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake-chip.h"

#include "esp_intr_alloc.h"
#include "esp_private/panic_internal.h"
#include "sdkconfig.h"

void gpt_xs_free_heap(xsMachine *the);
void gpt_xs_largest_piece(xsMachine *the);
void gpt_xs_reset_reason(xsMachine *the);
void gpt_xs_open_port(xsMachine *the);
void gpt_xs_read_port(xsMachine *the);
void gpt_xs_write_port(xsMachine *the);
void gpt_xs_flush_port(xsMachine *the);
void gpt_xs_restart(xsMachine *the);
void gpt_xs_keep(xsMachine *the);
void gpt_xs_kept(xsMachine *the);
void gpt_xs_take_crash(xsMachine *the);
void esp_restart(void);
void esp_panic_handler(panic_info_t *info);

/* The memory that a reset keeps: the linker says where it is. */
extern char __start_rtc_noinit[], __stop_rtc_noinit[];

#define CHECK(holds) \
    do { \
        if (!(holds)) { \
            printf("line %d: %s\n", __LINE__, #holds); \
            exit(1); \
        } \
    } while (0)

static const int FIFO = 16;
/* Milliseconds that last words may take. */
static const unsigned LAST_WORDS = 1100;
#ifdef WITH_USB
/* Milliseconds for which it looks for a host at the USB cable. */
static const unsigned LONGEST_LOOK = 500;
#endif

static struct argument integer(int value)
{
    return (struct argument) { .kind = 'i', .integer = value };
}

static struct argument string(char *text)
{
    return (struct argument) { .kind = 's', .bytes = text };
}

static struct argument buffer(void *bytes, size_t size)
{
    return (struct argument) { .kind = 'b', .bytes = bytes, .size = size };
}

static struct call open_port(char *port, int transmit, int receive)
{
    struct argument arguments[] = { string(port), integer(115200), integer(transmit), integer(receive) };
    return call_native(gpt_xs_open_port, 4, arguments);
}

/* Where no host is at the USB cable, which is so until a scenario says otherwise. */
static struct call open_uart(int transmit, int receive)
{
    return open_port("auto", transmit, receive);
}

static struct call read_port(void *bytes, size_t size)
{
    struct argument arguments[] = { buffer(bytes, size) };
    return call_native(gpt_xs_read_port, 1, arguments);
}

/* From memory of just that size, so that a byte too many is seen. */
static struct call write_port(const char *text, int from, int to)
{
    size_t size = strlen(text);
    char *bytes = malloc(size > 0 ? size : 1);
    struct argument arguments[] = { buffer(bytes, size), integer(from), integer(to) };
    struct call call;
    memcpy(bytes, text, size);
    call = call_native(gpt_xs_write_port, 3, arguments);
    free(bytes);
    return call;
}

static struct call flush_port(int milliseconds)
{
    struct argument arguments[] = { integer(milliseconds) };
    return call_native(gpt_xs_flush_port, 1, arguments);
}

static void restart(struct argument reason, struct argument message)
{
    struct argument arguments[] = { reason, message };
    if (setjmp(on_restart) == 0)
        call_native(gpt_xs_restart, 2, arguments);
    CHECK(chip.has_restarted);
}

static bool has_sent(const char *text)
{
    return (size_t)chip.sent_size == strlen(text) && memcmp(chip.sent, text, strlen(text)) == 0;
}

static void figures(void)
{
    CHECK(call_native(gpt_xs_free_heap, 0, NULL).result == 106000);
    CHECK(call_native(gpt_xs_largest_piece, 0, NULL).result == 63488);
    CHECK(call_native(gpt_xs_reset_reason, 0, NULL).result == 3);
}

static void opens(void)
{
    CHECK(open_uart(17, -1).result == 1);
    CHECK(chip.baud_rate == 115200 && chip.pins[0] == 17 && chip.pins[1] == -1);
#ifdef CONFIG_UART_ISR_IN_IRAM
    CHECK(chip.flags == ESP_INTR_FLAG_IRAM);
#else
    CHECK(chip.flags == 0);
#endif
    CHECK(chip.handlers == 1);
}

/* After pins that the chip cannot use, its own can still be opened. */
static void refuses_pins(void)
{
    chip.refuses_pins = true;
    CHECK(open_uart(34, 3).is_thrown);
    CHECK(!chip.is_installed && chip.deletes == 1);
    CHECK(open_uart(-1, -1).result == 1);
    CHECK(open_uart(-1, -1).is_thrown);
    CHECK(chip.is_installed && chip.handlers == 1);
}

static void reads(void)
{
    char bytes[4];
    open_uart(-1, -1);
    chip.input = "status";
    CHECK(read_port(bytes, sizeof bytes).result == 4 && memcmp(bytes, "stat", 4) == 0);
    CHECK(read_port(bytes, sizeof bytes).result == 2 && memcmp(bytes, "us", 2) == 0);
    CHECK(read_port(bytes, sizeof bytes).result == 0);
}

static void writes(void)
{
    open_uart(-1, -1);
    CHECK(write_port("0123456789abcdefghij", 0, 20).result == FIFO);
    CHECK(write_port("0123456789abcdefghij", 16, 20).result == 0);
    tick(2);
    CHECK(write_port("0123456789abcdefghij", 16, 20).result == 2);
    tick(100);
    CHECK(write_port("0123456789abcdefghij", 18, 20).result == 2);
    CHECK(write_port("xyz", 3, 3).result == 0);
    CHECK(has_sent("0123456789abcdefghij"));
    CHECK(chip.waited == 0);
}

static void refuses_ranges(void)
{
    open_uart(-1, -1);
    CHECK(write_port("xyz", -1, 2).is_thrown);
    CHECK(write_port("xyz", 2, 1).is_thrown);
    CHECK(write_port("xyz", 0, 4).is_thrown);
    CHECK(write_port("xyz", 0x7fffffff, (int)0x80000000).is_thrown);
    CHECK(chip.sent_size == 0);
}

/* A port that has stopped sending. */
static void stands_still(void)
{
    chip.bytes_a_tick = 0;
    open_uart(-1, -1);
    CHECK(write_port("0123456789abcdefghij", 0, 20).result == FIFO);
    for (int i = 0; i < 1000; i++)
        CHECK(write_port("xyz", 0, 3).result == 0);
    CHECK(chip.waited == 0);
    CHECK(flush_port(100).result == 0 && chip.waited == 100);
    CHECK(flush_port(-1).result == 0 && chip.waited == 100);
    restart(string("out of memory"), string("x"));
    CHECK(chip.waited <= 100 + LAST_WORDS);
}

static void flushes(void)
{
    open_uart(-1, -1);
    write_port("0123456789", 0, 10);
    CHECK(flush_port(100).result == 1 && chip.waited == 10);
}

static void last_words(void)
{
    open_uart(-1, -1);
    restart(string("unhandled exception"), string("x \x1b[2J is not a function"));
    CHECK(has_sent("Restarting: unhandled exception: x ?[2J is not a function\r\n"));
    CHECK(chip.fifo_used == 0 && chip.waited <= LAST_WORDS);
}

static void last_words_alone(void)
{
    open_uart(-1, -1);
    restart(string("memory full"), (struct argument) { .kind = 'u' });
    CHECK(has_sent("Restarting: memory full\r\n"));
}

static void last_words_of_nothing(void)
{
    open_uart(-1, -1);
    if (setjmp(on_restart) == 0)
        call_native(gpt_xs_restart, 0, NULL);
    CHECK(chip.has_restarted && has_sent("Restarting: unknown\r\n"));
}

static void long_last_words(void)
{
    char text[2001];
    memset(text, 'x', 2000);
    text[2000] = '\0';
    open_uart(-1, -1);
    restart(string("memory full"), string(text));
    CHECK(chip.sent_size < 250 && chip.waited <= LAST_WORDS);
    CHECK(memcmp(chip.sent + chip.sent_size - 3, "x\r\n", 3) == 0);
}

/* A line, not one for every attempt to say it. */
static void last_words_once(void)
{
    open_uart(-1, -1);
    for (int i = 0; i < 437; i++)
        restart(string("unhandled exception"), string("x"));
    CHECK(has_sent("Restarting: unhandled exception: x\r\n"));
}

static void restarts_unopened(void)
{
    restart(string("unhandled exception"), string("x"));
    CHECK(chip.sent_size == 0 && chip.waited == 0);
}

/* The SDK restarts without asking its abort hook. */
static void overflow_of(int slots, const char *line)
{
    open_uart(-1, -1);
    leave_slots(slots);
    if (setjmp(on_restart) == 0)
        esp_restart();
    CHECK(has_sent(line));
}

static void javascript_overflow(void)
{
    overflow_of(3, "Restarting: JavaScript stack overflow\r\n");
}

static void c_overflow(void)
{
    overflow_of(300, "Restarting: C stack overflow\r\n");
}

/* Before it is opened a port gives nothing and takes nothing. */
static void unopened(void)
{
    char byte;
    chip.input = "status";
    CHECK(read_port(&byte, 1).result == 0);
    CHECK(write_port("xyz", 0, 3).result == 0);
    CHECK(flush_port(100).result == 0);
    CHECK(chip.sent_size == 0 && chip.waited == 0);
}

#ifdef WITH_USB
/* A host that is there for good, but the chip has to be found by it. */
static void plug_in(void)
{
    chip.host_from = chip.now + 200;
    chip.host_until = UINT32_MAX;
}

static void unplug(void)
{
    chip.host_until = chip.now;
}

static void open_usb(void)
{
    plug_in();
    CHECK(open_port("auto", 17, 16).result == 1);
    CHECK(chip.is_usb_installed && !chip.is_installed);
}

static void usb_opens(void)
{
    open_usb();
    CHECK(chip.handlers == 1 && chip.slept >= 200 && chip.slept <= LONGEST_LOOK);
    CHECK(open_port("uart", -1, -1).is_thrown && open_port("usb", -1, -1).is_thrown);
    CHECK(!chip.is_installed && chip.handlers == 1);
}

static void usb_without_host(void)
{
    CHECK(open_port("auto", 17, 16).result == 1);
    CHECK(chip.is_installed && !chip.is_usb_installed && chip.pins[0] == 17);
    CHECK(chip.slept <= LONGEST_LOOK);
}

static void usb_asked_for(void)
{
    CHECK(open_port("usb", -1, -1).result == 1);
    CHECK(chip.is_usb_installed && !chip.is_installed && chip.slept == 0);
}

static void usb_not_asked_for(void)
{
    plug_in();
    CHECK(open_port("uart", -1, -1).result == 1);
    CHECK(chip.is_installed && !chip.is_usb_installed && chip.slept == 0);
}

/* Where its driver cannot be installed there is still UART0. */
static void usb_refused(void)
{
    chip.refuses_usb = true;
    CHECK(open_port("usb", -1, -1).is_thrown && chip.handlers == 0);
    plug_in();
    CHECK(open_port("auto", -1, -1).result == 1);
    CHECK(chip.is_installed && chip.handlers == 1);
}

static void usb_reads(void)
{
    char bytes[4];
    open_usb();
    chip.input = "status";
    CHECK(read_port(bytes, sizeof bytes).result == 4 && memcmp(bytes, "stat", 4) == 0);
    CHECK(read_port(bytes, sizeof bytes).result == 2 && memcmp(bytes, "us", 2) == 0);
    CHECK(read_port(bytes, sizeof bytes).result == 0);
    CHECK(chip.waited == 0);
}

/* Writes the line's bytes, however many calls and ticks it takes. */
static void write_all(const char *line, int most)
{
    int size = (int)strlen(line), written = 0;
    for (int i = 0; i < most && written < size; i++, tick(1))
        written += write_port(line, written, size).result;
    CHECK(written == size);
}

static void usb_writes(void)
{
    char line[1001];
    for (int i = 0; i < 1000; i++)
        line[i] = (char)('a' + i % 26);
    line[1000] = '\0';
    open_usb();
    CHECK(write_port(line, 0, 0).result == 0);
    write_all(line, 1000);
    CHECK(has_sent(line) && chip.waited == 0);
    CHECK(flush_port(1000).result == 1 && chip.fifo_used == 0);
}

/* What the driver holds stays there, what it cannot hold is refused, and nobody waits for more than was asked. */
static void usb_unplugged(void)
{
    char line[1001];
    int taken;
    memset(line, 'x', 1000);
    line[1000] = '\0';
    open_usb();
    CHECK(write_port("begun ", 0, 6).result == 6);
    unplug();
    taken = write_port(line, 0, 1000).result;
    CHECK(taken > 0 && taken < 1000);
    for (int i = 0; i < 1000; i++, tick(1))
        CHECK(write_port(line, 0, 1000).result == 0);
    CHECK(chip.waited == 0);
    CHECK(flush_port(100).result == 0 && chip.waited == 100);
    CHECK(flush_port(-1).result == 0 && chip.waited == 100);
    plug_in();
    tick(2000);
    CHECK(chip.fifo_used == 0 && flush_port(0).result == 1);
    CHECK(write_port(" ended", 0, 6).result == 6);
    CHECK(chip.sent_size == taken + 12 && memcmp(chip.sent + 6 + taken, " ended", 6) == 0);
}

static void usb_last_words(void)
{
    open_usb();
    restart(string("unhandled exception"), string("x \x1b[2J is not a function"));
    CHECK(has_sent("Restarting: unhandled exception: x ?[2J is not a function\r\n"));
    CHECK(chip.fifo_used == 0 && chip.waited <= LAST_WORDS);
}

static void usb_last_words_unplugged(void)
{
    char line[1001];
    memset(line, 'x', 1000);
    line[1000] = '\0';
    open_usb();
    unplug();
    CHECK(write_port(line, 0, 1000).result < 1000);
    restart(string("memory full"), string("x"));
    CHECK(chip.waited <= LAST_WORDS && !chip.is_installed);
}

static void usb_overflow(void)
{
    open_usb();
    leave_slots(3);
    if (setjmp(on_restart) == 0)
        esp_restart();
    CHECK(has_sent("Restarting: JavaScript stack overflow\r\n"));
}
#else
static void no_usb(void)
{
    CHECK(open_port("usb", -1, -1).is_thrown && chip.handlers == 0);
    CHECK(open_port("auto", -1, -1).result == 1 && chip.is_installed && chip.slept == 0);
}
#endif

/* What power-on leaves in the memory that a reset keeps. */
static void fill_kept(int with)
{
    /* cppcheck-suppress comparePointers; the linker puts both at the ends of one piece */
    memset(__start_rtc_noinit, with, (size_t)(__stop_rtc_noinit - __start_rtc_noinit));
}

static struct call keep(int slot, int value)
{
    struct argument arguments[] = { integer(slot), integer(value) };
    return call_native(gpt_xs_keep, 2, arguments);
}

static struct call kept(int slot)
{
    struct argument arguments[] = { integer(slot) };
    return call_native(gpt_xs_kept, 1, arguments);
}

static struct call take_crash(void)
{
    return call_native(gpt_xs_take_crash, 0, NULL);
}

static void keeps_numbers(void)
{
    static const int fillings[] = { 0, 0xff, 0xa5 };
    for (size_t i = 0; i < sizeof fillings / sizeof *fillings; i++) {
        fill_kept(fillings[i]);
        for (int slot = 0; slot < 4; slot++)
            CHECK(kept(slot).is_undefined);
        CHECK(keep(2, 512).is_undefined && keep(0, -1).is_undefined && keep(3, 0).is_undefined);
        CHECK(kept(2).result == 512 && kept(0).result == -1 && kept(1).is_undefined);
        CHECK(!kept(3).is_undefined && kept(3).result == 0);
    }
}

/* No bit of a slot changes unseen. */
static void sees_damage(void)
{
    /* cppcheck-suppress comparePointers; the linker puts both at the ends of one piece */
    size_t size = (size_t)(__stop_rtc_noinit - __start_rtc_noinit);
    fill_kept(0);
    keep(0, 7);
    for (size_t bit = 0; bit < size * 8; bit++) {
        __start_rtc_noinit[bit / 8] ^= (char)(1 << bit % 8);
        CHECK(kept(0).is_undefined || kept(0).result == 7);
        CHECK(take_crash().is_undefined);
        __start_rtc_noinit[bit / 8] ^= (char)(1 << bit % 8);
    }
    CHECK(kept(0).result == 7);
}

static void refuses_slots(void)
{
    CHECK(keep(-1, 0).is_thrown && keep(4, 0).is_thrown && kept(-1).is_thrown && kept(4).is_thrown);
}

static void panic(const char *reason, unsigned long address, int core)
{
    panic_info_t info = { .reason = reason, .addr = (const void *)address, .core = core };
    chip.has_restarted = false;
    if (setjmp(on_restart) == 0)
        esp_panic_handler(&info);
    CHECK(chip.has_restarted);
}

static void keeps_a_panic(void)
{
    fill_kept(0xa5);
    CHECK(take_crash().is_undefined);
    panic("LoadProhibited", 0x400d1234, 1);
    CHECK(chip.panics == 1);
    CHECK(strcmp(take_crash().text, "LoadProhibited at 0x400d1234 on core 1") == 0);
    CHECK(take_crash().is_undefined);
    panic(NULL, 0, 0);
    CHECK(strcmp(take_crash().text, "unknown at 0x00000000 on core 0") == 0);
}

static void keeps_the_first_panic(void)
{
    fill_kept(0);
    panic("IllegalInstruction", 0x400d0001, 0);
    panic("Double exception", 0x400d0002, 0);
    CHECK(chip.panics == 2);
    CHECK(strcmp(take_crash().text, "IllegalInstruction at 0x400d0001 on core 0") == 0);
}

static void keeps_an_abort(void)
{
    char details[400] = "assert failed: \x1b[2J\xc3\xa9 ";
    const char *text;
    fill_kept(0);
    g_panic_abort = true;
    panic("StoreProhibited", 0x40081234, 0);
    CHECK(strcmp(take_crash().text, "abort at 0x40081234 on core 0") == 0);
    memset(details + strlen(details), 'x', sizeof details - 1 - strlen(details));
    g_panic_abort_details = details;
    panic("StoreProhibited", 0x40081234, 0);
    text = take_crash().text;
    CHECK(strncmp(text, "assert failed: ?[2J?? xxx", 25) == 0);
    CHECK(strlen(text) == 119 + strlen(" at 0x40081234 on core 0"));
    CHECK(strcmp(text + 119, " at 0x40081234 on core 0") == 0);
}

static const struct {
    const char *name;
    void (*run)(void);
} SCENARIOS[] = {
    { "figures", figures },
    { "opens", opens },
    { "refuses-pins", refuses_pins },
    { "reads", reads },
    { "writes", writes },
    { "refuses-ranges", refuses_ranges },
    { "stands-still", stands_still },
    { "flushes", flushes },
    { "last-words", last_words },
    { "last-words-alone", last_words_alone },
    { "last-words-of-nothing", last_words_of_nothing },
    { "long-last-words", long_last_words },
    { "last-words-once", last_words_once },
    { "restarts-unopened", restarts_unopened },
    { "javascript-overflow", javascript_overflow },
    { "c-overflow", c_overflow },
    { "unopened", unopened },
    { "keeps-numbers", keeps_numbers },
    { "sees-damage", sees_damage },
    { "refuses-slots", refuses_slots },
    { "keeps-a-panic", keeps_a_panic },
    { "keeps-the-first-panic", keeps_the_first_panic },
    { "keeps-an-abort", keeps_an_abort },
#ifdef WITH_USB
    { "usb-opens", usb_opens },
    { "usb-without-host", usb_without_host },
    { "usb-asked-for", usb_asked_for },
    { "usb-not-asked-for", usb_not_asked_for },
    { "usb-refused", usb_refused },
    { "usb-reads", usb_reads },
    { "usb-writes", usb_writes },
    { "usb-unplugged", usb_unplugged },
    { "usb-last-words", usb_last_words },
    { "usb-last-words-unplugged", usb_last_words_unplugged },
    { "usb-overflow", usb_overflow },
#else
    { "no-usb", no_usb },
#endif
};

int main(int count, char **words)
{
    for (size_t i = 0; i < sizeof SCENARIOS / sizeof *SCENARIOS; i++) {
        if (count == 2 && strcmp(words[1], SCENARIOS[i].name) == 0) {
            power_on(FIFO, 1);
            SCENARIOS[i].run();
            puts("ok");
            return 0;
        }
    }
    return 2;
}
