/* SPDX-License-Identifier: Apache-2.0 */
#include "arguments.h"
#include "nearest.h"
#include "screen.h"

const struct option_row option_rows[OPT_COUNT] = {
    [OPT_HELP] = {"help", 'h', NULL, false, "Show how the command is used"},
    [OPT_VERSION] = {"version", '\0', NULL, false, "Show the version"},
    [OPT_RUNTIME_DIR] = {"runtime-dir", '\0', "DIR", false,
        "Folder of the daemon's sockets (default $S2SD_RUNTIME_DIR, else /run/s2sd)"},
    [OPT_CONFIG_DIR] = {"config-dir", '\0', "DIR", false,
        "Read the configuration from DIR instead of /etc/s2sd"},
    [OPT_JSON] = {"json", 'j', NULL, false, "Print JSON, one object"},
    [OPT_NO_COLOR] = {"no-color", '\0', NULL, false, "No colours (also NO_COLOR=1)"},
    [OPT_ASCII] = {"ascii", '\0', NULL, false, "No characters beyond ASCII"},
    [OPT_UTC] = {"utc", '\0', NULL, false, "Show dates in UTC instead of local time"},
    [OPT_USER] = {"user", 'u', "USER", false, "Act for this user (an address)"},
    [OPT_USER_TYPE] = {"user-type", '\0', "TYPE", false,
        "What USER is: upn (default), smtp, sip or nameid"},
    [OPT_RESOURCE] = {"resource", 'r', "HOST", false,
        "Host of the partner the token is meant for (default its first AudienceHost=)"},
    [OPT_LIFETIME] = {"lifetime", 'l', "TIME", false, "Wished lifetime, such as 900 or 15min"},
    [OPT_MIN_VALID] = {"min-valid", '\0', "TIME", false,
        "A reused token must live at least so long"},
    [OPT_HEADER] = {"header", '\0', NULL, false, "Print a whole HTTP header line"},
    [OPT_AUDIENCE] = {"audience", 'a', "HOST", false,
        "The token must be meant for this host of ours"},
    [OPT_OFFLINE] = {"offline", '\0', NULL, false,
        "Judge here, from --metadata documents, without a daemon"},
    [OPT_METADATA] = {"metadata", 'm', "[NAME=]FILE", true,
        "Document of partner NAME (offline; with --self the name may be left out)"},
    [OPT_AT] = {"at", '\0', "EPOCH", false, "Judge as of this time, seconds since 1970 (offline)"},
    [OPT_SELF] = {"self", '\0', "ID/HOST@REALM", false,
        "Who the token should be meant for, instead of a configuration (offline)"},
    [OPT_PERMIT] = {"permit", '\0', "USERS", true,
        "Users that partners may act for with --self (default *@REALM)"},
    [OPT_TIMELINE] = {"timeline", 't', NULL, false, "Draw when each key signs and is published"},
    [OPT_SPAN] = {"span", '\0', "TIME", false, "How much time the drawing shows, such as 90d"},
    [OPT_PREPARE] = {"prepare", '\0', NULL, false,
        "Publish a next key (the products say: publish the next certificate)"},
    [OPT_NOW] = {"now", '\0', NULL, false, "Let the next key sign from this moment on"},
    [OPT_ABORT] = {"abort", '\0', NULL, false, "Take the next key back before it signs"},
    [OPT_EFFECTIVE] = {"effective", 'e', "DATE", false,
        "When the next key begins to sign: 2027-04-02, 2027-04-02T08:00Z, +30d"},
    [OPT_DRY_RUN] = {"dry-run", 'n', NULL, false, "Say what would happen, change nothing"},
    [OPT_FORCE] = {"force", '\0', NULL, false,
        "Do it although a partner may refuse our tokens for a while"},
    [OPT_NAME] = {"name", '\0', "NAME", false,
        "Common name of the request (default Name= of the configuration)"},
    [OPT_PASSWORD_FILE] = {"password-file", '\0', "FILE", false,
        "Read the password from FILE instead of asking on the terminal"},
    [OPT_SEALED] = {"sealed", '\0', "FILE", false,
        "Write key and certificate into a new FILE, sealed with a password (PKCS#12)"},
};

