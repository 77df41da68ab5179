/* SPDX-License-Identifier: Apache-2.0 */
#include "cleanup.h"
#include "clock.h"
#include "file.h"
#include "log.h"
#include "pool_internal.h"

#include <dirent.h>
#include <errno.h>
#include <sys/random.h>
#include <sys/stat.h>

#define PATH_ROOM 4096
#define STATE_SUFFIX SPAN(".state")
#define ID_FILE "self.id"

static int write_file(const struct pool_members *pm, const char *name, const struct buf *text)
{
    if (text->failed)
        return -ENOMEM;
    if (mkdir(pm->dir, 0700) < 0 && errno != EEXIST)
        return -errno;
    return file_replace(pm->dir, name, buf_span(text), 0600);
}

/* Puts a file aside that cannot be read: the evidence stays, the next write starts fresh. */
static void quarantine(const char *path, const char *what)
{
    char aside[PATH_ROOM + 64];
    snprintf(aside, sizeof(aside), "%s.broken-%lld", path, (long long)clock_wall_s());
    if (rename(path, aside) == 0)
        log_err("pool: %s: the state file is damaged, kept as %s", what, aside);
    else
        log_err("pool: %s: the state file %s is damaged and cannot be renamed: %s", what, path,
            strerror(errno));
}

/* 0, -ENOENT, or the error, which is logged. */
static int read_file(const char *path, const char *what, struct buf *text)
{
    char why[512];
    int r = file_read(path, FILE_CONFIG, text->max, text, why, sizeof(why));
    if (r < 0 && r != -ENOENT)
        log_err("pool: %s: state file: %s", what, why);
    return r;
}

bool pool_load(const struct pool_members *pm, const char *url, struct pool_member *ret)
{
    char file[POOL_FILE_MAX], path[PATH_ROOM];
    CLEANUP(buf_done) struct buf text = BUF_INIT(POOL_STATE_MAX);
    snprintf(path, sizeof(path), "%s/%s", pm->dir, pool_file_name(url, file));
    enum reason r = REASON_NEVER_FETCHED;
    if (read_file(path, url, &text) == 0) {
        r = pool_member_scan(buf_span(&text), url, ret);
        if (r == REASON_OK)
            return true;
        if (r != REASON_OUT_OF_MEMORY)
            quarantine(path, url);
    }
    *ret = (struct pool_member){.url = strdup(url), .last_reason = REASON_NEVER_FETCHED};
    return r != REASON_OUT_OF_MEMORY && ret->url;
}

void pool_save(struct pool_members *pm, struct pool_entry *e)
{
    char file[POOL_FILE_MAX];
    CLEANUP(buf_done) struct buf text = BUF_INIT(POOL_STATE_MAX + 1024);
    pool_member_print(&e->member, &text);
    int r = write_file(pm, pool_file_name(e->member.url, file), &text);
    if (r < 0 && !e->save_failed)
        log_err("pool member %s: its state cannot be kept in %s: %s; going on in memory",
            e->member.url, pm->dir, strerror(-r));
    else if (r == 0 && e->save_failed)
        log_notice("pool member %s: its state is kept on disk again", e->member.url);
    e->save_failed = r < 0;
}

static bool is_of_member(const struct pool_members *pm, const char *name)
{
    char file[POOL_FILE_MAX];
    for (size_t i = 0; i < pm->n; i++)
        if (strcmp(pool_file_name(pm->list[i]->member.url, file), name) == 0)
            return true;
    return false;
}

void pool_sweep(const struct pool_members *pm)
{
    DIR *dir = opendir(pm->dir);
    if (!dir)
        return; /* nothing was ever kept */
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        size_t n = strlen(e->d_name);
        if (n <= STATE_SUFFIX.n || strcmp(e->d_name + n - STATE_SUFFIX.n, STATE_SUFFIX.p) != 0 ||
            is_of_member(pm, e->d_name))
            continue;
        if (unlinkat(dirfd(dir), e->d_name, 0) < 0)
            log_err("pool: %s/%s cannot be removed: %s", pm->dir, e->d_name, strerror(errno));
    }
    closedir(dir);
}

/* Chance tells members apart; nothing secret hangs on it. */
static void make_id(struct pool_members *pm)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(1024);
    if (getrandom(pm->id, sizeof(pm->id), 0) != (ssize_t)sizeof(pm->id)) {
        log_err("pool: the kernel gives no random bytes");
        return;
    }
    pm->has_id = true;
    pool_id_print(pm->id, &text);
    int r = write_file(pm, ID_FILE, &text);
    if (r < 0)
        log_err("pool: who of the pool we are cannot be kept in %s: %s; a restart makes it anew",
            pm->dir, strerror(-r));
}

void pool_load_id(struct pool_members *pm)
{
    char path[PATH_ROOM];
    CLEANUP(buf_done) struct buf text = BUF_INIT(1024);
    if (pm->has_id)
        return;
    snprintf(path, sizeof(path), "%s/" ID_FILE, pm->dir);
    if (read_file(path, ID_FILE, &text) == 0) {
        pm->has_id = pool_id_scan(buf_span(&text), pm->id) == REASON_OK;
        if (!pm->has_id)
            quarantine(path, ID_FILE);
    }
    if (!pm->has_id)
        make_id(pm);
}
