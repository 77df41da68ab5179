/* SPDX-License-Identifier: Apache-2.0 */
/* What can be done with a value of each kind: read it, print it, release it. */
#include "b64.h"
#include "cleanup.h"
#include "clock.h"
#include "https_url.h"
#include "log.h"
#include "principal.h"
#include "settings_table.h"

#include <arpa/inet.h>
#include <grp.h>
#include <pwd.h>

#define TEXT_MAX 256
#define LIST_WORD_MAX HTTPS_URL_MAX
#define PIN_LEN 32 /* SHA-256 */

/* identity has its hosts as two members; the list code reaches them as a struct names. */
_Static_assert(offsetof(struct identity, n_hosts) - offsetof(struct identity, hosts) ==
                   offsetof(struct names, n) - offsetof(struct names, list),
    "identity.hosts is laid out as struct names");
_Static_assert(sizeof(struct patterns) == sizeof(struct names), "one list code for both");

/* One value on its way into a struct. */
struct reading {
    const struct setting_row *row;
    void *base;
    void *field;
    const char *value;
    char *why;
    size_t why_len;
};

static bool refuse(const struct reading *r, const char *fmt, ...) PRINTF(2, 3);
static bool refuse(const struct reading *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(r->why, r->why_len, fmt, ap);
    va_end(ap);
    return false;
}

/* A word of the file, safe to print and short. */
#define SHOWN_LEN 80
static const char *shown(struct span word, char out[SHOWN_LEN])
{
    return log_safe(word, out, SHOWN_LEN);
}

static char *lower_copy(struct span text)
{
    char *copy = malloc(text.n + 1);
    if (!copy)
        return NULL;
    for (size_t i = 0; i < text.n; i++)
        copy[i] = ascii_lower(text.p[i]);
    copy[text.n] = '\0';
    return copy;
}

/* Puts an owned string (NULL: memory ran out) in place of the field's. */
static bool put_string(const struct reading *r, char *owned)
{
    if (!owned)
        return refuse(r, "out of memory");
    char **field = r->field;
    free(*field);
    *field = owned;
    return true;
}

/* Scalars of text. */

static bool parse_text(const struct reading *r)
{
    struct span text = span_of(r->value);
    if (text.n > TEXT_MAX)
        return refuse(r, "longer than %d bytes", TEXT_MAX);
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
            return refuse(r, "holds a control character");
    return put_string(r, strdup(r->value));
}

static bool parse_app_id(const struct reading *r)
{
    CLEANUP(freep) char *id = lower_copy(span_of(r->value));
    if (id && !app_id_valid(span_of(id)))
        return refuse(r, "not an application id (8-4-4-4-12 hexadecimal digits)");
    return put_string(r, TAKE(id));
}

static bool parse_realm(const struct reading *r)
{
    CLEANUP(freep) char *realm = lower_copy(span_of(r->value));
    if (realm && !realm_valid(span_of(realm)))
        return refuse(r, "not a realm (a domain or tenant id: letters, digits, '.', '-', '_')");
    return put_string(r, TAKE(realm));
}

static bool check_url(const struct reading *r, struct span text)
{
    struct https_url url;
    if (!https_url_parse(text, &url))
        return refuse(r, "not of the form https://host[:port]/path");
    if (url.path.n == 0)
        return refuse(r, "has no path; documents usually are at /metadata/json/1");
    return true;
}

static bool parse_url(const struct reading *r)
{
    return check_url(r, span_of(r->value)) && put_string(r, strdup(r->value));
}

static char ascii_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* 40 or 64 hexadecimal digits, as tools print them: in either case, with or without colons. */
static char *thumbprint_copy(struct span word)
{
    char *copy = malloc(word.n + 1);
    size_t n = 0;
    for (size_t i = 0; copy && i < word.n; i++)
        if (word.p[i] != ':')
            copy[n++] = ascii_upper(word.p[i]);
    if (copy)
        copy[n] = '\0';
    return copy;
}

static bool is_thumbprint(const char *text)
{
    size_t n = strlen(text);
    return (n == 40 || n == 64) && strspn(text, "0123456789ABCDEF") == n;
}

