/* SPDX-License-Identifier: Apache-2.0 */
/* From lines to structs: which section, which row, which field. What the values mean together is
 * settings_check.c's. */
#include "cleanup.h"
#include "log.h"
#include "nearest.h"
#include "settings_table.h"

#include <errno.h>
#include <limits.h>

/* Where the lines that follow belong; row tables are the section's. */
struct target {
    const struct setting_section *section; /* NULL: lines are skipped */
    const char *name;                      /* of a named section, "" else */
    void *base;                            /* the struct being filled */
};

static bool is_extension(const char *word)
{
    return word[0] == 'X' && word[1] == '-';
}

static void unknown_section(const struct conf_entry *e, struct conf_errors *errors)
{
    char safe[64];
    struct nearest near;
    nearest_start(&near, span_of(e->section));
    for (size_t i = 0; i < setting_sections_n; i++)
        nearest_offer(&near, setting_sections[i].name);
    log_safe(span_of(e->section), safe, sizeof(safe));
    if (near.best)
        conf_error(errors, e->where, "unknown section [%s]; did you mean [%s]?", safe, near.best);
    else
        conf_error(errors, e->where, "unknown section [%s]", safe);
}

/* "[Partner exch]" or "[Log]", for messages. */
static const char *title(const struct target *t, char out[96])
{
    snprintf(out, 96, t->name[0] ? "[%s %s]" : "[%s%s]", t->section->name, t->name);
    return out;
}

static void unknown_key(
    const struct target *t, const struct conf_entry *e, struct conf_errors *errors)
{
    char safe[64], where[96];
    struct nearest near;
    nearest_start(&near, span_of(e->key));
    for (size_t i = 0; i < t->section->n_rows; i++)
        nearest_offer(&near, t->section->rows[i].key);
    log_safe(span_of(e->key), safe, sizeof(safe));
    if (near.best)
        conf_error(errors, e->where, "unknown setting %s= in %s; did you mean %s=?", safe,
            title(t, where), near.best);
    else
        conf_error(errors, e->where, "unknown setting %s= in %s", safe, title(t, where));
}

/* One more struct at the end of a growing array, zeroed. NULL: out of memory, or `max` reached. */
static void *array_grow(void *array_of, size_t *n, size_t size, size_t max)
{
    void **array = array_of;
    /* Doubling at powers of two keeps this linear without a capacity member. */
    if ((*n & (*n - 1)) == 0) {
        void *grown = reallocarray(*array, *n ? *n * 2 : 1, size);
        if (!grown)
            return NULL;
        *array = grown;
    }
    if (*n >= max)
        return NULL;
    void *slot = (char *)*array + *n * size;
    memset(slot, 0, size);
    (*n)++;
    return slot;
}

static void *add_partner(struct settings *s, const struct conf_entry *e)
{
    struct partner *p = array_grow(&s->partners, &s->n_partners, sizeof(*p), SETTINGS_PARTNERS_MAX);
    if (!p)
        return NULL;
    p->where = e->where;
    p->name = strdup(e->name);
    if (p->name)
        return p;
    s->n_partners--;
    return NULL;
}

static void *add_client(struct settings *s, const struct conf_entry *e)
{
    struct client_rule *c =
        array_grow(&s->clients, &s->n_clients, sizeof(*c), SETTINGS_CLIENTS_MAX);
    if (!c)
        return NULL;
    c->where = e->where;
    c->name = strdup(e->name);
    if (c->name)
        return c;
    s->n_clients--;
    return NULL;
}

/* A named section has a struct of its own; opening a name twice is found by settings_settle. */
static void open_named(struct settings *s, const struct conf_entry *e,
    const struct setting_section *section, struct target *t, struct conf_errors *errors)
{
    if (!setting_name_valid(span_of(e->name))) {
        conf_error(errors, e->where,
            "[%s NAME] needs a name of 1 to 64 letters, digits, '.', '-' or '_'", section->name);
        return;
    }
    void *base = strcmp(section->name, "Partner") == 0 ? add_partner(s, e) : add_client(s, e);
    if (!base || !setting_defaults(section, base)) {
        conf_error(errors, e->where, "no memory for another [%s], or too many", section->name);
        return;
    }
    *t = (struct target){section, e->name, base};
}

static void open_section(
    struct settings *s, const struct conf_entry *e, struct target *t, struct conf_errors *errors)
{
    *t = (struct target){.name = ""};
    if (is_extension(e->section))
        return;
    const struct setting_section *section = setting_section_find(e->section);
    if (!section)
        unknown_section(e, errors);
    else if (section->named)
        open_named(s, e, section, t, errors);
    else if (e->name[0] != '\0')
        conf_error(errors, e->where, "[%s] takes no name", section->name);
    else
        *t = (struct target){section, "", s};
}

static void read_setting(
    const struct target *t, const struct conf_entry *e, struct conf_errors *errors)
{
    if (!t->section || is_extension(e->key))
        return;
    const struct setting_row *row = setting_row_find(t->section, e->key);
    if (!row) {
        unknown_key(t, e, errors);
        return;
    }
    char why[256] = "", where[96];
    if (setting_parse(row, t->base, e->value, why, sizeof(why)))
        return;
    conf_error(errors, e->where, "%s %s=: %s", title(t, where), e->key, why);
}

