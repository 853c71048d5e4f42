/*
 * Chip status: free heap and reset reason. The heap is what malloc can give: with PSRAM, ESP-IDF keeps some internal RAM
 * for others, which is no MALLOC_CAP_DEFAULT.
 */

#include <stddef.h>

#include "xsmc.h"

#include "esp_heap_caps.h"
#include "esp_system.h"

void gpt_xs_free_heap(xsMachine *the)
{
    xsmcSetInteger(xsResult, (xsIntegerValue)heap_caps_get_free_size(MALLOC_CAP_DEFAULT));
}

void gpt_xs_largest_piece(xsMachine *the)
{
    xsmcSetInteger(xsResult, (xsIntegerValue)heap_caps_get_largest_free_block(MALLOC_CAP_DEFAULT));
}

void gpt_xs_reset_reason(xsMachine *the)
{
    xsmcSetInteger(xsResult, (xsIntegerValue)esp_reset_reason());
}