static bool parse_thumbprint(const struct reading *r)
{
    CLEANUP(freep) char *text = thumbprint_copy(span_of(r->value));
    if (text && !is_thumbprint(text))
        return refuse(r, "not the SHA-1 or SHA-256 of a certificate (40 or 64 hexadecimal digits)");
    return put_string(r, TAKE(text));
}

static bool parse_file(const struct reading *r)
{
    if (r->value[0] != '/')
        return refuse(r, "not an absolute path");
    return put_string(r, strdup(r->value));
}

/* systemd.exec(5), LoadCredential=: a name is a file name. */
static bool parse_key(const struct reading *r)
{
    const char *text = r->value;
    bool is_name = text[0] != '/';
    if (is_name && strlen(text) > TEXT_MAX)
        return refuse(r, "longer than %d bytes", TEXT_MAX);
    if (is_name && (strchr(text, '/') || text[0] == '.'))
        return refuse(r, "neither an absolute path nor the name of a credential");
    return put_string(r, strdup(r->value));
}

/* ADDRESS:PORT in numbers: no name is resolved to find out where to listen. */
static bool parse_endpoint(const struct reading *r)
{
    struct span text = span_of(r->value);
    size_t colon = text.n;
    while (colon > 0 && text.p[colon - 1] != ':')
        colon--;
    char host[INET6_ADDRSTRLEN];
    unsigned char address[16];
    uint64_t port;
    if (colon < 2 || !conf_uint(text.p + colon, 65535, &port) || port == 0)
        return refuse(r, "not of the form ADDRESS:PORT");
    struct span name = {text.p, colon - 1};
    bool six = name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']';
    if (six)
        name = (struct span){name.p + 1, name.n - 2};
    if (name.n >= sizeof(host))
        return refuse(r, "not a numeric address");
    memcpy(host, name.p, name.n);
    host[name.n] = '\0';
    if (inet_pton(six ? AF_INET6 : AF_INET, host, address) != 1)
        return refuse(r, "not a numeric address; IPv6 stands in brackets");
    return put_string(r, strdup(r->value));
}

static bool parse_user(const struct reading *r)
{
    struct client_rule *rule = r->base;
    const struct passwd *pw = getpwnam(r->value);
    uint64_t id;
    if (!pw && !conf_uint(r->value, UINT32_MAX - 1, &id))
        return refuse(r, "no such user on this machine");
    uid_t uid = pw ? pw->pw_uid : (uid_t)id;
    if (!put_string(r, strdup(r->value)))
        return false;
    rule->uid = uid;
    return true;
}

static bool parse_group(const struct reading *r)
{
    struct client_rule *rule = r->base;
    const struct group *gr = getgrnam(r->value);
    uint64_t id;
    if (!gr && !conf_uint(r->value, UINT32_MAX - 1, &id))
        return refuse(r, "no such group on this machine");
    gid_t gid = gr ? gr->gr_gid : (gid_t)id;
    if (!put_string(r, strdup(r->value)))
        return false;
    rule->gid = gid;
    return true;
}

static bool unit_byte(char c)
{
    return ascii_is_alnum(c) || (c != '\0' && strchr(":-_.\\@", c));
}

/* systemd.unit(5): what can hold a process. */
static bool parse_unit(const struct reading *r)
{
    static const char *const suffixes[] = {".service", ".scope"};
    struct span text = span_of(r->value);
    for (size_t i = 0; i < text.n; i++)
        if (!unit_byte(text.p[i]))
            return refuse(r, "not a unit name");
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        struct span end = span_of(suffixes[i]);
        if (text.n > end.n && text.n < TEXT_MAX && span_eq(span_skip(text, text.n - end.n), end))
            return put_string(r, strdup(r->value));
    }
    return refuse(r, "not a full unit name such as pbx.service");
}

static void print_string(const struct setting_row *row, const void *field, struct buf *out)
{
    const char *text = *(char *const *)field;
    if (text)
        buf_printf(out, "%s=%s\n", row->key, text);
}

static void reset_string(void *field)
{
    freep(field);
}

/* Numbers. */

static const struct {
    int64_t seconds;
    const char *unit;
} duration_units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};

