/* Guests that break the protocol: what they say is no JSON, no message, or no answer to what was asked. */

#include "attack.h"

static const char HEAD[] = "{\"jsonrpc\":\"2.0\",\"id\":";

/* A line that answers with `result` as it stands. */
static void result(const char *number, const char *text)
{
    say_raw(HEAD), say_raw(number), say_raw(",\"result\":"), say_raw(text), say_raw("}\n");
}

/* Say the path, which is the line that is tried: ' stands for ", @ for the id of the question, ~ for a backslash. */
static void say(const char *path)
{
    for (; *path != '\0'; path++)
        if (*path == '\'')
            say_raw("\"");
        else if (*path == '@')
            say_raw(id);
        else if (*path == '~')
            say_raw("\\");
        else
            put(path, 1);
    say_raw("\n");
}

static void say_then_answer(const char *path)
{
    say(path);
    answer("well");
}

static void bytes(const char *path)
{
    (void)path;
    say_raw("\xff\xfe\x80\n");
}

static void mark(const char *path)
{
    (void)path;
    say_raw("\xef\xbb\xbf");
    answer("marked");
}

static void repeat(const char *open, const char *middle, const char *close, int times)
{
    say_raw(HEAD), say_raw(id), say_raw(",\"result\":{\"structuredContent\":{\"said\":");
    for (int at = 0; at < times; at++)
        say_raw(open);
    say_raw(middle);
    for (int at = 0; at < times; at++)
        say_raw(close);
    say_raw("}}}\n");
}

static void deep_lists(const char *path)
{
    repeat("[", "", "]", atoi(path));
}

static void deep_objects(const char *path)
{
    repeat("{\"a\":", "1", "}", atoi(path));
}

static void many_digits(const char *path)
{
    repeat("9", "9", "", atoi(path));
}

static void hundred_megabytes(const char *path)
{
    (void)path;
    static char block[1 << 16];
    for (size_t at = 0; at < sizeof block; at += 4)
        memcpy(block + at, "[1],", 4);
    say_raw(HEAD), say_raw(id), say_raw(",\"result\":{\"structuredContent\":{\"said\":[");
    for (int turn = 0; turn < 1600; turn++)
        put(block, sizeof block);
    say_raw("1]}}}\n");
}

static void unknown_id(const char *path)
{
    (void)path;
    result("987654321987654321", "{\"structuredContent\":{\"said\":\"forged\"}}");
}

static void text_id(const char *path)
{
    (void)path;
    char quoted[80];
    snprintf(quoted, sizeof quoted, "\"%s\"", id);
    result(quoted, "{\"structuredContent\":{\"said\":\"forged\"}}");
}

static void replay(const char *path)
{
    (void)path;
    result(last_id, "{\"structuredContent\":{\"said\":\"forged\"}}");
}

static void next_id(const char *path)
{
    (void)path;
    char next[64];
    answer("first");
    for (int ahead = 1; ahead < 100; ahead++) {
        snprintf(next, sizeof next, "%lld", atoll(id) + ahead);
        result(next, "{\"structuredContent\":{\"said\":\"forged\"}}");
    }
}

static void twice(const char *path)
{
    (void)path;
    static char both[512];
    snprintf(both, sizeof both, "%s%s,\"result\":{\"structuredContent\":{\"said\":\"one\"}}}\n%s%s,\"result\":"
             "{\"structuredContent\":{\"said\":\"two\"}}}\n", HEAD, id, HEAD, id);
    say_raw(both);
}

static void call_host_on_and_on(const char *path)
{
    (void)path;
    for (int at = 0; at < 5000; at++)
        say_raw("{\"jsonrpc\":\"2.0\",\"method\":\"host/log\",\"params\":{\"message\":\"x\"}}\n");
    answer("called");
}

static void ask_host_and_never_read(const char *path)
{
    (void)path;
    for (int at = 0; at < 1 << 20; at++)
        say_raw("{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"host/none\"}\n");
    answer("called");
}

/* Call the host's method that the path names; say what it answered. */
static void ask_host(const char *path)
{
    say_raw("{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\""), say_raw(path), say_raw("\",\"params\":{}}\n");
    if (fgets(line, sizeof line, stdin) != NULL)
        answer(strstr(line, "\"error\"") != NULL ? "refused" : line);
}

/* Have the host fetch an address; say what came, or the number of the refusal. */
static void fetch(const char *path)
{
    say_raw("{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"host/fetch\",\"params\":{\"url\":\""), say_raw(path);
    say_raw("\"}}\n");
    if (fgets(line, sizeof line, stdin) == NULL)
        return;
    const char *code = strstr(line, "\"code\":");
    answer_number(code == NULL ? "fetched" : "refused", code == NULL ? 0 : atol(code + 7));
}

static void answer_for_host(const char *path)
{
    (void)path;
    say_raw("{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"host/none\"}\n");
    result("\"q\"", "{\"structuredContent\":{\"said\":\"forged\"}}");
}

const struct attack ATTACKS[] = {
    {"say", say},
    {"say-then-answer", say_then_answer},
    {"bytes", bytes},
    {"mark", mark},
    {"deep-lists", deep_lists},
    {"deep-objects", deep_objects},
    {"many-digits", many_digits},
    {"hundred-megabytes", hundred_megabytes},
    {"unknown-id", unknown_id},
    {"text-id", text_id},
    {"replay", replay},
    {"next-id", next_id},
    {"twice", twice},
    {"call-host-on-and-on", call_host_on_and_on},
    {"ask-host-and-never-read", ask_host_and_never_read},
    {"ask-host", ask_host},
    {"fetch", fetch},
    {"answer-for-host", answer_for_host},
    {NULL, NULL},
};
