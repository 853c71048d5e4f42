/*
 * parent.c: the program does not outlive who started it.
 *
 * Linux kills a process when its parent has died, if asked. Elsewhere a timer looks for the parent,
 * also while JavaScript is busy; when it has died, the process belongs to another.
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
        hostFail(EXIT_SOFTWARE, "This computer cannot end the program together with its parent.");
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
        hostFail(EXIT_SOFTWARE, "This computer cannot end the program together with its parent.");
}

#endif

void parentFollow(long parent)
{
    follow(parent);
    if ((long)getppid() != parent)     /* it has died before we could ask */
        _exit(EXIT_SOFTWARE);
}
