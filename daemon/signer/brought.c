/* SPDX-License-Identifier: Apache-2.0 */
/* Source=files and Source=credential: keys that the administrator brings. */
#include "cleanup.h"
#include "clock.h"
#include "own_keys.h"

#include <errno.h>

void brought_done(struct brought *b)
{
    signkey_freep(&b->current);
    signkey_freep(&b->next);
    *b = (struct brought){0};
}

/* The path of a key: as it stands, or below the folder that systemd has made for this run
 * (systemd.exec(5)). */
static int path_of(const struct settings *s, const char *key, char out[KEY_FILES_PATH_MAX],
    char why[OWN_KEYS_WHY_MAX])
{
    if (s->signing_key.source == KEYS_FILES) {
        snprintf(out, KEY_FILES_PATH_MAX, "%s", key);
        return 0;
    }
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    if (!folder || folder[0] != '/') {
        snprintf(why, OWN_KEYS_WHY_MAX,
            "no credentials were passed: LoadCredential=%.256s:FILE in s2sd-signer.service", key);
        return -ENOENT;
    }
    snprintf(out, KEY_FILES_PATH_MAX, "%s/%s", folder, key);
    return 0;
}

static int read_one(
    const struct settings *s, const char *key, struct signkey **ret, char why[OWN_KEYS_WHY_MAX])
{
    char path[KEY_FILES_PATH_MAX];
    int r = path_of(s, key, path, why);
    return r < 0 ? r : key_files_read(path, ret, why);
}

/* Tokens of such a key are refused by every partner. */
static int judge_dates(
    const struct signkey *key, const char *what, int64_t now, char why[OWN_KEYS_WHY_MAX])
{
    char from[CLOCK_TEXT_LEN], until[CLOCK_TEXT_LEN];
    const struct cert *c = signkey_cert(key);
    if (c->not_before <= now && now <= c->not_after)
        return 0;
    snprintf(why, OWN_KEYS_WHY_MAX,
        "%.512s: partners refuse what it signs, its certificate is good from %s until %s", what,
        clock_text(c->not_before, from), clock_text(c->not_after, until));
    return -EKEYEXPIRED;
}

int brought_read(const struct settings *s, struct brought *ret, char why[OWN_KEYS_WHY_MAX])
{
    CLEANUP(brought_done)
    struct brought b = {.next_effective_at = s->signing_key.next_effective_at};
    int r = read_one(s, s->signing_key.current, &b.current, why);
    if (r == 0 && s->signing_key.next)
        r = read_one(s, s->signing_key.next, &b.next, why);
    if (r < 0)
        return r;
    *ret = b;
    b = (struct brought){0};
    return 0;
}

int brought_judge_dates(
    const struct brought *b, const struct settings *s, int64_t now, char why[OWN_KEYS_WHY_MAX])
{
    char unused[OWN_KEYS_WHY_MAX];
    int r = judge_dates(b->current, s->signing_key.current, now, why);
    /* Once the key of Next= was activated, Current= is only the one of before. */
    return r < 0 && b->next && judge_dates(b->next, s->signing_key.next, now, unused) == 0 ? 0 : r;
}
