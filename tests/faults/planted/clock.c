/* A clock of one's own, for LD_PRELOAD: real time plus NIGHTJAR_CLOCK_OFFSET seconds, and, from NIGHTJAR_CLOCK_JUMP_AT seconds
   after the process' start on, plus NIGHTJAR_CLOCK_JUMP more. Monotonic clocks stay as they are, as on a machine whose clock is set. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long offset, jump, jump_at = -1, started;

static long monotonic(void) {
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

__attribute__((constructor)) static void begin(void) {
    const char *o = getenv("NIGHTJAR_CLOCK_OFFSET"), *j = getenv("NIGHTJAR_CLOCK_JUMP"), *a = getenv("NIGHTJAR_CLOCK_JUMP_AT");
    offset = o ? atol(o) : 0;
    jump = j ? atol(j) : 0;
    jump_at = a ? atol(a) : -1;
    started = monotonic();
}

static long shift(void) { return offset + (jump_at >= 0 && monotonic() - started >= jump_at ? jump : 0); }

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += shift();
    return failed;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    now->tv_sec = t.tv_sec;
    now->tv_usec = t.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (now) *now = t.tv_sec;
    return t.tv_sec;
}
