/*
 * parent.c: ends the program with its parent process.
 *
 * Linux kills a process when its parent dies, on request (PR_SET_PDEATHSIG). Elsewhere a timer signal, which works
 * even while JavaScript is busy, compares the parent's PID: an orphan gets a new parent.
 */

#include "parent.h"
#include "output.h"

#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#ifdef __linux__

static void follow(long parent)
{
    (void)parent;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        hostFail(EXIT_SOFTWARE, "This computer cannot end the program with its parent.");
}

#else

static long followed;

static void lookForParent(int signal)
{
    (void)signal;
    if ((long)getppid() != followed)
        _exit(EXIT_SOFTWARE);
}

static void follow(long parent)
{
    const struct itimerval twiceASecond = { { 0, 500000 }, { 0, 500000 } };
    struct sigaction action;
    followed = parent;
    memset(&action, 0, sizeof(action));
    action.sa_handler = lookForParent;
    action.sa_flags = SA_RESTART;
    if (sigaction(SIGALRM, &action, NULL) < 0 || setitimer(ITIMER_REAL, &twiceASecond, NULL) < 0)
        hostFail(EXIT_SOFTWARE, "This computer cannot end the program with its parent.");
}

#endif

void parentFollow(long parent)
{
    follow(parent);
    if ((long)getppid() != parent)     /* it died before the request */
        _exit(EXIT_SOFTWARE);
}