/* "1h 30min" of seconds. */
static void put_duration(int64_t seconds, struct buf *out)
{
    const char *gap = "";
    if (seconds == 0)
        buf_put_str(out, "0");
    for (size_t i = 0; i < ARRAY_LEN(duration_units); i++) {
        int64_t count = seconds / duration_units[i].seconds;
        if (count == 0)
            continue;
        buf_printf(out, "%s%lld%s", gap, (long long)count, duration_units[i].unit);
        seconds -= count * duration_units[i].seconds;
        gap = " ";
    }
}

static void print_size(uint64_t bytes, struct buf *out)
{
    static const char units[] = " KMG";
    size_t u = 0;
    for (; u < sizeof(units) - 2 && bytes > 0 && bytes % 1024 == 0; u++)
        bytes /= 1024;
    buf_printf(out, "%llu", (unsigned long long)bytes);
    if (u > 0)
        buf_put_char(out, units[u]);
}

static void print_number(enum setting_kind kind, int64_t v, struct buf *out)
{
    if (kind == SK_DURATION)
        put_duration(v, out);
    else if (kind == SK_SIZE)
        print_size((uint64_t)v, out);
    else
        buf_printf(out, "%lld", (long long)v);
}

/* Holds a number against the row's bounds: moved inside when the row says so, else refused. */
static bool bound(const struct reading *r, int64_t *v)
{
    const struct setting_row *row = r->row;
    if (*v >= row->min && *v <= row->max)
        return true;
    if (row->clamp) {
        *v = *v < row->min ? row->min : row->max;
        return true;
    }
    CLEANUP(buf_done) struct buf range = BUF_INIT(128);
    print_number(row->kind, row->min, &range);
    buf_put_str(&range, " and ");
    print_number(row->kind, row->max, &range);
    buf_put_char(&range, '\0');
    return refuse(r, "must lie between %s", range.failed ? "the documented limits" : range.p);
}

static bool parse_duration(const struct reading *r)
{
    int64_t v;
    if (!conf_duration_s(r->value, &v))
        return refuse(r, "not a time span such as 30min or \"1h 30min\"");
    if (!bound(r, &v))
        return false;
    *(int64_t *)r->field = v;
    return true;
}

static bool parse_time(const struct reading *r)
{
    int64_t v;
    if (!clock_parse(r->value, &v))
        return refuse(r, "not a time such as 2027-03-01 or 2027-03-01T02:00:00Z");
    *(int64_t *)r->field = v;
    return true;
}

static bool parse_size(const struct reading *r)
{
    uint64_t v;
    if (!conf_size(r->value, &v) || v > INT64_MAX)
        return refuse(r, "not a size such as 256K");
    int64_t n = (int64_t)v;
    if (!bound(r, &n))
        return false;
    *(uint64_t *)r->field = (uint64_t)n;
    return true;
}

static bool parse_uint(const struct reading *r)
{
    uint64_t v;
    if (!conf_uint(r->value, UINT32_MAX, &v))
        return refuse(r, "not a whole number");
    int64_t n = (int64_t)v;
    if (!bound(r, &n))
        return false;
    *(unsigned *)r->field = (unsigned)n;
    return true;
}

/* "50/s"; the bare number means the same. */
static bool parse_rate(const struct reading *r)
{
    char digits[16];
    struct span text = span_of(r->value);
    if (text.n > 2 && span_eq(span_skip(text, text.n - 2), SPAN("/s")))
        text.n -= 2;
    uint64_t v;
    if (text.n >= sizeof(digits))
        return refuse(r, "not a rate such as 50/s");
    memcpy(digits, text.p, text.n);
    digits[text.n] = '\0';
    if (!conf_uint(digits, 1000000, &v) || v == 0)
        return refuse(r, "not a rate such as 50/s");
    *(unsigned *)r->field = (unsigned)v;
    return true;
}

static bool parse_bool(const struct reading *r)
{
    bool v;
    if (!conf_bool(r->value, &v))
        return refuse(r, "neither yes nor no");
    *(bool *)r->field = v;
    return true;
}

