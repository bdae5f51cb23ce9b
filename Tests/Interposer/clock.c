// A clock that a test sets while a program runs: INTERPOSER_CLOCK names a file that says
//     WALL [BOOT [KERNEL]]
// which are the seconds to add to the wall clock, those to add to the clock since boot (as after a sleep of the machine; 0
// if left out), and what adjtimex answers: `synchronised`, `unsynchronised` (also if left out), or the name of an error.
//
// The file is read at each look at the clock, so write it in one go or replace it. Other clocks are left alone.
// Waits until an instant of the wall clock are told the kernel's time; one that has begun does not notice a later step.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

static const long long second = 1000000000;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *path;
// The last that could be read, in nanoseconds: a file that is just being written may be empty.
static atomic_llong last;
static atomic_llong last_since_boot;
// The error of adjtimex; 0: synchronised, -1: unsynchronised.
static atomic_int last_kernel = -1;

static void prepare(void) { path = getenv("INTERPOSER_CLOCK"); }

static int kernel_named(const char *word) {
    if (strcmp(word, "synchronised") == 0) return 0;
    for (int error = 1; error < 134; error++) {
        const char *known = strerrorname_np(error);
        if (known != NULL && strcmp(known, word) == 0) return error;
    }
    return -1;
}

static void look(void) {
    pthread_once(&once, prepare);
    if (path == NULL) return;
    int saved = errno;
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        char text[64];
        ssize_t count = syscall(SYS_read, file, text, sizeof text - 1);
        syscall(SYS_close, file);
        if (count > 0) {
            text[count] = 0;
            double wall, since_boot = 0;
            char kernel[32] = "unsynchronised";
            if (sscanf(text, "%lf %lf %31s", &wall, &since_boot, kernel) >= 1) {
                last = (long long)(wall * (double)second);
                last_since_boot = (long long)(since_boot * (double)second);
                last_kernel = kernel_named(kernel);
            }
        }
    }
    errno = saved;
}

// In nanoseconds, as the next.
static long long offset(void) {
    look();
    return last;
}

static long long offset_since_boot(void) {
    look();
    return last_since_boot;
}

static struct timespec shifted(struct timespec time, long long by) {
    long long whole = (long long)time.tv_sec * second + time.tv_nsec + by;
    if (whole < 0) whole = 0;
    return (struct timespec){whole / second, whole % second};
}

// MARK: Looking at it

int clock_gettime(clockid_t clock, struct timespec *time) {
    // Not the bare system call, which is much slower; by another name, so that this is not called again.
    static _Atomic(int (*)(clockid_t, struct timespec *)) next;
    int (*real)(clockid_t, struct timespec *) = next;
    if (real == NULL) {
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
        next = real;
    }
    int result = real(clock, time);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) *time = shifted(*time, offset());
    if (result == 0 && clock == CLOCK_BOOTTIME) *time = shifted(*time, offset_since_boot());
    return result;
}

// Only what is asked without setting anything; the real kernel's word is on the real clock.
int adjtimex(struct timex *time) {
    look();
    if (path == NULL || time->modes != 0) return (int)syscall(SYS_clock_adjtime, CLOCK_REALTIME, time);
    if (last_kernel > 0) {
        errno = last_kernel;
        return -1;
    }
    memset(time, 0, sizeof *time);
    if (last_kernel == 0) return TIME_OK;
    time->status = STA_UNSYNC;
    return TIME_ERROR;
}

int ntp_adjtime(struct timex *time) { return adjtimex(time); }

int clock_adjtime(clockid_t clock, struct timex *time) {
    return clock == CLOCK_REALTIME ? adjtimex(time) : (int)syscall(SYS_clock_adjtime, clock, time);
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    (void)zone;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    *time = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *result) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result != NULL) *result = now.tv_sec;
    return now.tv_sec;
}

int timespec_get(struct timespec *time, int base) {
    if (base != TIME_UTC) return 0;
    clock_gettime(CLOCK_REALTIME, time);
    return base;
}

// MARK: Waiting for it

// The kernel's time of an instant of the shifted clock. Small instants are those of a monotonic clock, which counts from
// when the machine started.
static struct timespec told(struct timespec time) {
    return time.tv_sec < 1000000000 ? time : shifted(time, -offset());
}

int pthread_cond_timedwait(
    pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex, const struct timespec *restrict time
) {
    typedef int (*wait)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    static _Atomic(wait) next;
    if (next == NULL) {
        // On some machines the library keeps an older form of it under the same name, and would give that.
        wait newer = (wait)dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
        next = newer != NULL ? newer : (wait)dlsym(RTLD_NEXT, "pthread_cond_timedwait");
    }
    struct timespec end = told(*time);
    return next(condition, mutex, &end);
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict time) {
    int (*next)(sem_t *, const struct timespec *) =
        (int (*)(sem_t *, const struct timespec *))dlsym(RTLD_NEXT, "sem_timedwait");
    struct timespec end = told(*time);
    return next(semaphore, &end);
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left) {
    struct timespec end = *time;
    if (clock == CLOCK_REALTIME && (flags & TIMER_ABSTIME) != 0) end = told(end);
    return syscall(SYS_clock_nanosleep, clock, flags, &end, left) == 0 ? 0 : errno;
}

int timerfd_settime(int descriptor, int flags, const struct itimerspec *new, struct itimerspec *old) {
    struct itimerspec timer = *new;
    if ((flags & TFD_TIMER_ABSTIME) != 0) timer.it_value = told(timer.it_value);
    return (int)syscall(SYS_timerfd_settime, descriptor, flags, &timer, old);
}
