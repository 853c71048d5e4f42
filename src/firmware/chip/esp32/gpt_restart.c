/*
 * A restart that says why, in a line that waits for a port for a second at most.
 */

#include <string.h>

#include "gpt_device.h"

#include "esp_system.h"

/* The last words: so many times the port gets what it can take, and so long to send it. */
enum { MOST_ROUNDS = 50, ROUND_MILLISECONDS = 20 };

/* Characters of a message that the last words quote. */
enum { QUOTED = 200 };

/* A JavaScript stack with no more slots than this has overflowed: a call wants more. */
enum { NO_ROOM_SLOTS = 64 };

/* The machine that may fill a stack, and whether the last words have been said. */
static xsMachine *machine;
static bool hasSpoken;

/* Sends text, or as much of it as leaves in MOST_ROUNDS. */
static void say(const char *text, size_t size, int *rounds)
{
    while (size > 0 && *rounds > 0) {
        size_t sent = gpt_port->write(text, size);
        text += sent;
        size -= sent;
        if (size > 0) {
            gpt_port->wait(pdMS_TO_TICKS(ROUND_MILLISECONDS));
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
    if (gpt_port == NULL || hasSpoken)
        return;
    hasSpoken = true;
    say_string("Restarting: ", &rounds);
    say_foreign(reason, &rounds);
    if (message != NULL) {
        say_string(": ", &rounds);
        say_foreign(message, &rounds);
    }
    say_string("\r\n", &rounds);
    gpt_port->wait(pdMS_TO_TICKS((1 + rounds) * ROUND_MILLISECONDS));
}

/* restart(reason, message) */
void gpt_xs_restart(xsMachine *the)
{
    const char *reason = gpt_string_of(the, 0);
    say_last_words(reason != NULL ? reason : "unknown", gpt_string_of(the, 1));
    esp_restart();
}

/*
 * ESP-IDF calls this when the program restarts the chip. The SDK asks its abort hook first, which has then
 * said why, unless a stack is full.
 */
static void on_shutdown(void)
{
    if (!hasSpoken)
        say_last_words(
            machine->stack - machine->stackBottom <= NO_ROOM_SLOTS ? "JavaScript stack overflow" : "C stack overflow",
            NULL);
}

void gpt_explain_restarts(xsMachine *the)
{
    machine = the;
    esp_register_shutdown_handler(on_shutdown);
}
