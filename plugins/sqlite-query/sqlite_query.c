/* Read-only queries over a SQLite database that was granted, as an MCP server in lines. SQLite is linked in, and its
   own JSON functions read the questions. */

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sqlite3.h"

enum { MOST_BYTES = 1 << 20, MOST_CELL = 1 << 14, USUAL_ROWS = 100, MOST_ROWS = 10000 };

static const char TOOLS[] = {
#embed "tools.json"
    , 0};

static sqlite3 *words; /* an empty database in memory: the JSON library */

/* ---- JSON ---- */

/* Return what `expression` makes of the text ?1, in memory of its own; NULL when that is NULL or no JSON. */
static char *made(const char *expression, const char *json)
{
    sqlite3_stmt *statement = NULL;
    char *sql = sqlite3_mprintf("SELECT %s", expression), *found = NULL;
    if (sqlite3_prepare_v2(words, sql, -1, &statement, NULL) == SQLITE_OK) {
        sqlite3_bind_text(statement, 1, json, -1, SQLITE_STATIC);
        if (sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL)
            found = sqlite3_mprintf("%s", sqlite3_column_text(statement, 0));
    }
    sqlite3_finalize(statement);
    sqlite3_free(sql);
    return found;
}

/* Return the length of the valid UTF-8 sequence at `at`, 0 when it is none. */
static int sequence(const unsigned char *at, const unsigned char *end)
{
    int length = *at < 0x80 ? 1 : *at >= 0xF0 ? 4 : *at >= 0xE0 ? 3 : *at >= 0xC2 ? 2 : 0;
    if (length == 0 || *at > 0xF4 || end - at < length)
        return 0;
    for (int i = 1; i < length; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    if ((*at == 0xE0 && at[1] < 0xA0) || (*at == 0xED && at[1] > 0x9F))
        return 0; /* overlong, or a surrogate */
    if ((*at == 0xF0 && at[1] < 0x90) || (*at == 0xF4 && at[1] > 0x8F))
        return 0;
    return length;
}

/* Append a text as JSON; what is no UTF-8 becomes U+FFFD, what is longer than `most` is cut. */
static void append_text(sqlite3_str *out, const char *text, int size, int most)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + (size > most ? most : size);
    sqlite3_str_appendchar(out, 1, '"');
    while (at < end) {
        int length = sequence(at, end);
        if (length == 1 && (*at == '"' || *at == '\\'))
            sqlite3_str_appendf(out, "\\%c", *at);
        else if (length == 1 && *at < 0x20)
            sqlite3_str_appendf(out, "\\u%04x", *at);
        else if (length > 0)
            sqlite3_str_append(out, (const char *)at, length);
        else
            sqlite3_str_appendall(out, "\xEF\xBF\xBD");
        at += length > 0 ? length : 1;
    }
    if (size > most)
        sqlite3_str_appendall(out, "\xE2\x80\xA6");
    sqlite3_str_appendchar(out, 1, '"');
}