void option_usage(struct buf *out, enum option o)
{
    const struct option_row *row = &option_rows[o];
    if (row->letter)
        buf_printf(out, "-%c, ", row->letter);
    buf_printf(out, "--%s", row->name);
    if (row->value)
        buf_printf(out, " %s", row->value);
}

/* Where the reader stands. */
struct reading {
    int argc, at;
    char *const *argv;
    struct arguments *a;
    struct buf *err;
};

static bool complain(struct reading *r, const char *what, struct span about)
{
    buf_printf(r->err, "s2sctl: %s: ", what);
    put_safe(r->err, about);
    buf_put_char(r->err, '\n');
    return false;
}

static bool keep(struct reading *r, enum option o, const char *value)
{
    struct arguments *a = r->a;
    const char **list = o == OPT_METADATA ? a->metadata : a->permit;
    size_t *n = o == OPT_METADATA ? &a->n_metadata : &a->n_permit;
    if (!option_rows[o].repeats && has(a, o))
        return complain(r, "given twice", span_of(option_rows[o].name));
    a->given |= OPT(o);
    a->values[o] = value;
    if (!option_rows[o].repeats)
        return true;
    if (*n == REPEATS_MAX)
        return complain(r, "too many", span_of(option_rows[o].name));
    list[(*n)++] = value;
    return true;
}

/* `value`: what stood behind "=" or a letter; NULL: the next argument, if one is needed. */
static bool take(struct reading *r, enum option o, const char *value)
{
    if (!option_rows[o].value)
        return value ? complain(r, "takes no value", span_of(option_rows[o].name))
                     : keep(r, o, NULL);
    if (!value && ++r->at < r->argc)
        value = r->argv[r->at];
    if (!value)
        return complain(r, "needs a value", span_of(option_rows[o].name));
    return keep(r, o, value);
}

static bool read_long(struct reading *r, const char *text)
{
    struct span name = span_of(text);
    const char *value = NULL;
    struct nearest near;
    name.n = span_find(name, '=');
    if (text[name.n] == '=')
        value = text + name.n + 1;
    nearest_start(&near, name);
    for (unsigned o = 0; o < OPT_COUNT; o++) {
        if (span_eq_str(name, option_rows[o].name))
            return take(r, (enum option)o, value);
        nearest_offer(&near, option_rows[o].name);
    }
    complain(r, "unknown option", name);
    if (near.best)
        buf_printf(r->err, "Did you mean --%s?\n", near.best);
    return false;
}

/* "-j", "-uUSER", "-u USER"; letters without a value may be joined. */
static bool read_letters(struct reading *r, const char *text)
{
    for (; *text; text++) {
        unsigned o = 0;
        while (o < OPT_COUNT && option_rows[o].letter != *text)
            o++;
        if (o == OPT_COUNT)
            return complain(r, "unknown option", span_bytes(text, 1));
        if (option_rows[o].value)
            return take(r, (enum option)o, text[1] ? text + 1 : NULL);
        if (!take(r, (enum option)o, NULL))
            return false;
    }
    return true;
}

static bool read_word(struct reading *r, const char *text)
{
    if (r->a->n_words == WORDS_MAX)
        return complain(r, "too many words, beginning with", span_of(text));
    r->a->words[r->a->n_words++] = text;
    return true;
}

bool arguments_read(int argc, char *const *argv, struct arguments *ret, struct buf *err)
{
    struct arguments a = {0};
    struct reading r = {argc, 1, argv, &a, err};
    bool words_only = false;
    for (; r.at < argc; r.at++) {
        const char *text = argv[r.at];
        bool ok = true;
        if (words_only || text[0] != '-' || text[1] == '\0')
            ok = read_word(&r, text);
        else if (strcmp(text, "--") == 0)
            words_only = true;
        else if (text[1] == '-')
            ok = read_long(&r, text + 2);
        else
            ok = read_letters(&r, text + 1);
        if (!ok)
            return false;
    }
    *ret = a;
    return true;
}
