/* What every hostile guest shares: it reads {"do": WORD, "path": PATH} and does what the word names.
 *
 * A guest defines ATTACKS, a table of words, and includes this first. A word that is not in the table is said back. */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wasi/api.h>

struct attack {
    const char *word;
    void (*run)(const char *path);
};

extern const struct attack ATTACKS[];

static char line[1 << 16];
static char id[64] = "1";
static char last_id[64] = "1";

/* Write bytes past the buffers of libc. */
static void put(const char *text, size_t size)
{
    while (size > 0) {
        ssize_t written = write(1, text, size);
        if (written <= 0)
            _Exit(9);
        text += written, size -= (size_t)written;
    }
}

static void say_raw(const char *text)
{
    put(text, strlen(text));
}

/* Answer the question, with a text that needs no escapes in JSON. */
static void answer(const char *said)
{
    static char plain[4096], whole[8192];
    size_t length = 0;
    for (; said[length] != '\0' && length < sizeof plain - 1; length++) {
        unsigned char letter = (unsigned char)said[length];
        plain[length] = letter < 0x20 || letter > 0x7e || letter == '"' || letter == '\\' ? '?' : (char)letter;
    }
    plain[length] = '\0';
    snprintf(whole, sizeof whole, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{\"structuredContent\":{\"said\":\"%s\"}}}\n",
             id, plain);
    say_raw(whole);
}

__attribute__((unused)) static void answer_number(const char *words, long number)
{
    char said[128];
    snprintf(said, sizeof said, "%s %ld", words, number);
    answer(said);
}

static void text_of(const char *key, char *into, size_t size)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":\"", key);
    const char *start = strstr(line, quoted);
    size_t length = start == NULL ? 0 : strcspn(start + strlen(quoted), "\"");
    if (length >= size)
        length = size - 1;
    memcpy(into, start == NULL ? "" : start + strlen(quoted), length);
    into[length] = '\0';
}

static void identify(void)
{
    const char *found = strstr(line, "\"id\":");
    memcpy(last_id, id, sizeof id);
    if (found != NULL)
        snprintf(id, sizeof id, "%.*s", (int)strcspn(found + 5, ",}"), found + 5);
}

int main(void)
{
    while (fgets(line, sizeof line, stdin) != NULL) {
        char word[64], path[4096];
        text_of("do", word, sizeof word);
        text_of("path", path, sizeof path);
        identify();
        const struct attack *one = ATTACKS;
        while (one->word != NULL && strcmp(one->word, word) != 0)
            one++;
        if (one->word == NULL)
            answer(word);
        else
            one->run(path);
    }
    return 0;
}