static void print_duration(const struct setting_row *row, const void *field, struct buf *out)
{
    int64_t v = *(const int64_t *)field, def;
    if (v == 0 && row->min > 0)
        return;
    buf_printf(out, "%s=", row->key);
    /* The default keeps its words: "2y" says more than "730d 12h". */
    if (row->def && conf_duration_s(row->def, &def) && def == v)
        buf_put_str(out, row->def);
    else
        put_duration(v, out);
    buf_put_char(out, '\n');
}

static void print_time(const struct setting_row *row, const void *field, struct buf *out)
{
    char text[CLOCK_TEXT_LEN];
    int64_t v = *(const int64_t *)field;
    if (v)
        buf_printf(out, "%s=%s\n", row->key, clock_text(v, text));
}

static void print_size_row(const struct setting_row *row, const void *field, struct buf *out)
{
    buf_printf(out, "%s=", row->key);
    print_size(*(const uint64_t *)field, out);
    buf_put_char(out, '\n');
}

static void print_uint(const struct setting_row *row, const void *field, struct buf *out)
{
    buf_printf(out, "%s=%u\n", row->key, *(const unsigned *)field);
}

static void print_rate(const struct setting_row *row, const void *field, struct buf *out)
{
    unsigned v = *(const unsigned *)field;
    if (v > 0)
        buf_printf(out, "%s=%u/s\n", row->key, v);
}

static void print_bool(const struct setting_row *row, const void *field, struct buf *out)
{
    buf_printf(out, "%s=%s\n", row->key, *(const bool *)field ? "yes" : "no");
}

static void reset_int64(void *field)
{
    *(int64_t *)field = 0;
}

static void reset_uint64(void *field)
{
    *(uint64_t *)field = 0;
}

static void reset_unsigned(void *field)
{
    *(unsigned *)field = 0;
}

static void reset_bool(void *field)
{
    *(bool *)field = false;
}

/* Words. */

const char *setting_word_of(const struct setting_word *words, int value)
{
    for (; words->word; words++)
        if (words->value == value)
            return words->word;
    return "";
}

static const struct setting_word *word_find(const struct setting_word *words, struct span text)
{
    for (; words->word; words++)
        if (span_eq_str(text, words->word))
            return words;
    return NULL;
}

static bool refuse_word(const struct reading *r, struct span word)
{
    char safe[SHOWN_LEN];
    CLEANUP(buf_done) struct buf all = BUF_INIT(512);
    for (const struct setting_word *w = r->row->words; w->word; w++)
        buf_printf(&all, "%s%s", all.n ? ", " : "", w->word);
    buf_put_char(&all, '\0');
    return refuse(r, "\"%s\" is not one of %s", shown(word, safe),
        all.failed ? "the documented words" : all.p);
}

static bool parse_word(const struct reading *r)
{
    const struct setting_word *w = word_find(r->row->words, span_of(r->value));
    if (!w)
        return refuse_word(r, span_of(r->value));
    *(int *)r->field = w->value;
    return true;
}

/* The next word of a blank-separated list; empty at the end. */
static struct span next_word(struct span *rest)
{
    while (rest->n > 0 && (rest->p[0] == ' ' || rest->p[0] == '\t'))
        *rest = span_skip(*rest, 1);
    size_t n = 0;
    while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
        n++;
    struct span word = {rest->p, n};
    *rest = span_skip(*rest, n);
    return word;
}

static bool parse_rights(const struct reading *r)
{
    unsigned rights = 0;
    struct span rest = span_of(r->value);
    for (struct span word = next_word(&rest); word.n > 0; word = next_word(&rest)) {
        const struct setting_word *w = word_find(r->row->words, word);
        if (!w)
            return refuse_word(r, word);
        rights |= (unsigned)w->value;
    }
    *(unsigned *)r->field |= rights;
    return true;
}

static void print_word(const struct setting_row *row, const void *field, struct buf *out)
{
    buf_printf(out, "%s=%s\n", row->key, setting_word_of(row->words, *(const int *)field));
}

static void print_rights(const struct setting_row *row, const void *field, struct buf *out)
{
    unsigned rights = *(const unsigned *)field;
    const char *gap = "=";
    if (rights == 0)
        return;
    buf_put_str(out, row->key);
    for (const struct setting_word *w = row->words; w->word; w++)
        if (rights & (unsigned)w->value) {
            buf_printf(out, "%s%s", gap, w->word);
            gap = " ";
        }
    buf_put_char(out, '\n');
}

