/* The clocks that Swift has no word for: the time since the machine started, and what the kernel says of its wall clock. */
#ifndef METERD_CLOCK_H
#define METERD_CLOCK_H

#include <errno.h>
#include <stdint.h>
#include <time.h>
#ifdef __linux__
#include <sys/timex.h>
#endif

/* Microseconds since the machine started, the time that it slept included. */
static inline int64_t meterd_microseconds_since_boot(void) {
    struct timespec time;
#ifdef CLOCK_BOOTTIME
    clock_gettime(CLOCK_BOOTTIME, &time);
#else
    clock_gettime(CLOCK_MONOTONIC, &time);
#endif
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

/* 1: the kernel says that its wall clock is synchronised; 0: it says that it is not; below 0: it does not say, and the
   error is this number without its sign. */
static inline int meterd_kernel_says_synchronized(void) {
#ifdef __linux__
    /* No mode: nothing is set, so this needs no right. */
    struct timex time = {0};
    int state = adjtimex(&time);
    if (state < 0) return -errno;
    return state != TIME_ERROR && (time.status & STA_UNSYNC) == 0;
#else
    return -ENOSYS;
#endif
}

#endif
