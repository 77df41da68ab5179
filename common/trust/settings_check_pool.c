/* SPDX-License-Identifier: Apache-2.0 */
/* What the values of [Pool] mean together. */
#include "https_url.h"
#include "settings_table.h"

/* The last line of [Pool] with that key, and with that word when one is given; the section's first
 * line when there is none. */
static struct conf_where line_of(const struct settings *s, const char *key, const char *word)
{
    struct conf_where where = {.file = "s2sd.conf", .line = 1};
    bool found = false;
    for (size_t i = 0; i < s->set.n; i++) {
        const struct conf_entry *e = &s->set.entries[i];
        if (strcmp(e->section, "Pool") != 0)
            continue;
        bool is_it = e->key && strcmp(e->key, key) == 0 && (!word || strstr(e->value, word));
        if (is_it || (!found && !e->key))
            where = e->where;
        found = found || is_it;
    }
    return where;
}

static bool given(const struct settings *s, const char *key)
{
    for (size_t i = 0; i < s->set.n; i++) {
        const struct conf_entry *e = &s->set.entries[i];
        if (e->key && strcmp(e->section, "Pool") == 0 && strcmp(e->key, key) == 0 && e->value[0])
            return true;
    }
    return false;
}

/* One address in two spellings: the host's case, the port that is the default anyway. */
static bool same_address(const char *a, const char *b)
{
    struct https_url x, y;
    return https_url_parse(span_of(a), &x) && https_url_parse(span_of(b), &y) &&
           span_eq_nocase(x.host, y.host) && x.port == y.port && span_eq(x.path, y.path);
}

static void find_twins(const struct settings *s, struct conf_errors *errors)
{
    const struct names *m = &s->pool.members;
    for (size_t i = 1; i < m->n; i++)
        for (size_t j = 0; j < i; j++)
            if (same_address(m->list[i], m->list[j])) {
                conf_error(errors, line_of(s, "Members", m->list[i]),
                    "[Pool] Members=: %s is there already", m->list[i]);
                break;
            }
}

/* A partner's document is never ours, so one of the two is a mistake. */
static void find_partners(const struct settings *s, struct conf_errors *errors)
{
    const struct names *m = &s->pool.members;
    for (size_t i = 0; i < m->n; i++)
        for (size_t p = 0; p < s->n_partners; p++)
            for (size_t u = 0; u < s->partners[p].metadata_urls.n; u++)
                if (same_address(m->list[i], s->partners[p].metadata_urls.list[u]))
                    conf_error(errors, line_of(s, "Members", m->list[i]),
                        "[Pool] Members=: %s is the document of [Partner %s]; a member is this "
                        "very application",
                        m->list[i], s->partners[p].name);
}

void settings_settle_pool(const struct settings *s, struct conf_errors *errors)
{
    static const char *const others[] = {"CAFile", "PinnedPublicKey"};
    if (s->pool.members.n > SETTINGS_POOL_MAX)
        conf_error(errors, line_of(s, "Members", NULL),
            "[Pool] Members= has %zu addresses; a pool has at most %d", s->pool.members.n,
            SETTINGS_POOL_MAX);
    for (size_t i = 0; !given(s, "Members") && i < ARRAY_LEN(others); i++)
        if (given(s, others[i]))
            conf_error(errors, line_of(s, others[i], NULL),
                "[Pool] %s= has a meaning only with Members=", others[i]);
    if (s->pool.members.n > 0 && s->metadata.is_signed)
        conf_error(errors, line_of(s, "Members", NULL),
            "[Pool] Members= and [Metadata] Signed=yes exclude each other: a member can vouch for "
            "its own keys only, and its number does not follow that of the others");
    find_twins(s, errors);
    find_partners(s, errors);
}