static void reset_int(void *field)
{
    *(int *)field = 0;
}

/* Lists. */

static bool list_has(const struct names *list, const char *word)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->list[i], word) == 0)
            return true;
    return false;
}

/* Adds an owned word (NULL: memory ran out); one that is already there is dropped. */
static bool list_add(const struct reading *r, size_t max, char *owned)
{
    CLEANUP(freep) char *word = owned;
    struct names *list = r->field;
    if (!word)
        return refuse(r, "out of memory");
    if (list_has(list, word))
        return true;
    if (list->n >= max)
        return refuse(r, "more than %zu entries", max);
    char **grown = reallocarray(list->list, list->n + 1, sizeof(*grown));
    if (!grown)
        return refuse(r, "out of memory");
    list->list = grown;
    list->list[list->n++] = TAKE(word);
    return true;
}

static bool word_host(const struct reading *r, struct span word)
{
    char safe[SHOWN_LEN];
    if (!host_valid(word))
        return refuse(r, "\"%s\" is not a host name", shown(word, safe));
    return list_add(r, SETTINGS_LIST_MAX, lower_copy(word));
}

static bool word_url(const struct reading *r, struct span word)
{
    return check_url(r, word) && list_add(r, SETTINGS_LIST_MAX, strndup(word.p, word.n));
}

static bool word_pin(const struct reading *r, struct span word)
{
    const struct span head = SPAN("sha256//");
    uint8_t pin[PIN_LEN + 1];
    if (!span_starts(word, head) ||
        b64_decode(span_skip(word, head.n), pin, sizeof(pin)) != PIN_LEN)
        return refuse(r, "not of the form sha256//BASE64= (44 characters of base64)");
    return list_add(r, SETTINGS_PINS_MAX, strndup(word.p, word.n));
}

static bool word_key_pin(const struct reading *r, struct span word)
{
    char safe[SHOWN_LEN];
    if (span_starts(word, SPAN("sha256//")))
        return word_pin(r, word);
    CLEANUP(freep) char *text = thumbprint_copy(word);
    if (text && !is_thumbprint(text))
        return refuse(r,
            "\"%s\" is neither 40 or 64 hexadecimal digits of a certificate's hash nor "
            "sha256//BASE64=",
            shown(word, safe));
    return list_add(r, SETTINGS_PINS_MAX, TAKE(text));
}

static bool word_principal(const struct reading *r, struct span word)
{
    char safe[SHOWN_LEN];
    CLEANUP(freep) char *text = lower_copy(word);
    struct principal p;
    if (text && (!principal_parse_issuer(span_of(text), &p) || !app_id_valid(p.app_id) ||
                    !realm_valid(p.realm)))
        return refuse(r, "\"%s\" is not of the form applicationid@realm", shown(word, safe));
    return list_add(r, SETTINGS_LIST_MAX, TAKE(text));
}

static bool word_partner(const struct reading *r, struct span word)
{
    char safe[SHOWN_LEN];
    if (!setting_name_valid(word))
        return refuse(r, "\"%s\" is not a partner's name", shown(word, safe));
    return list_add(r, SETTINGS_LIST_MAX, strndup(word.p, word.n));
}

static bool word_pattern(const struct reading *r, struct span word)
{
    char safe[SHOWN_LEN];
    CLEANUP(freep) char *text = lower_copy(word);
    if (text && !pattern_valid(text))
        return refuse(r, "\"%s\" is neither *@domain nor a whole address", shown(word, safe));
    return list_add(r, SETTINGS_LIST_MAX, TAKE(text));
}

/* Words before a bad one stay in the list; the configuration is refused anyway. */
static bool each_word(const struct reading *r, bool (*add)(const struct reading *, struct span))
{
    struct span rest = span_of(r->value);
    for (struct span word = next_word(&rest); word.n > 0; word = next_word(&rest)) {
        if (word.n > LIST_WORD_MAX)
            return refuse(r, "an entry is longer than %d bytes", LIST_WORD_MAX);
        if (!add(r, word))
            return false;
    }
    return true;
}

static bool parse_hosts(const struct reading *r)
{
    return each_word(r, word_host);
}

