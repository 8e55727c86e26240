/* The watchdog: a thread that ends what the main thread can't end, because it is busy.
 *
 * The main thread answers 408 itself when it can. A deadline that stands on the board
 * after it passed means that something holds the main thread:
 *
 *   JavaScript   V8 calls back where it can be interrupted, on the main thread, and its
 *                execution is terminated, as a debugger's stop button does: the handler's
 *                frames are dropped, catch and finally do not run, the event loop goes on
 *                and answers 408. A handler on the stack before its time is over is left
 *                alone.
 *   native code  it can't be ended: 408 to the calls whose time is over, 503 to the
 *                others, then this process kills itself and the supervisor, which
 *                kept the socket, starts another.
 *
 * In C, because the second JavaScript heap of a worker thread takes 9 to 12 MiB and a part
 * of every start; this takes neither.
 */
#define _GNU_SOURCE
#include "watchdog.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "node_api.h"
#include "own_time.h"

/* Milliseconds that the main thread has to answer by itself. The next three are of its own time. */
#define PROMPT 60.0
/* For which a continuation, which can't be told whose it is, may hold others up. */
#define GRACE 300.0
/* In which JavaScript reaches a place where it can be interrupted, and is gone. */
#define HELD 350.0
/* In which it is gone when it was interrupted already: then only the machine is slow. */
#define SLOW 2000.0
/* Between looks while the main thread does not react. */
#define TICK 10.0

enum { STACK = 64 * 1024 };

static volatile struct region *region;
static struct settings settings;
static Isolate *isolate;
/* What an interrupt ends: calls whose deadline is not later. */
static _Atomic double limit;
static atomic_bool terminated;

static void pause_for(double milliseconds) {
    double rest = milliseconds < 1 ? 1 : milliseconds;
    struct timespec time = {.tv_sec = (time_t)(rest / 1e3)};
    time.tv_nsec = (long)((rest - (double)time.tv_sec * 1e3) * 1e6);
    nanosleep(&time, NULL);
}

/* The earliest deadline of a call; INFINITY without calls. */
static double earliest(void) {
    double found = INFINITY;
    for (int slot = 0; slot < region->used; slot += 1) {
        double deadline = region->deadlines[slot];
        if (deadline > 0 && deadline < found) found = deadline;
    }
    return found;
}

/* Wait until the main thread has dealt with every deadline before a time; whether it did in so much of its own time. */
static bool reacts(double time, double milliseconds) {
    struct own_time own = own_time_from_now();
    while (earliest() <= time) {
        if (own_time_look(&own) >= milliseconds) return false;
        pause_for(TICK);
    }
    return true;
}

/* Whether the handler on the stack, if one is, may run on. */
static bool innocent(void) {
    int current = region->current;
    return current >= 0 && region->deadlines[current] > now();
}

static void microtasks_completed(Isolate *completed, void *unused);

/* The terminated frames are gone: what runs next is none of them. */
static void call_completed(Isolate *completed) {
    isolate_remove_call_completed_callback(completed, call_completed);
    isolate_remove_microtasks_completed_callback(completed, microtasks_completed, NULL);
    isolate_cancel_terminate_execution(completed);
}

static void microtasks_completed(Isolate *completed, void *unused) {
    (void)unused;
    call_completed(completed);
}

/* On the main thread, with JavaScript on its stack. */
static void interrupt(Isolate *interrupted, void *unused) {
    (void)unused;
    if (earliest() > limit || innocent()) return;
    terminated = true;
    /* As V8's inspector does it. */
    isolate_add_call_completed_callback(interrupted, call_completed);
    isolate_add_microtasks_completed_callback(interrupted, microtasks_completed, NULL);
    isolate_terminate_execution(interrupted);
}

/* End the JavaScript that runs; whether it is gone. */
static bool terminate(double time) {
    limit = time;
    terminated = false;
    isolate_request_interrupt(isolate, interrupt, NULL);
    return reacts(time, HELD) || (terminated && reacts(time, SLOW));
}

static void count_failure(int slot, double seconds) {
    volatile struct counters *counters = &region->counters[region->methods[slot]];
    int bucket = 0;
    while (bucket < BUCKETS && seconds > settings.bounds[bucket]) bucket += 1;
    counters->buckets[bucket] += 1;
    counters->seconds += seconds;
    counters->failures += 1;
}

static void answer(int descriptor, const char *reason, const char *headers, const char *text) {
    char message[512];
    int size = snprintf(message, sizeof message,
                        "HTTP/1.1 %s\r\n%sContent-Type: text/plain; charset=utf-8\r\n"
                        "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                        reason, headers, strlen(text), text);
    /* A client that is gone, or does not read, gets none. */
    send(descriptor, message, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void tell(int descriptor, const char *text) {
    ssize_t written = write(descriptor, text, strlen(text));
    (void)written; /* Nobody reads it: the end follows all the same. */
}

/* Answer for the main thread, and end the process. */
static void replace(void) {
    double time = now();
    for (int slot = 0; slot < region->used; slot += 1) {
        double deadline = region->deadlines[slot];
        int descriptor = region->descriptors[slot];
        if (deadline <= 0) continue;
        count_failure(slot, (time - deadline + settings.timeout) / 1e3);
        if (descriptor < 0) continue;
        if (deadline <= time) {
            answer(descriptor, "408 Request Timeout", "", "Request timeout exceeded");
        } else {
            answer(descriptor, "503 Service Unavailable", "Retry-After: 1\r\n",
                   "A call beside this one held the server");
        }
    }
    tell(2, "kubeless: a native call held the server past the timeout; its process is replaced\n");
    tell((int)settings.status, "K");
    kill(getpid(), SIGKILL);
}

static void *run(void *unused) {
    (void)unused;
    for (;;) {
        /* A call that begins later has its deadline later than a timeout from now. */
        pause_for(fmin(earliest(), now() + settings.timeout) - now() + PROMPT);
        while (earliest() <= now() - PROMPT) {
            double time = now() - PROMPT;
            /* Whoever holds the main thread may do so until it is overdue itself. */
            while (earliest() <= time && innocent()) pause_for(TICK);
            bool known = region->current >= 0;
            if (reacts(time, known ? 0 : GRACE) || innocent()) continue;
            if (!terminate(time) && !innocent()) replace();
        }
    }
    return NULL;
}

int watch(struct region *watched, const struct settings *told) {
    region = watched;
    settings = *told;
    isolate = isolate_get_current();
    own_time_of_this_thread();
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    /* Signals are the main thread's. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread, &attributes, run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return failed;
}
