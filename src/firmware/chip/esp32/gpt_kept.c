/*
 * RTC memory that survives a reset, but not power-off: integers of the program, and the cause of a panic.
 *
 * The SDK builds with CONFIG_ESP_CONSOLE_NONE, so that the output of ESP-IDF's panic handler is lost. A linker option
 * redirects calls of it to __wrap_esp_panic_handler (see idf/esp32gpt_panic/CMakeLists.txt), which records the
 * cause for the next boot. Without that option nothing calls it, and the linker removes it.
 */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "gpt_device.h"

#include "esp_attr.h"
#include "esp_private/panic_internal.h"

enum { SLOTS = 4, CAUSE_BYTES = 120 };

/* Part of each check value: shows that this firmware wrote the data, completely. */
static const uint32_t MAGIC = 0x67707431;

struct slot {
    uint32_t value, check;
};

struct crash {
    uint32_t address, core;
    char cause[CAUSE_BYTES];
    uint32_t check;
};

static RTC_NOINIT_ATTR struct {
    struct slot slots[SLOTS];
    struct crash crash;
} kept;

void esp_panic_handler(panic_info_t *info);
void __real_esp_panic_handler(panic_info_t *info);
void __wrap_esp_panic_handler(panic_info_t *info);

static uint32_t check_of_slot(uint32_t index, uint32_t value)
{
    return MAGIC ^ ~value ^ index << 24;
}

/* The 32-bit FNV-1a hash of the fields before the check. */
static uint32_t check_of_crash(const struct crash *crash)
{
    const unsigned char *bytes = (const unsigned char *)crash;
    uint32_t check = MAGIC;
    for (size_t i = 0; i < offsetof(struct crash, check); i++)
        check = (check ^ bytes[i]) * 16777619u;
    return check;
}

/* Runs during a panic: must not allocate or block. Of consecutive panics the first is recorded. */
void __wrap_esp_panic_handler(panic_info_t *info)
{
    struct crash *crash = &kept.crash;
    if (crash->check != check_of_crash(crash)) {
        const char *cause = info->reason;
        if (g_panic_abort)
            cause = g_panic_abort_details != NULL ? g_panic_abort_details : "abort";
        memset(crash, 0, sizeof *crash);
        crash->address = (uint32_t)(uintptr_t)info->addr;
        crash->core = (uint32_t)info->core;
        strncpy(crash->cause, cause != NULL ? cause : "unknown", CAUSE_BYTES - 1);
        crash->check = check_of_crash(crash);
    }
    __real_esp_panic_handler(info);
}

static struct slot *slot_of(xsMachine *the)
{
    xsIntegerValue i = xsmcToInteger(xsArg(0));
    if (i < 0 || i >= SLOTS)
        xsRangeError("slot %d of %d", (int)i, (int)SLOTS);
    return &kept.slots[i];
}

/* keep(slot, value) */
void gpt_xs_keep(xsMachine *the)
{
    struct slot *slot = slot_of(the);
    slot->value = (uint32_t)xsmcToInteger(xsArg(1));
    slot->check = check_of_slot((uint32_t)(slot - kept.slots), slot->value);
}

/* kept(slot) */
void gpt_xs_kept(xsMachine *the)
{
    struct slot *slot = slot_of(the);
    if (slot->check == check_of_slot((uint32_t)(slot - kept.slots), slot->value))
        xsmcSetInteger(xsResult, (xsIntegerValue)slot->value);
}

/* takeCrash() */
void gpt_xs_take_crash(xsMachine *the)
{
    struct crash *crash = &kept.crash;
    char text[CAUSE_BYTES + 40];
    if (crash->check != check_of_crash(crash))
        return;
    crash->check = ~crash->check;
    crash->cause[CAUSE_BYTES - 1] = '\0';
    for (char *at = crash->cause; *at != '\0'; at++)
        if (*at < 0x20 || *at > 0x7e)
            *at = '?';
    snprintf(text, sizeof text, "%s at 0x%08lx on core %lu", crash->cause, (unsigned long)crash->address,
        (unsigned long)crash->core);
    xsmcSetString(xsResult, text);
}
