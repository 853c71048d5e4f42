/*
 * A restart that prints its reason in a line; it waits at most a second for the port.
 */

#include <string.h>

#include "gpt_device.h"

#include "esp_system.h"

/* The line is written in at most MAX_ROUNDS rounds, each of which waits ROUND_MILLISECONDS for the port. */
enum { MAX_ROUNDS = 50, ROUND_MILLISECONDS = 20 };

/* Maximum number of characters of a message in that line. */
enum { QUOTED = 200 };

/* With at most this many free slots the JavaScript stack counts as overflowed: a call needs more. */
enum { NO_ROOM_SLOTS = 64 };

/* The machine whose stack is checked, and whether the reason has been printed. */
static xsMachine *machine;
static bool hasSpoken;

/* Sends text, as much as the port accepts in the remaining rounds. */
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

/* Truncates the text, and replaces control characters, which could move a terminal's cursor. */
static void say_foreign(const char *text, int *rounds)
{
    for (int i = 0; i < QUOTED && text[i] != '\0'; i++) {
        unsigned char byte = (unsigned char)text[i];
        say(byte < 0x20 || byte == 0x7f ? "?" : text + i, 1, rounds);
    }
}

/* Prints the line before a restart, only once: a failure while it is printed prints no other. */
static void say_last_words(const char *reason, const char *message)
{
    int rounds = MAX_ROUNDS;
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
 * ESP-IDF calls this when the program restarts the chip. The SDK calls its abort hook first, which has printed the
 * reason, unless a stack has overflowed.
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