static void read_entries(struct settings *s, const struct conf_set *set, struct conf_errors *errors)
{
    struct target t = {.name = ""};
    for (size_t i = 0; i < set->n; i++) {
        const struct conf_entry *e = &set->entries[i];
        if (e->key)
            read_setting(&t, e, errors);
        else
            open_section(s, e, &t, errors);
    }
}

static bool single_defaults(struct settings *s)
{
    for (size_t i = 0; i < setting_sections_n; i++)
        if (!setting_sections[i].named && !setting_defaults(&setting_sections[i], s))
            return false;
    return true;
}

bool settings_from_conf(
    struct conf_set *set, const char *hostname, struct conf_errors *errors, struct settings **ret)
{
    const struct conf_where nowhere = {.file = "s2sd.conf", .line = 0};
    CLEANUP(settings_freep) struct settings *s = calloc(1, sizeof(*s));
    if (!s || !single_defaults(s)) {
        conf_error(errors, nowhere, "out of memory");
        return false;
    }
    read_entries(s, set, errors);
    /* Lent for the cross checks, handed over only when all is well. */
    s->set = *set;
    bool settled = settings_settle(s, hostname, errors);
    if (!settled || errors->count > 0) {
        s->set = (struct conf_set){0};
        return false;
    }
    conf_digest(set, s->digest);
    *set = (struct conf_set){0};
    *ret = TAKE(s);
    return true;
}

bool settings_load(const char *config_dir, struct conf_errors *errors, struct settings **ret)
{
    static const char *const standard[] = {"/etc/s2sd", "/run/s2sd", "/usr/lib/s2sd", NULL};
    const char *const only[] = {config_dir, NULL};
    const struct conf_where nowhere = {.file = "s2sd.conf", .line = 0};
    CLEANUP(conf_set_done) struct conf_set set = {0};
    char hostname[HOST_NAME_MAX + 1] = "";
    if (conf_load(&set, config_dir ? only : standard, errors) < 0) {
        conf_error(errors, nowhere, "out of memory");
        return false;
    }
    /* Nothing read: one message tells all, a list of missing settings would not help. */
    if (set.n == 0 && errors->count > 0)
        return false;
    if (gethostname(hostname, sizeof(hostname)) < 0)
        hostname[0] = '\0';
    hostname[sizeof(hostname) - 1] = '\0';
    return settings_from_conf(&set, hostname, errors, ret);
}

static void reset_section(const char *name, void *base)
{
    const struct setting_section *section = setting_section_find(name);
    for (size_t i = 0; i < section->n_rows; i++)
        setting_reset(&section->rows[i], base);
}

void settings_free(struct settings *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_partners; i++) {
        reset_section("Partner", &s->partners[i]);
        free(s->partners[i].name);
        free(s->partners[i].issuer);
    }
    for (size_t i = 0; i < s->n_clients; i++) {
        reset_section("Client", &s->clients[i]);
        free(s->clients[i].name);
    }
    for (size_t i = 0; i < setting_sections_n; i++)
        if (!setting_sections[i].named)
            reset_section(setting_sections[i].name, s);
    free(s->identity.issuer);
    free(s->partners);
    free(s->clients);
    free(s->by_issuer);
    conf_set_done(&s->set);
    free(s);
}

void settings_freep(struct settings **s)
{
    settings_free(*s);
    *s = NULL;
}

/* The i-th partner of an index, and what the index is sorted by. */
typedef const struct partner *index_function(const struct settings *s, size_t i, const char **ret);

static const struct partner *nth_name(const struct settings *s, size_t i, const char **ret)
{
    *ret = s->partners[i].name;
    return &s->partners[i];
}

static const struct partner *nth_issuer(const struct settings *s, size_t i, const char **ret)
{
    *ret = s->by_issuer[i]->issuer;
    return s->by_issuer[i];
}

/* Binary search: both indexes are sorted by bytes (settings_settle). */
static const struct partner *search(
    const struct settings *s, struct span wanted, index_function *nth)
{
    size_t low = 0, high = s->n_partners;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const char *key;
        const struct partner *p = nth(s, middle, &key);
        const int order = span_order(wanted, span_of(key));
        if (order == 0)
            return p;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

int64_t partner_hold_down_s(const struct partner *p)
{
    bool vouched =
        p->ca_file || p->pinned_keys.n > 0 || p->certificate || p->continuity != CONTINUITY_TLS;
    return vouched ? 0 : p->hold_down_s;
}

const struct partner *settings_partner(const struct settings *s, struct span name)
{
    return search(s, name, nth_name);
}

const struct partner *settings_partner_of_issuer(const struct settings *s, struct span issuer)
{
    return search(s, issuer, nth_issuer);
}

const struct client_rule *settings_client(const struct settings *s, struct span name)
{
    for (size_t i = 0; i < s->n_clients; i++)
        if (span_eq_str(name, s->clients[i].name))
            return &s->clients[i];
    return NULL;
}
