/* SPDX-License-Identifier: Apache-2.0 */
/* Which files are read, in which order (UAPI.6). */
#include "cleanup.h"
#include "conf.h"
#include "file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define MAIN_FILE "s2sd.conf"
#define SUFFIX ".conf"

/* A file of a drop-in folder: the one of its name in the highest place. */
struct drop_in {
    char *name, *path;
};

struct drop_ins {
    struct drop_in *list;
    size_t n;
};

static void drop_ins_done(struct drop_ins *d)
{
    for (size_t i = 0; i < d->n; i++) {
        free(d->list[i].name);
        free(d->list[i].path);
    }
    free(d->list);
    *d = (struct drop_ins){0};
}

static char *join(const char *a, const char *b)
{
    char *path = NULL;
    return asprintf(&path, "%s/%s", a, b) < 0 ? NULL : path;
}

/* A link to /dev/null says: this name is not wanted, in no place. */
static bool is_masked(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

/* Mistakes, those of reading included, go to `errors`; only lack of memory is a failure. */
static int load_file(struct conf_set *set, const char *path, struct conf_errors *errors)
{
    if (is_masked(path))
        return 0;
    CLEANUP(buf_done) struct buf text = BUF_INIT(CONF_FILE_MAX);
    char why[1024];
    int e = file_read(path, FILE_CONFIG, CONF_FILE_MAX, &text, why, sizeof why);
    if (e == -ENOMEM)
        return e;
    if (e < 0) {
        conf_error(errors, (struct conf_where){0}, "%s", why);
        return 0;
    }
    return conf_parse(set, path, buf_span(&text), errors);
}

static int load_main(struct conf_set *set, const char *const *dirs, struct conf_errors *errors)
{
    for (const char *const *dir = dirs; *dir; dir++) {
        CLEANUP(freep) char *path = join(*dir, MAIN_FILE);
        struct stat st;
        if (!path)
            return -ENOMEM;
        if (lstat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR))
            return load_file(set, path, errors);
    }
    conf_error(errors, (struct conf_where){0}, "%s/%s: there is no such file",
        dirs[0] ? dirs[0] : "", MAIN_FILE);
    return 0;
}

static bool is_wanted(const char *name)
{
    size_t n = strlen(name), tail = sizeof SUFFIX - 1;
    return name[0] != '.' && n > tail && strcmp(name + n - tail, SUFFIX) == 0;
}

static bool is_known(const struct drop_ins *d, const char *name)
{
    for (size_t i = 0; i < d->n; i++)
        if (strcmp(d->list[i].name, name) == 0)
            return true;
    return false;
}

static int add_drop_in(struct drop_ins *d, const char *folder, const char *name)
{
    struct drop_in *list = reallocarray(d->list, d->n + 1, sizeof *list);
    if (!list)
        return -ENOMEM;
    d->list = list;
    struct drop_in one = {.name = strdup(name), .path = join(folder, name)};
    if (!one.name || !one.path) {
        free(one.name);
        free(one.path);
        return -ENOMEM;
    }
    list[d->n++] = one;
    return 0;
}

/* The names of one folder that no higher place has. */
static int collect(struct drop_ins *d, const char *folder, struct conf_errors *errors)
{
    CLEANUP(closedirp) DIR *stream = opendir(folder);
    if (!stream) {
        if (errno != ENOENT)
            conf_error(errors, (struct conf_where){folder, 0}, "cannot read the folder: %s",
                strerror(errno));
        return 0;
    }
    size_t higher = d->n;
    for (const struct dirent *entry = readdir(stream); entry; entry = readdir(stream)) {
        struct drop_ins above = {d->list, higher};
        if (!is_wanted(entry->d_name) || is_known(&above, entry->d_name))
            continue;
        int e = add_drop_in(d, folder, entry->d_name);
        if (e < 0)
            return e;
    }
    return 0;
}

static int by_name(const void *a, const void *b)
{
    const struct drop_in *x = a, *y = b;
    return strcmp(x->name, y->name);
}

/* All files of the folders DIR/sub, sorted by file name whatever place they are in. */
static int load_drop_ins(
    struct conf_set *set, const char *const *dirs, const char *sub, struct conf_errors *errors)
{
    CLEANUP(drop_ins_done) struct drop_ins d = {0};
    for (const char *const *dir = dirs; *dir; dir++) {
        CLEANUP(freep) char *folder = join(*dir, sub);
        int e = folder ? collect(&d, folder, errors) : -ENOMEM;
        if (e < 0)
            return e;
    }
    if (d.n)
        qsort(d.list, d.n, sizeof *d.list, by_name);
    for (size_t i = 0; i < d.n; i++) {
        int e = load_file(set, d.list[i].path, errors);
        if (e < 0)
            return e;
    }
    return 0;
}

int conf_load(struct conf_set *set, const char *const *dirs, struct conf_errors *errors)
{
    static const char *const folders[] = {"s2sd.conf.d", "partners.d", "clients.d"};
    int e = load_main(set, dirs, errors);
    for (size_t i = 0; e == 0 && i < ARRAY_LEN(folders); i++)
        e = load_drop_ins(set, dirs, folders[i], errors);
    return e;
}