static void append_cell(sqlite3_str *out, sqlite3_stmt *row, int column)
{
    switch (sqlite3_column_type(row, column)) {
    case SQLITE_INTEGER:
        sqlite3_str_appendf(out, "%lld", sqlite3_column_int64(row, column));
        break;
    case SQLITE_FLOAT: {
        double value = sqlite3_column_double(row, column);
        if (value - value == 0)
            sqlite3_str_appendf(out, "%!.15g", value);
        else
            sqlite3_str_appendall(out, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
        break;
    }
    case SQLITE_TEXT:
        append_text(out, (const char *)sqlite3_column_text(row, column), sqlite3_column_bytes(row, column), MOST_CELL);
        break;
    case SQLITE_BLOB: {
        const unsigned char *bytes = sqlite3_column_blob(row, column);
        int size = sqlite3_column_bytes(row, column);
        sqlite3_str_appendf(out, "{\"bytes\":%d,\"hex\":\"", size);
        for (int i = 0; i < size && i < 256; i++)
            sqlite3_str_appendf(out, "%02x", bytes[i]);
        sqlite3_str_appendall(out, "\"}");
        break;
    }
    default:
        sqlite3_str_appendall(out, "null");
    }
}

/* ---- the database ---- */

/* Allow what reads; all else is refused when the statement is prepared. */
static int may(void *unused, int action, const char *first, const char *second, const char *third, const char *fourth)
{
    static const char *const READING[] = {"table_info", "table_xinfo", "table_list", "index_list",
                                          "index_info", "index_xinfo", "foreign_key_list"};
    (void)unused, (void)second, (void)third, (void)fourth;
    if (action == SQLITE_SELECT || action == SQLITE_READ || action == SQLITE_FUNCTION || action == SQLITE_RECURSIVE)
        return SQLITE_OK;
    for (size_t i = 0; action == SQLITE_PRAGMA && i < sizeof READING / sizeof *READING; i++)
        if (sqlite3_stricmp(first, READING[i]) == 0)
            return SQLITE_OK;
    return SQLITE_DENY;
}

/* Open for reading; return NULL or what is wrong, to be freed. WASI has no file locks, see `state`. */
static char *open_database(const char *path, sqlite3 **database)
{
    int code = sqlite3_open_v2(path, database, SQLITE_OPEN_READONLY, "unix-none");
    if (code == SQLITE_OK) /* exclusive: a write-ahead log is then read without shared memory */
        code = sqlite3_exec(*database, "PRAGMA locking_mode=EXCLUSIVE; SELECT count(*) FROM sqlite_schema", 0, 0, 0);
    if (code == SQLITE_CANTOPEN)
        return sqlite3_mprintf("\"%s\" is not there, or is not below a folder that was granted", path);
    if (code != SQLITE_OK)
        return sqlite3_mprintf("\"%s\" cannot be read: %s", path, sqlite3_errmsg(*database));
    sqlite3_db_config(*database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(*database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_limit(*database, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(*database, SQLITE_LIMIT_SQL_LENGTH, 100000);
    sqlite3_limit(*database, SQLITE_LIMIT_EXPR_DEPTH, 100);
    sqlite3_set_authorizer(*database, may, NULL);
    return NULL;
}

/* Return sizes and times of the database's files: when they change during a query, what it read may be a mix. */
static char *state(const char *path)
{
    static const char *const PARTS[] = {"", "-wal", "-journal"};
    sqlite3_str *found = sqlite3_str_new(NULL);
    for (int i = 0; i < 3; i++) {
        char *name = sqlite3_mprintf("%s%s", path, PARTS[i]);
        struct stat now;
        if (stat(name, &now) == 0)
            sqlite3_str_appendf(found, "%lld %lld %lld;", (long long)now.st_size, (long long)now.st_mtim.tv_sec,
                                (long long)now.st_mtim.tv_nsec);
        sqlite3_free(name);
    }
    return sqlite3_str_finish(found);
}

static void bind(sqlite3_stmt *statement, const char *parameters)
{
    sqlite3_stmt *each = NULL;
    sqlite3_prepare_v2(words, "SELECT value FROM json_each(?1)", -1, &each, NULL);
    sqlite3_bind_text(each, 1, parameters, -1, SQLITE_STATIC);
    for (int i = 1; sqlite3_step(each) == SQLITE_ROW; i++)
        sqlite3_bind_value(statement, i, sqlite3_column_value(each, 0));
    sqlite3_finalize(each);
}

/* Append the columns and at most `limit` rows of a statement. */
static int append_rows(sqlite3_str *out, sqlite3_stmt *statement, int limit)
{
    int columns = sqlite3_column_count(statement), rows = 0, more = 0, code;
    sqlite3_str_appendall(out, "{\"columns\":[");
    for (int i = 0; i < columns; i++) {
        const char *name = sqlite3_column_name(statement, i);
        sqlite3_str_appendall(out, i ? "," : "");
        append_text(out, name, (int)strlen(name), MOST_CELL);
    }
    sqlite3_str_appendall(out, "],\"rows\":[");
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (rows == limit || sqlite3_str_length(out) > MOST_BYTES) {
            more = 1;
            code = SQLITE_DONE;
            break;
        }
        sqlite3_str_appendall(out, rows++ ? ",[" : "[");
        for (int i = 0; i < columns; i++) {
            sqlite3_str_appendall(out, i ? "," : "");
            append_cell(out, statement, i);
        }
        sqlite3_str_appendchar(out, 1, ']');
    }
    sqlite3_str_appendf(out, "],\"more\":%s}", more ? "true" : "false");
    return code;
}

/* Run one statement on an open database; return its answer, or NULL with what is wrong in `fault`. */
static char *run(sqlite3 *database, const char *sql, const char *parameters, int limit, char **fault)
{
    sqlite3_stmt *statement = NULL;
    const char *behind = "";
    int code = sqlite3_prepare_v2(database, sql, -1, &statement, &behind);
    sqlite3_str *out = sqlite3_str_new(NULL);
    if (code == SQLITE_AUTH)
        *fault = sqlite3_mprintf("only statements that read are allowed: %s", sqlite3_errmsg(database));
    else if (code != SQLITE_OK)
        *fault = sqlite3_mprintf("%s", sqlite3_errmsg(database));
    else if (statement == NULL || behind[strspn(behind, "; \t\r\n")] != '\0')
        *fault = sqlite3_mprintf("give exactly one statement");
    else {
        if (parameters != NULL)
            bind(statement, parameters);
        if (append_rows(out, statement, limit) != SQLITE_DONE)
            *fault = sqlite3_mprintf("%s", sqlite3_errmsg(database));
    }
    sqlite3_finalize(statement);
    char *answer = sqlite3_str_finish(out);
    if (*fault == NULL)
        return answer;
    sqlite3_free(answer);
    return NULL;
}

/* Run one statement on the database at `path`, again when the files changed meanwhile. */
static char *query(const char *path, const char *sql, const char *parameters, int limit, char **fault)
{
    for (int attempt = 0; attempt < 3; attempt++) {
        sqlite3 *database = NULL;
        char *before = state(path), *answer = NULL;
        *fault = open_database(path, &database);
        if (*fault == NULL)
            answer = run(database, sql, parameters, limit, fault);
        sqlite3_close(database);
        char *after = state(path);
        int same = before && after ? strcmp(before, after) == 0 : before == after;
        sqlite3_free(before);
        sqlite3_free(after);
        if (same)
            return answer;
        sqlite3_free(answer);
        sqlite3_free(*fault);
        *fault = NULL;
    }
    *fault = sqlite3_mprintf("\"%s\" is being written; ask again later", path);
    return NULL;
}

/* ---- MCP ---- */

static const char SCHEMA[] = "SELECT name, type, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
                             "ORDER BY type = 'index', name";

static void call_tool(const char *line)
{
    char *name = made("json_extract(?1, '$.params.name')", line), *fault = NULL, *answer = NULL;
    char *path = made("json_extract(?1, '$.params.arguments.path')", line);
    char *sql = made("json_extract(?1, '$.params.arguments.sql')", line);
    char *parameters = made("?1 -> '$.params.arguments.parameters'", line);
    char *limit = made("json_extract(?1, '$.params.arguments.limit')", line);
    int rows = limit ? atoi(limit) : USUAL_ROWS;
    rows = rows < 1 ? 1 : rows > MOST_ROWS ? MOST_ROWS : rows;
    int known = name && (strcmp(name, "query") == 0 || strcmp(name, "schema") == 0);
    int asks = known && name[0] == 'q';
    if (!known)
        printf("\"error\":{\"code\":-32602,\"message\":\"no such tool\"}");
    else if (path == NULL || path[0] != '/' || (asks && sql == NULL))
        fault = sqlite3_mprintf("give an absolute path%s", asks ? " and a statement" : "");
    else
        answer = query(path, asks ? sql : SCHEMA, asks ? parameters : NULL, asks ? rows : MOST_ROWS, &fault);
    if (answer || fault) {
        sqlite3_str *text = sqlite3_str_new(NULL);
        append_text(text, answer ? answer : fault, (int)strlen(answer ? answer : fault), 2 * MOST_BYTES);
        char *quoted = sqlite3_str_finish(text);
        printf("\"result\":{\"resultType\":\"complete\",\"content\":[{\"type\":\"text\",\"text\":%s}],", quoted);
        if (answer)
            printf("\"structuredContent\":%s}", answer);
        else
            printf("\"isError\":true}");
        sqlite3_free(quoted);
    }
    char *all[] = {name, path, sql, parameters, limit, fault, answer};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        sqlite3_free(all[i]);
}

static void answer(const char *line, const char *method)
{
    if (strcmp(method, "tools/call") == 0) {
        call_tool(line);
    } else if (strcmp(method, "tools/list") == 0) {
        printf("\"result\":{\"resultType\":\"complete\",\"ttlMs\":0,\"cacheScope\":\"public\",\"tools\":%s}", TOOLS);
    } else if (strcmp(method, "server/discover") == 0) {
        printf("\"result\":{\"resultType\":\"complete\",\"ttlMs\":0,\"cacheScope\":\"public\","
               "\"supportedVersions\":[\"2026-07-28\"],\"capabilities\":{\"tools\":{}}}");
    } else if (strcmp(method, "initialize") == 0) {
        char *wanted = made("json_extract(?1, '$.params.protocolVersion')", line);
        printf("\"result\":{\"protocolVersion\":\"%s\",\"capabilities\":{\"tools\":{}},"
               "\"serverInfo\":{\"name\":\"sqlite-query\",\"version\":\"1.0.0\"}}",
               wanted && strcmp(wanted, "2025-06-18") == 0 ? wanted : "2025-11-25");
        sqlite3_free(wanted);
    } else if (strcmp(method, "ping") == 0) {
        printf("\"result\":{}");
    } else {
        printf("\"error\":{\"code\":-32601,\"message\":\"no such method\"}");
    }
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    if (sqlite3_open(":memory:", &words) != SQLITE_OK)
        return 1;
    while (getline(&line, &room, stdin) > 0) {
        char *id = made("?1 -> '$.id'", line), *method = made("json_extract(?1, '$.method')", line);
        if (id != NULL || method == NULL) { /* a notification wants no answer */
            printf("{\"jsonrpc\":\"2.0\",\"id\":%s,", id ? id : "null");
            if (method == NULL)
                printf("\"error\":{\"code\":-32700,\"message\":\"this is no message\"}");
            else
                answer(line, method);
            puts("}");
            fflush(stdout);
        }
        sqlite3_free(id);
        sqlite3_free(method);
    }
    return 0;
}