static bool parse_urls(const struct reading *r)
{
    return each_word(r, word_url);
}

static bool parse_pins(const struct reading *r)
{
    return each_word(r, word_pin);
}

static bool parse_key_pins(const struct reading *r)
{
    return each_word(r, word_key_pin);
}

static bool parse_principals(const struct reading *r)
{
    return each_word(r, word_principal);
}

static bool parse_partners(const struct reading *r)
{
    return each_word(r, word_partner);
}

static bool parse_patterns(const struct reading *r)
{
    return each_word(r, word_pattern);
}

static void print_list(const struct setting_row *row, const void *field, struct buf *out)
{
    const struct names *list = field;
    for (size_t i = 0; i < list->n; i++)
        buf_printf(out, "%s=%s\n", row->key, list->list[i]);
}

static void reset_list(void *field)
{
    struct names *list = field;
    for (size_t i = 0; i < list->n; i++)
        free(list->list[i]);
    free(list->list);
    *list = (struct names){0};
}

/* The table of kinds. */

static const struct {
    bool (*parse)(const struct reading *r);
    void (*print)(const struct setting_row *row, const void *field, struct buf *out);
    void (*reset)(void *field);
} setting_kinds[SK_COUNT] = {
    [SK_TEXT] = {parse_text, print_string, reset_string},
    [SK_APP_ID] = {parse_app_id, print_string, reset_string},
    [SK_REALM] = {parse_realm, print_string, reset_string},
    [SK_URL] = {parse_url, print_string, reset_string},
    [SK_FILE] = {parse_file, print_string, reset_string},
    [SK_KEY] = {parse_key, print_string, reset_string},
    [SK_ENDPOINT] = {parse_endpoint, print_string, reset_string},
    [SK_USER] = {parse_user, print_string, reset_string},
    [SK_GROUP] = {parse_group, print_string, reset_string},
    [SK_UNIT] = {parse_unit, print_string, reset_string},
    [SK_BOOL] = {parse_bool, print_bool, reset_bool},
    [SK_DURATION] = {parse_duration, print_duration, reset_int64},
    [SK_TIME] = {parse_time, print_time, reset_int64},
    [SK_SIZE] = {parse_size, print_size_row, reset_uint64},
    [SK_UINT] = {parse_uint, print_uint, reset_unsigned},
    [SK_RATE] = {parse_rate, print_rate, reset_unsigned},
    [SK_WORD] = {parse_word, print_word, reset_int},
    [SK_RIGHTS] = {parse_rights, print_rights, reset_unsigned},
    [SK_HOSTS] = {parse_hosts, print_list, reset_list},
    [SK_URLS] = {parse_urls, print_list, reset_list},
    [SK_PINS] = {parse_pins, print_list, reset_list},
    [SK_THUMBPRINT] = {parse_thumbprint, print_string, reset_string},
    [SK_KEY_PINS] = {parse_key_pins, print_list, reset_list},
    [SK_PRINCIPALS] = {parse_principals, print_list, reset_list},
    [SK_PARTNERS] = {parse_partners, print_list, reset_list},
    [SK_PATTERNS] = {parse_patterns, print_list, reset_list},
};

bool setting_parse(
    const struct setting_row *row, void *base, const char *value, char *why, size_t why_len)
{
    void *field = (char *)base + row->offset;
    if (value[0] == '\0') {
        setting_reset(row, base);
        if (!row->def)
            return true;
        value = row->def;
    }
    struct reading r = {row, base, field, value, why, why_len};
    return setting_kinds[row->kind].parse(&r);
}

void setting_print(const struct setting_row *row, const void *base, struct buf *out)
{
    setting_kinds[row->kind].print(row, (const char *)base + row->offset, out);
}

void setting_reset(const struct setting_row *row, void *base)
{
    setting_kinds[row->kind].reset((char *)base + row->offset);
}

bool setting_defaults(const struct setting_section *section, void *base)
{
    char why[128];
    for (size_t i = 0; i < section->n_rows; i++)
        if (section->rows[i].def &&
            !setting_parse(&section->rows[i], base, section->rows[i].def, why, sizeof(why)))
            return false;
    return true;
}
