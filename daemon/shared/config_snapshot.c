/* SPDX-License-Identifier: Apache-2.0 */
#include "config_snapshot.h"

#include "cleanup.h"
#include "file.h"

#include <errno.h>
#include <limits.h>

#define SNAPSHOT_MAX ((size_t)256 * 1024 * 1024)
#define SNAPSHOT_HEAD "s2sd configuration 1\n"

/* The text of one file again: each entry on the line where it stood, so that messages and digest
 * stay the same. `*at` is the first entry of the file and ends behind its last. */
static void put_file(const struct conf_set *set, size_t *at, struct buf *text)
{
    const char *file = set->entries[*at].where.file;
    unsigned line = 1;
    for (; *at < set->n && set->entries[*at].where.file == file; ++*at) {
        const struct conf_entry *e = &set->entries[*at];
        for (; line < e->where.line; line++)
            buf_put_char(text, '\n');
        if (e->key)
            buf_printf(text, "%s=%s", e->key, e->value);
        else
            buf_printf(text, "[%s %s]", e->section, e->name);
    }
    buf_put_char(text, '\n');
}

int config_snapshot_make(const struct settings *s)
{
    CLEANUP(buf_done) struct buf all = BUF_INIT(SNAPSHOT_MAX);
    CLEANUP(buf_done) struct buf text = BUF_INIT(SNAPSHOT_MAX);
    buf_put_str(&all, SNAPSHOT_HEAD);
    buf_put(&all, s->digest, sizeof(s->digest));
    for (size_t i = 0; i < s->set.n;) {
        const char *file = s->set.entries[i].where.file;
        buf_reset(&text);
        put_file(&s->set, &i, &text);
        if (text.failed)
            return -ENOMEM;
        buf_printf(&all, "%zu %s\n", text.n, file);
        buf_put_span(&all, buf_span(&text));
    }
    return all.failed ? -ENOMEM : file_memfd("s2sd-configuration", buf_span(&all));
}

/* Takes the next file off `rest`. False: not of the form. */
static bool next_file(struct span *rest, char path[PATH_MAX], struct span *ret_text)
{
    char number[32];
    uint64_t n;
    size_t blank = span_find(*rest, ' '), end = span_find(*rest, '\n');
    if (blank >= end || end == rest->n || blank >= sizeof(number) || end - blank >= PATH_MAX)
        return false;
    snprintf(number, sizeof(number), "%.*s", (int)blank, rest->p);
    snprintf(path, PATH_MAX, "%.*s", (int)(end - blank - 1), rest->p + blank + 1);
    *rest = span_skip(*rest, end + 1);
    if (!conf_uint(number, SNAPSHOT_MAX, &n) || n > rest->n)
        return false;
    *ret_text = (struct span){rest->p, (size_t)n};
    *rest = span_skip(*rest, (size_t)n);
    return true;
}

static bool refuse(struct conf_errors *errors, const char *what)
{
    conf_error(errors, (struct conf_where){0}, "the configuration that the broker passed %s", what);
    return false;
}

static bool parse_files(struct span rest, struct conf_set *set, struct conf_errors *errors)
{
    char path[PATH_MAX];
    struct span text;
    while (rest.n > 0) {
        if (!next_file(&rest, path, &text))
            return refuse(errors, "cannot be read");
        if (conf_parse(set, path, text, errors) < 0)
            return refuse(errors, "does not fit into memory");
    }
    return true;
}

bool config_snapshot_read(int fd, struct conf_errors *errors, struct settings **ret)
{
    CLEANUP(buf_done) struct buf all = BUF_INIT(SNAPSHOT_MAX);
    CLEANUP(conf_set_done) struct conf_set set = {0};
    CLEANUP(settings_freep) struct settings *s = NULL;
    char hostname[HOST_NAME_MAX + 1] = "";
    unsigned char digest[sizeof(s->digest)];
    if (file_read_memfd(fd, SNAPSHOT_MAX, &all) < 0)
        return refuse(errors, "is not sealed memory");
    struct span rest = buf_span(&all);
    if (!span_starts(rest, SPAN(SNAPSHOT_HEAD)) ||
        rest.n < sizeof(SNAPSHOT_HEAD) - 1 + sizeof(digest))
        return refuse(errors, "is of another version");
    memcpy(digest, rest.p + sizeof(SNAPSHOT_HEAD) - 1, sizeof(digest));
    rest = span_skip(rest, sizeof(SNAPSHOT_HEAD) - 1 + sizeof(digest));
    (void)!gethostname(hostname, sizeof(hostname) - 1);
    if (!parse_files(rest, &set, errors) || !settings_from_conf(&set, hostname, errors, &s))
        return false;
    if (memcmp(digest, s->digest, sizeof(digest)) != 0)
        return refuse(errors, "has changed on its way");
    *ret = TAKE(s);
    return true;
}
