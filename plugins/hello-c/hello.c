/* Greets the world: one JSON-RPC request a line on stdin, one answer a line on stdout.

   It takes {"jsonrpc":"2.0","id":1,"method":"hello","params":{"name":"Ada"}} and answers
   {"jsonrpc":"2.0","id":1,"result":{"greeting":"Hello, Ada!"}}. The name is copied as it stands in the request,
   escapes and all, so that it needs no JSON library and is valid JSON again. */

#include <stdio.h>
#include <string.h>

static char line[1 << 20];

/* Return the start of the text that `key` has in `json`, and its length without the quotes; NULL when it has none. */
static const char *text_of(const char *json, const char *key, size_t *length)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":\"", key);
    const char *start = strstr(json, quoted);
    if (start == NULL)
        return NULL;
    start += strlen(quoted);
    const char *end = start;
    while (*end != '\0' && *end != '"')
        end += (*end == '\\' && end[1] != '\0') ? 2 : 1;
    *length = (size_t)(end - start);
    return start;
}

int main(void)
{
    while (fgets(line, sizeof line, stdin) != NULL) {
        size_t length = 0;
        const char *params = strstr(line, "\"params\":");
        const char *name = params == NULL ? NULL : text_of(params, "name", &length);
        if (name == NULL)
            puts("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,\"message\":\"name is missing\"}}");
        else
            printf("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"greeting\":\"Hello, %.*s!\"}}\n", (int)length, name);
        fflush(stdout);
    }
    return 0;
}
