/* Guests that want files, variables, descriptors and connections that nobody granted. */

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "attack.h"

/* Split "FIRST>SECOND", in place. */
static char *second_of(const char *path)
{
    char *cut = strchr(path, '>');
    if (cut == NULL)
        return (char *)"";
    *cut = '\0';
    return cut + 1;
}

static void report(int failed)
{
    answer(failed ? strerror(errno) : "done");
}

static void read_file(const char *path)
{
    static char content[256];
    int file = open(path, O_RDONLY);
    if (file < 0) {
        answer(strerror(errno));
        return;
    }
    ssize_t got = read(file, content, sizeof content - 1);
    content[got < 0 ? 0 : got] = '\0';
    close(file);
    answer(got < 0 ? strerror(errno) : content);
}

static void write_file(const char *path)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file < 0) {
        answer(strerror(errno));
        return;
    }
    int failed = write(file, "stolen", 6) != 6;
    close(file);
    report(failed);
}

static void append(const char *path)
{
    int file = open(path, O_WRONLY | O_APPEND);
    int failed = file < 0 || write(file, "stolen", 6) != 6;
    report(failed);
    close(file);
}

static void list(const char *path)
{
    DIR *folder = opendir(path);
    int entries = 0;
    if (folder == NULL) {
        answer(strerror(errno));
        return;
    }
    while (readdir(folder) != NULL)
        entries++;
    closedir(folder);
    answer_number("entries", entries);
}

static void look(const char *path)
{
    struct stat status;
    report(lstat(path, &status));
}

static void delete_file(const char *path)
{
    report(unlink(path));
}

static void make_folder(const char *path)
{
    report(mkdir(path, 0755));
}

static void hard_link(const char *path)
{
    const char *to = second_of(path);
    report(link(path, to));
}

static void move(const char *path)
{
    const char *to = second_of(path);
    report(rename(path, to));
}

static void symbolic_link(const char *path)
{
    const char *to = second_of(path);
    report(symlink(path, to));
}

/* Make a link that leads away, and read through it. */
static void link_and_read(const char *path)
{
    const char *to = second_of(path);
    (void)unlink(to);
    if (symlink(path, to) != 0)
        answer(strerror(errno));
    else
        read_file(to);
}

static void link_and_write(const char *path)
{
    const char *to = second_of(path);
    (void)unlink(to);
    if (symlink(path, to) != 0)
        answer(strerror(errno));
    else
        write_file(to);
}

static void touch(const char *path)
{
    struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    report(utimensat(AT_FDCWD, path, times, 0));
}

static void cut_short(const char *path)
{
    report(truncate(path, 0));
}

/* Open a path below every descriptor there could be, past what libc would allow. */
static void raw_open(const char *path)
{
    static char content[64];
    for (__wasi_fd_t folder = 0; folder < 1024; folder++) {
        __wasi_fd_t file;
        __wasi_iovec_t vector = {(uint8_t *)content, sizeof content - 1};
        size_t got = 0;
        if (__wasi_path_open(folder, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, path, 0, __WASI_RIGHTS_FD_READ, 0, 0, &file) != 0)
            continue;
        if (__wasi_fd_read(file, &vector, 1, &got) == 0 && got > 0) {
            answer(content);
            return;
        }
    }
    answer("nothing");
}

static void raw_write(const char *path)
{
    int opened = 0;
    for (__wasi_fd_t folder = 0; folder < 1024; folder++) {
        __wasi_fd_t file;
        if (__wasi_path_open(folder, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, path, __WASI_OFLAGS_CREAT | __WASI_OFLAGS_TRUNC,
                             __WASI_RIGHTS_FD_WRITE, 0, 0, &file) == 0)
            opened++;
    }
    answer_number("opened", opened);
}

