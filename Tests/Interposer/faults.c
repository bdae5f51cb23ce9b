// Calls that are to fail: INTERPOSER_FAULT=KIND[@SUFFIX]:FROM[-[TO]]:ACTION, several of them separated by commas.
// ACTION is kill, short, hold, delay:MILLISECONDS, or the name of an error. INTERPOSER_HOLD=/file: a call that is held waits
// for as long as this file is there.
// INTERPOSER_MET=/file appends a line for each call that one of them met: the fault's place among them, the call's number
// and the file's name. Without it nobody knows whether a fault was there at all.

#define _GNU_SOURCE
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct fault {
    int calls;
    // Only files whose names end so; empty: all.
    char suffix[64];
    long from, to;
    enum { FAIL, KILL, DELAY, SHORT, HOLD } action;
    // The error, or milliseconds.
    long value;
    // How many calls of this kind, and of these files, there have been.
    atomic_long count;
};

#define MOST_FAULTS 16
static struct fault faults[MOST_FAULTS];
static int fault_count;
static int met = -1;
static const char *hold;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void refuse(const char *text) {
    dprintf(2, "interposer: INTERPOSER_FAULT has '%s', which is not KIND[@SUFFIX]:FROM[-[TO]]:ACTION\n", text);
    _exit(70);
}

static int calls_named(const char *name) {
    if (strcmp(name, "write") == 0) return CALL_WRITE;
    if (strcmp(name, "sync") == 0) return CALL_SYNC;
    if (strcmp(name, "open") == 0) return CALL_OPEN;
    if (strcmp(name, "name") == 0) return CALL_NAME;
    if (strcmp(name, "read") == 0) return CALL_READ;
    if (strcmp(name, "any") == 0) return CALL_WRITE | CALL_SYNC | CALL_OPEN | CALL_NAME;
    return 0;
}

static int error_named(const char *name) {
    for (int error = 1; error < 134; error++) {
        const char *known = strerrorname_np(error);
        if (known != NULL && strcmp(known, name) == 0) return error;
    }
    return 0;
}

static void parse(struct fault *fault, char *text) {
    char whole[256];
    snprintf(whole, sizeof whole, "%s", text);
    char *range = strchr(text, ':');
    char *action = range == NULL ? NULL : strchr(range + 1, ':');
    if (action == NULL) refuse(whole);
    *range++ = 0;
    *action++ = 0;
    char *suffix = strchr(text, '@');
    if (suffix != NULL) {
        *suffix++ = 0;
        snprintf(fault->suffix, sizeof fault->suffix, "%s", suffix);
    }
    fault->calls = calls_named(text);
    char *rest;
    fault->from = strtol(range, &rest, 10);
    fault->to = fault->from;
    if (*rest == '-') fault->to = *++rest == 0 ? __LONG_MAX__ : strtol(rest, &rest, 10);
    if (fault->calls == 0 || fault->from < 1 || fault->to < fault->from || *rest != 0) refuse(whole);
    if (strcmp(action, "kill") == 0) {
        fault->action = KILL;
    } else if (strcmp(action, "short") == 0) {
        fault->action = SHORT;
    } else if (strcmp(action, "hold") == 0) {
        fault->action = HOLD;
        if (hold == NULL) refuse(whole);
    } else if (strncmp(action, "delay:", 6) == 0) {
        fault->action = DELAY;
        fault->value = strtol(action + 6, &rest, 10);
        if (*rest != 0 || fault->value < 0) refuse(whole);
    } else {
        fault->action = FAIL;
        fault->value = error_named(action);
        if (fault->value == 0) refuse(whole);
    }
}

static void prepare(void) {
    const char *setting = getenv("INTERPOSER_FAULT");
    if (setting == NULL) return;
    hold = getenv("INTERPOSER_HOLD");
    static char text[4096];
    snprintf(text, sizeof text, "%s", setting);
    char *place = NULL;
    for (char *part = strtok_r(text, ",", &place); part != NULL; part = strtok_r(NULL, ",", &place)) {
        if (fault_count == MOST_FAULTS) refuse(part);
        parse(&faults[fault_count++], part);
    }
    const char *path = getenv("INTERPOSER_MET");
    if (path == NULL) return;
    met = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (met < 0) {
        dprintf(2, "interposer: INTERPOSER_MET: %s: %s\n", path, strerror(errno));
        _exit(70);
    }
    // Out of the way of programs that count on low numbers.
    int high = (int)syscall(SYS_fcntl, met, F_DUPFD_CLOEXEC, 1000);
    if (high < 0) return;
    syscall(SYS_close, met);
    met = high;
}

// Before the fault: nothing comes after a kill.
static void note(int index, long number, const char *name) {
    if (met < 0) return;
    char line[512];
    int length = snprintf(line, sizeof line, "%d %ld %s\n", index + 1, number, name);
    int saved = errno;
    if (syscall(SYS_write, met, line, (size_t)length) != length) {
        dprintf(2, "interposer: INTERPOSER_MET can't be written: %s\n", strerror(errno));
        _exit(70);
    }
    errno = saved;
}

static bool ends(const char *name, const char *suffix) {
    size_t length = strlen(name), end = strlen(suffix);
    return length >= end && strcmp(name + length - end, suffix) == 0;
}

struct verdict judge(enum call call, const char *name) {
    pthread_once(&once, prepare);
    struct verdict verdict = {0, false};
    for (int index = 0; index < fault_count; index++) {
        struct fault *fault = &faults[index];
        if ((fault->calls & call) == 0 || !ends(name, fault->suffix)) continue;
        long number = atomic_fetch_add(&fault->count, 1) + 1;
        if (number < fault->from || number > fault->to) continue;
        note(index, number, name);
        switch (fault->action) {
        case FAIL: if (verdict.error == 0) verdict.error = (int)fault->value; break;
        case SHORT: verdict.is_short = true; break;
        case HOLD: {
            const struct timespec moment = {0, 1000000};
            int saved = errno;
            while (syscall(SYS_faccessat, AT_FDCWD, hold, F_OK) == 0) syscall(SYS_nanosleep, &moment, NULL);
            errno = saved;
            break;
        }
        case KILL: syscall(SYS_kill, getpid(), SIGKILL); pause(); break;
        case DELAY: {
            struct timespec time = {fault->value / 1000, fault->value % 1000 * 1000000};
            while (syscall(SYS_nanosleep, &time, &time) != 0 && errno == EINTR) {}
            break;
        }
        }
    }
    return verdict;
}
