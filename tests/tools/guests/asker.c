/* A guest that asks its host: {"do": WORD, "what": TEXT}. It answers with the line that the host wrote. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char line[1 << 20], reply[1 << 20], escaped[1 << 20];

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
    size_t end = 0;
    for (; *said != '\0' && end + 2 < sizeof escaped; said++) {
        if (*said == '"' || *said == '\\')
            escaped[end++] = '\\';
        if (*said != '\n')
            escaped[end++] = *said;
    }
    escaped[end] = '\0';
    printf("{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"structuredContent\":{\"said\":\"%s\"}}}\n", id, escaped);
    fflush(stdout);
}

static void ask(const char *method, const char *key, const char *what)
{
    printf("{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"%s\",\"params\":{\"%s\":\"%s\"}}\n", method, key, what);
    fflush(stdout);
}

static const char *heard(void)
{
    return fgets(reply, sizeof reply, stdin) == NULL ? "nothing" : reply;
}

static const char *fill(const char *folder)
{
    static char block[1 << 16], path[512];
    for (int number = 0; number < 4096; number++) {
        snprintf(path, sizeof path, "%s/%d", folder, number);
        FILE *file = fopen(path, "w");
        if (file == NULL)
            return "refused";
        for (int part = 0; part < 16; part++)
            fwrite(block, 1, sizeof block, file);
        fclose(file);
    }
    return "filled";
}

int main(void)
{
    char id[64], word[64], what[512];
    while (fgets(line, sizeof line, stdin) != NULL) {
        const char *found = strstr(line, "\"id\":");
        size_t length = found == NULL ? 0 : strcspn(found + 5, ",}");
        memcpy(id, found == NULL ? "" : found + 5, length);
        id[length] = '\0';
        text_of("do", word, sizeof word);
        text_of("what", what, sizeof what);
        if (strcmp(word, "fetch") == 0)
            ask("host/fetch", "url", what), answer(id, heard());
        else if (strcmp(word, "search") == 0)
            ask("host/memory.search", "query", what), answer(id, heard());
        else if (strcmp(word, "wrong") == 0)
            ask("host/fetch", "address", what), answer(id, heard());
        else if (strcmp(word, "unknown") == 0)
            ask("host/exec", "program", what), answer(id, heard());
        else if (strcmp(word, "log") == 0)
            ask("host/log", "message", what), answer(id, heard());
        else if (strcmp(word, "impatient") == 0)
            ask("host/fetch", "url", what), answer(id, "did not wait");
        else if (strcmp(word, "afterwards") == 0)
            answer(id, "well"), ask("host/fetch", "url", what);
        else if (strcmp(word, "insist") == 0)
            for (;;)
                ask("host/fetch", "url", what), heard();
        else if (strcmp(word, "fill") == 0)
            answer(id, fill(what));
        else
            answer(id, word);
    }
    return 0;
}