/* Say which descriptors exist. */
static void descriptors(const char *path)
{
    (void)path;
    static char said[2048];
    size_t length = 0;
    for (__wasi_fd_t number = 0; number < 1024 && length < sizeof said - 16; number++) {
        __wasi_fdstat_t status;
        if (__wasi_fd_fdstat_get(number, &status) == 0)
            length += (size_t)snprintf(said + length, sizeof said - length, "%s%u", length ? "," : "", number);
    }
    answer(said);
}

static void grow_sparse(const char *path)
{
    int file = open(path, O_WRONLY | O_CREAT, 0644);
    int failed = file < 0 || ftruncate(file, (off_t)1 << 40) != 0;
    report(failed);
    close(file);
}

static void write_far(const char *path)
{
    int file = open(path, O_WRONLY | O_CREAT, 0644);
    int failed = file < 0 || pwrite(file, "x", 1, (off_t)1 << 40) != 1;
    report(failed);
    close(file);
}

/* Fill one file; say how many MiB it took. */
static void fill(const char *path)
{
    static char block[1 << 20];
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    int taken = 0;
    while (file >= 0 && taken < 1024 && write(file, block, sizeof block) == (ssize_t)sizeof block)
        taken++;
    answer_number("MiB", taken);
    close(file);
}

/* Fill a folder with files of 8 MiB; say how many MiB it took. */
static void fill_many(const char *path)
{
    static char block[1 << 20], name[4200];
    int taken = 0;
    for (int number = 0; number < 128; number++) {
        snprintf(name, sizeof name, "%s/fill-%d", path, number);
        int file = open(name, O_WRONLY | O_CREAT, 0644);
        for (int at = 0; file >= 0 && at < 8 && write(file, block, sizeof block) == (ssize_t)sizeof block; at++)
            taken++;
        close(file);
    }
    answer_number("MiB", taken);
}

static void variable(const char *path)
{
    answer(getenv(path) == NULL ? "unset" : getenv(path));
}

extern char **environ;

static void variables(const char *path)
{
    (void)path;
    static char said[2048];
    size_t length = 0, count, size;
    (void)__wasi_args_sizes_get(&count, &size);
    length += (size_t)snprintf(said, sizeof said, "arguments %zu", count);
    for (char **one = environ; *one != NULL && length < sizeof said - 300; one++)
        length += (size_t)snprintf(said + length, sizeof said - length, " %.200s", *one);
    answer(said);
}

static void sockets(const char *path)
{
    (void)path;
    int worked = 0;
    static uint8_t data[16] = "stolen";
    for (__wasi_fd_t number = 0; number < 64; number++) {
        __wasi_fd_t accepted;
        __wasi_iovec_t in = {data, sizeof data};
        __wasi_ciovec_t out = {data, sizeof data};
        size_t size;
        __wasi_roflags_t flags;
        worked += __wasi_sock_accept(number, 0, &accepted) == 0;
        worked += __wasi_sock_recv(number, &in, 1, 0, &size, &flags) == 0;
        worked += __wasi_sock_send(number, &out, 1, 0, &size) == 0;
        worked += __wasi_sock_shutdown(number, __WASI_SDFLAGS_WR) == 0;
    }
    answer_number("worked", worked);
}

const struct attack ATTACKS[] = {
    {"read", read_file},
    {"write", write_file},
    {"append", append},
    {"list", list},
    {"look", look},
    {"delete", delete_file},
    {"make-folder", make_folder},
    {"hard-link", hard_link},
    {"move", move},
    {"symbolic-link", symbolic_link},
    {"link-and-read", link_and_read},
    {"link-and-write", link_and_write},
    {"touch", touch},
    {"cut-short", cut_short},
    {"raw-open", raw_open},
    {"raw-write", raw_write},
    {"descriptors", descriptors},
    {"grow-sparse", grow_sparse},
    {"write-far", write_far},
    {"fill", fill},
    {"fill-many", fill_many},
    {"variable", variable},
    {"variables", variables},
    {"sockets", sockets},
    {NULL, NULL},
};
