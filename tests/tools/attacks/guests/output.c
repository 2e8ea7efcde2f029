/* Guests that write too much, in the wrong place or at the wrong time. */

#include "attack.h"

static char block[1 << 16];

static void flood(int descriptor, char filling, int with_ends)
{
    memset(block, filling, sizeof block);
    for (size_t at = 99; with_ends && at < sizeof block; at += 100)
        block[at] = '\n';
    for (size_t written = 0; written < (size_t)1 << 30; written += sizeof block)
        if (write(descriptor, block, sizeof block) < 0)
            _Exit(9);
}

static void gigabyte_out(const char *path)
{
    (void)path;
    flood(1, ' ', 1);
    answer("wrote");
}

static void gigabyte_log(const char *path)
{
    (void)path;
    flood(2, 'x', 1);
    answer("wrote");
}

static void no_line_end(const char *path)
{
    (void)path;
    flood(1, 'x', 0);
    answer("wrote");
}

static void no_line_end_log(const char *path)
{
    (void)path;
    flood(2, 'x', 0);
    answer("wrote");
}

static void only_line_ends(const char *path)
{
    (void)path;
    flood(1, '\n', 0);
    answer("wrote");
}

static void only_nulls(const char *path)
{
    (void)path;
    flood(1, '\0', 0);
    answer("wrote");
}

static void both(const char *path)
{
    (void)path;
    for (;;)
        flood(2, '\n', 0), flood(1, ' ', 1);
}

static void drip(const char *path)
{
    (void)path;
    for (;;)
        say_raw("x"), usleep(1000);
}

static void half_a_line(const char *path)
{
    (void)path;
    say_raw("{\"jsonrpc\":\"2.0\",");
    for (;;)
        usleep(1000000);
}

static void answer_and_flood(const char *path)
{
    (void)path;
    answer("first");
    flood(1, ' ', 1);
}

static void answer_and_flood_log(const char *path)
{
    (void)path;
    answer("first");
    flood(2, ' ', 1);
}

static void large_answer(const char *path)
{
    (void)path;
    memset(block, 'x', sizeof block);
    say_raw("{\"jsonrpc\":\"2.0\",\"id\":"), say_raw(id), say_raw(",\"result\":{\"structuredContent\":{\"said\":\"");
    for (int turn = 0; turn < 16 * 100; turn++)
        put(block, sizeof block);
    say_raw("\"}}}\n");
}

static void close_stdout(const char *path)
{
    (void)path;
    (void)__wasi_fd_close(1);
    answer("closed");
}

static void log_into_stdout(const char *path)
{
    (void)path;
    (void)__wasi_fd_renumber(2, 1);
    answer("renumbered");
}

static void close_stdin(const char *path)
{
    (void)path;
    (void)__wasi_fd_close(0);
    answer("closed");
}

static void seek_stdout(const char *path)
{
    (void)path;
    __wasi_filesize_t at;
    answer(__wasi_fd_seek(1, 1 << 20, __WASI_WHENCE_SET, &at) == 0 ? "moved" : "refused");
}

static void many_log_lines(const char *path)
{
    (void)path;
    for (int at = 0; at < 2000; at++)
        fprintf(stderr, "line %d\n", at);
    answer("logged");
}

const struct attack ATTACKS[] = {
    {"gigabyte-out", gigabyte_out},
    {"gigabyte-log", gigabyte_log},
    {"no-line-end", no_line_end},
    {"no-line-end-log", no_line_end_log},
    {"only-line-ends", only_line_ends},
    {"only-nulls", only_nulls},
    {"both", both},
    {"drip", drip},
    {"half-a-line", half_a_line},
    {"answer-and-flood", answer_and_flood},
    {"answer-and-flood-log", answer_and_flood_log},
    {"large-answer", large_answer},
    {"close-stdout", close_stdout},
    {"log-into-stdout", log_into_stdout},
    {"close-stdin", close_stdin},
    {"seek-stdout", seek_stdout},
    {"many-log-lines", many_log_lines},
    {NULL, NULL},
};
