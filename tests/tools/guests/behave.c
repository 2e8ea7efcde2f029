/* A guest that does what its question says: {"do": WORD, "path": PATH}. It answers with the question's id. */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char line[1 << 21];
static int calls;
static volatile int endless = 1;

static const char *text_of(const char *key, char *into, size_t size)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":\"", key);
    const char *start = strstr(line, quoted);
    size_t length = start == NULL ? 0 : strcspn(start + strlen(quoted), "\"");
    if (length >= size)
        length = size - 1;
    memcpy(into, start == NULL ? "" : start + strlen(quoted), length);
    into[length] = '\0';
    return into;
}

static void answer(const char *id, const char *said)
{
    printf("{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"structuredContent\":{\"said\":\"%s\",\"calls\":%d}}}\n", id, said, calls);
    fflush(stdout);
}

__attribute__((noinline)) static int recurse(volatile int depth)
{
    volatile char here[256];
    here[depth & 255] = (char)depth;
    return endless ? recurse(depth + 1) + here[0] : 0;
}

static void flood(FILE *stream)
{
    for (;;)
        fputs("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", stream);
}

static const char *grab(void)
{
    size_t taken = 0;
    for (volatile char *piece; taken < 4096 && (piece = malloc(1 << 20)) != NULL; taken++)
        piece[0] = 1; /* or the compiler sees that nobody uses it, and takes nothing */
    static char said[64];
    snprintf(said, sizeof said, "%zu MiB", taken);
    return said;
}

static const char *read_file(const char *path)
{
    static char content[256];
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return strerror(errno);
    size_t got = fread(content, 1, sizeof content - 1, file);
    content[got] = '\0';
    content[strcspn(content, "\n\"\\")] = '\0';
    fclose(file);
    return content;
}

static const char *write_file(const char *path)
{
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return strerror(errno);
    fputs("written", file);
    fclose(file);
    return "written";
}

int main(void)
{
    while (fgets(line, sizeof line, stdin) != NULL) {
        char word[64], path[512], id[64] = "1";
        const char *found = strstr(line, "\"id\":");
        if (found != NULL)
            snprintf(id, sizeof id, "%.*s", (int)strcspn(found + 5, ",}"), found + 5);
        text_of("do", word, sizeof word);
        text_of("path", path, sizeof path);
        calls++;
        if (strcmp(word, "loop") == 0)
            for (volatile int turn = 0;; turn++)
                ;
        if (strcmp(word, "sleep") == 0)
            sleep(3600);
        if (strcmp(word, "recurse") == 0)
            recurse(0);
        if (strcmp(word, "exit") == 0)
            exit(3);
        if (strcmp(word, "abort") == 0)
            abort();
        if (strcmp(word, "flood") == 0)
            flood(stdout);
        if (strcmp(word, "flood-log") == 0)
            flood(stderr);
        if (strcmp(word, "garbage") == 0)
            puts("no json at all"), fflush(stdout);
        if (strcmp(word, "wrong-id") == 0)
            answer("424242", "x");
        if (strcmp(word, "twice") == 0)
            answer(id, "first");
        if (strcmp(word, "log") == 0)
            fputs("\033[31mred\033[0m\033]0;title\007 alert\a\n", stderr);
        if (strcmp(word, "ask-host") == 0)
            puts("{\"jsonrpc\":\"2.0\",\"id\":\"q1\",\"method\":\"host/fetch\",\"params\":{}}"), fflush(stdout),
                fgets(line, sizeof line, stdin), answer(id, strstr(line, "-32601") ? "refused" : "allowed");
        else if (strcmp(word, "memory") == 0)
            answer(id, grab());
        else if (strcmp(word, "read") == 0)
            answer(id, read_file(path));
        else if (strcmp(word, "write") == 0)
            answer(id, write_file(path));
        else if (strcmp(word, "environment") == 0)
            answer(id, getenv(path) == NULL ? "unset" : getenv(path));
        else if (strcmp(word, "talk-on") == 0)
            answer(id, "well"), answer(id, "and again");
        else if (strcmp(word, "leave") == 0)
            answer(id, "bye"), exit(0);
        else
            answer(id, word);
    }
    return 0;
}
