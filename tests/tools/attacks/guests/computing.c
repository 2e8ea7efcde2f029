/* Guests that use up time, stack and memory, or end in odd ways. */

#include "attack.h"

static volatile int endless = 1;

static void loop(const char *path)
{
    (void)path;
    for (volatile int turn = 0;; turn++)
        ;
}

static void loop_in_host(const char *path)
{
    (void)path;
    __wasi_timestamp_t now;
    while (endless)
        (void)__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 1, &now), (void)__wasi_sched_yield();
}

static void random_bytes(const char *path)
{
    (void)path;
    size_t size = (size_t)192 << 20;
    uint8_t *piece = malloc(size);
    while (piece != NULL && endless)
        (void)__wasi_random_get(piece, size);
}

static void many_vectors(const char *path)
{
    (void)path;
    static __wasi_ciovec_t vectors[1 << 16];
    static uint8_t piece[1 << 16];
    for (size_t at = 0; at < sizeof vectors / sizeof *vectors; at++)
        vectors[at].buf = piece, vectors[at].buf_len = sizeof piece;
    size_t written;
    for (int turn = 0; turn < 1 << 20; turn++)
        (void)__wasi_fd_write(2, vectors, sizeof vectors / sizeof *vectors, &written);
    answer("wrote");
}

static __wasi_errno_t wait_for(__wasi_timestamp_t nanoseconds, size_t subscriptions)
{
    __wasi_subscription_t *asked = calloc(subscriptions, sizeof *asked);
    __wasi_event_t *events = calloc(subscriptions, sizeof *events);
    size_t count;
    for (size_t at = 0; at < subscriptions; at++) {
        asked[at].u.tag = __WASI_EVENTTYPE_CLOCK;
        asked[at].u.u.clock.id = __WASI_CLOCKID_MONOTONIC;
        asked[at].u.u.clock.timeout = nanoseconds;
    }
    return __wasi_poll_oneoff(asked, events, subscriptions, &count);
}

static void sleep_on(const char *path)
{
    (void)path;
    (void)wait_for(UINT64_MAX / 2, 1);
    answer("woke");
}

static void doze(const char *path)
{
    (void)path;
    while (endless)
        (void)wait_for(1000000, 1);
}

static void wait_for_many(const char *path)
{
    (void)path;
    (void)wait_for(UINT64_MAX / 2, 100000);
    answer("woke");
}

static void read_on(const char *path)
{
    (void)path;
    char byte;
    while (read(0, &byte, 1) == 1)
        ;
    answer("the end of stdin");
}

__attribute__((noinline)) static int deeper(volatile int depth)
{
    volatile char here[256];
    here[depth & 255] = (char)depth;
    return endless ? deeper(depth + 1) + here[0] : 0;
}

static void recurse(const char *path)
{
    (void)path;
    answer_number("depth", deeper(0));
}

static void trap(const char *path)
{
    (void)path;
    __builtin_trap();
}

static void divide(const char *path)
{
    (void)path;
    volatile int lowest = -2147483647 - 1, divisor = -1;
    answer_number("quotient", lowest / divisor);
}

static void stray_write(const char *path)
{
    (void)path;
    *(volatile int *)0xfffffff0u = 1;
    answer("written");
}

static void wrong_function(const char *path)
{
    (void)path;
    volatile uintptr_t place = (uintptr_t)loop;
    ((double (*)(double, double, double))place)(1, 2, 3);
    answer("called");
}

static void leave(const char *path)
{
    _Exit(atoi(path));
}

static void answer_and_loop(const char *path)
{
    answer("first");
    loop(path);
}

static void grow(const char *path)
{
    (void)path;
    while (__builtin_wasm_memory_grow(0, 16) != (size_t)-1)
        *(volatile char *)(__builtin_wasm_memory_size(0) * 65536 - 1) = 1;
    answer_number("MiB", (long)(__builtin_wasm_memory_size(0) / 16));
}

static void grow_at_once(const char *path)
{
    (void)path;
    size_t before = __builtin_wasm_memory_size(0);
    answer(__builtin_wasm_memory_grow(0, 65535 - before) == (size_t)-1 ? "refused" : "given");
}

static void grow_always(const char *path)
{
    (void)path;
    while (endless)
        (void)__builtin_wasm_memory_grow(0, 1);
}

static void keep(const char *path)
{
    (void)path;
    volatile char *piece = malloc((size_t)8 << 20);
    if (piece != NULL)
        for (size_t at = 0; at < (size_t)8 << 20; at += 4096)
            piece[at] = 1;
    answer(piece == NULL ? "refused" : "given");
}

const struct attack ATTACKS[] = {
    {"loop", loop},
    {"loop-in-host", loop_in_host},
    {"random-bytes", random_bytes},
    {"many-vectors", many_vectors},
    {"sleep", sleep_on},
    {"doze", doze},
    {"wait-for-many", wait_for_many},
    {"read-on", read_on},
    {"recurse", recurse},
    {"trap", trap},
    {"divide", divide},
    {"stray-write", stray_write},
    {"wrong-function", wrong_function},
    {"leave", leave},
    {"answer-and-loop", answer_and_loop},
    {"grow", grow},
    {"grow-at-once", grow_at_once},
    {"grow-always", grow_always},
    {"keep", keep},
    {NULL, NULL},
};
