/*
 * loop.c: the event loop: timers, lines from stdin, promise jobs.
 */

#include "loop.h"
#include "errors.h"
#include "output.h"
#include "values.h"

#include <errno.h>
#include <sys/select.h>
#include <unistd.h>

/* Longer lines are skipped. */
enum { LINE_SIZE = 4096 };     /* in bytes, without the line ending */

typedef struct sxTimer Timer;
struct sxTimer {
    Timer *next;
    double due;
    txSlot callback;
};

static struct {
    Timer *timers;             /* sorted by due time; equal times in order of scheduling */
    txSlot lineListener;
    bool listening;
    bool endOfInput, toldEnd;
    char input[LINE_SIZE + 2]; /* read from stdin, not yet delivered */
    size_t inputStart, inputEnd;
    bool refusing;             /* skipping the rest of a line that is too long */
    bool promiseJobs;
    double collections;
} loop;

double loopMilliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

void loopSchedule(txSlot *callback, double delay)
{
    Timer *timer = hostAllocate(sizeof(Timer)), **address = &loop.timers;
    timer->due = loopMilliseconds() + (delay > 0 ? delay : 0);
    timer->callback = *callback;
    while (*address && (*address)->due <= timer->due)
        address = &(*address)->next;
    timer->next = *address;
    *address = timer;
}

void loopSetLineListener(txSlot *callback)
{
    loop.listening = callback->kind == XS_REFERENCE_KIND;
    loop.lineListener = *callback;
}

void fxQueuePromiseJobs(txMachine *the)
{
    (void)the;
    loop.promiseJobs = true;
}

/* The garbage collector calls this for the callbacks that only C references, once per collection; so it
   also counts collections. */
static void markLoop(txMachine *the, void *data, txMarkRoot markRoot)
{
    Timer *timer;
    (void)data;
    for (timer = loop.timers; timer; timer = timer->next)
        (*markRoot)(the, &timer->callback);
    (*markRoot)(the, &loop.lineListener);
    loop.collections++;
}

/* The root is a host object with its own marker function. It is never released. */
void loopCreate(txMachine *the)
{
    static const txHostHooks hooks = { NULL, markLoop, NULL };
    static txSlot root;
    xsBeginHost(the);
    {
        xsResult = xsNewHostObject(NULL);
        xsSetHostHooks(xsResult, &hooks);
        xsmcSetHostData(xsResult, &loop);
        root = xsResult;
        xsRemember(root);
    }
    xsEndHost(the);
}

double loopCollections(void)
{
    return loop.collections;
}

bool loopHasPromiseJobs(void)
{
    return loop.promiseJobs;
}

/* Runs promise jobs until the queue is empty. Exits if a rejected promise is unhandled by then. */
static void settle(txMachine *the)
{
    while (loop.promiseJobs) {
        loop.promiseJobs = false;
        fxRunPromiseJobs(the);
    }
    fxCheckUnhandledRejections(the, 1);
}

static void callTimer(txMachine *the, Timer *timer)
{
    xsBeginHost(the);
    {
        xsTry {
            xsResult = timer->callback;
            free(timer);
            xsCallFunction0(xsResult, xsUndefined);
        } xsCatch
            failUncaught(the);
    }
    xsEndHost(the);
    settle(the);
}

/* `line` is NULL at the end of the input. */
static void callLineListener(txMachine *the, const char *line, size_t size)
{
    xsBeginHost(the);
    {
        xsmcVars(1);
        xsTry {
            if (line)
                stringFromBytes(the, &xsVar(0), line, size);
            xsResult = loop.lineListener;
            xsCallFunction1(xsResult, xsUndefined, xsVar(0));
        } xsCatch
            failUncaught(the);
    }
    xsEndHost(the);
    settle(the);
}

/* Whether to read stdin: there is a listener, free space in the buffer, and no end of input yet. */
static bool isReading(void)
{
    return loop.listening && !loop.endOfInput && loop.inputEnd - loop.inputStart < sizeof(loop.input);
}

/* Blocks until stdin is readable or the time `due`, then reads what is available. */
static void readInput(double due)
{
    struct timeval timeout = { 0, 0 }, *wait = NULL;
    fd_set readable;
    ssize_t count;
    int ready;
    if (due < HUGE_VAL) {
        double delay = due - loopMilliseconds();
        if (delay > 1e9)
            delay = 1e9;
        if (delay > 0) {
            timeout.tv_sec = (time_t)(delay / 1e3);
            timeout.tv_usec = (suseconds_t)((delay - (double)timeout.tv_sec * 1e3) * 1e3) + 1;
            if (timeout.tv_usec >= 1000000)
                timeout.tv_usec = 999999;
        }
        wait = &timeout;
    }
    FD_ZERO(&readable);
    if (isReading())
        FD_SET(STDIN_FILENO, &readable);
    ready = select(STDIN_FILENO + 1, &readable, NULL, NULL, wait);
    if (ready < 0 && errno != EINTR)
        loop.endOfInput = true;    /* stdin is not open */
    if (ready <= 0)
        return;
    if (loop.inputStart > 0) {
        memmove(loop.input, loop.input + loop.inputStart, loop.inputEnd - loop.inputStart);
        loop.inputEnd -= loop.inputStart;
        loop.inputStart = 0;
    }
    count = read(STDIN_FILENO, loop.input + loop.inputEnd, sizeof(loop.input) - loop.inputEnd);
    if (count > 0)
        loop.inputEnd += (size_t)count;
    else if (count == 0 || (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK))
        loop.endOfInput = true;
}

/* Delivers one line without its line ending (LF or CR LF), or the end of the input; returns false if
   there is neither. */
static bool deliverLine(txMachine *the)
{
    char *line = loop.input + loop.inputStart, *end;
    size_t size = loop.inputEnd - loop.inputStart;
    bool refused = loop.refusing;
    if (!loop.listening)
        return false;
    if (size == 0) {
        if (!loop.endOfInput || loop.toldEnd)
            return false;
        loop.toldEnd = true;
        callLineListener(the, NULL, 0);
        return true;
    }
    end = memchr(line, '\n', size);
    if (!end && !loop.endOfInput) {
        if (size < sizeof(loop.input))
            return false;
        loop.refusing = true;
        loop.inputStart = loop.inputEnd = 0;
        return true;
    }
    loop.inputStart += end ? (size_t)(end - line) + 1 : size;
    loop.refusing = false;
    size = end ? (size_t)(end - line) : size;
    if (size > 0 && line[size - 1] == '\r')
        size--;
    if (!refused && size <= LINE_SIZE)
        callLineListener(the, line, size);
    return true;
}

/* Each iteration delivers at most one line and runs at most one timer, so that neither starves the
   other. */
void loopRun(txMachine *the)
{
    settle(the);
    for (;;) {
        bool delivered = deliverLine(the);
        Timer *timer = loop.timers;
        bool reading = isReading();
        if (timer && timer->due <= loopMilliseconds()) {
            loop.timers = timer->next;
            callTimer(the, timer);
            if (reading && !delivered)
                readInput(0);
        } else if (!delivered) {
            if (!timer && !reading)
                break;
            readInput(timer ? timer->due : HUGE_VAL);
        }
    }
}
