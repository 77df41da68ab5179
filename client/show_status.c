/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"
#include "show.h"

#define KEY_SHOWN 7

static bool is(struct span text, const char *word)
{
    return span_eq_str(text, word);
}

static void put_head(struct buf *out, const char *title)
{
    buf_printf(out, "  %-10s ", title);
}

static void put_key(struct buf *out, struct span x5t)
{
    put_safe(out, (struct span){x5t.p, x5t.n < KEY_SHOWN ? x5t.n : KEY_SHOWN});
}

/* When the next key will sign, as far as it is known. */
static void put_plan(struct buf *out, const struct style *s, const struct signing_key_answer *k)
{
    if (k->effective_at > s->now) {
        buf_put_str(out, ", signs from ");
        put_minute(out, s, k->effective_at);
    }
    if (k->held) {
        buf_put_str(out, ", ");
        put_coloured(out, s, COLOUR_WARN, SPAN("HELD"));
        buf_put_str(out, ": s2sctl cert tells why");
    }
}

static void put_signing_key(
    struct buf *out, const struct style *s, const struct signing_key_answer *k)
{
    put_key(out, k->x5t);
    if (is(k->state, "current")) {
        buf_put_str(out, " until ");
        put_date(out, s, k->not_after);
        buf_put_str(out, " (");
        put_duration(out, k->not_after - s->now);
        buf_put_char(out, ')');
    } else if (is(k->state, "previous")) {
        buf_put_str(out, " is published until ");
        put_minute(out, s, k->until);
    } else {
        buf_put_str(out, k->published_since == 0 ? " is NOT PUBLISHED yet" : " is published");
        put_plan(out, s, k);
    }
}

/* "7Qk3mZ0 until 2027-05-02 (160 days)", and on lines of their own "next aB9xw2E is published". */
static bool put_signing(struct buf *out, const struct style *s, const struct json_value *keys)
{
    put_head(out, "Signing");
    if (keys->count == 0)
        put_coloured(out, s, COLOUR_BAD, SPAN("no key"));
    const char *gap = "";
    JSON_EACH (v, keys) {
        struct signing_key_answer k;
        if (!answer_signing_key(v, &k))
            return false;
        buf_put_str(out, gap);
        if (!is(k.state, "current")) {
            put_safe(out, k.state);
            buf_put_char(out, ' ');
        }
        put_signing_key(out, s, &k);
        gap = "\n             ";
    }
    buf_put_char(out, '\n');
    return true;
}

static void put_ability(
    struct buf *out, const struct style *s, bool able, struct span yes, struct span no)
{
    put_coloured(out, s, able ? COLOUR_NONE : COLOUR_BAD, able ? yes : no);
}

static void put_ready(struct buf *out, const struct style *s, const struct status_answer *a)
{
    put_head(out, "Ready");
    put_ability(out, s, a->may_mint, SPAN("mints"), SPAN("CANNOT mint"));
    buf_put_str(out, ", ");
    put_ability(out, s, a->may_validate, SPAN("validates"), SPAN("CANNOT validate"));
    buf_put_char(out, '\n');
}

static unsigned count_workers(const struct json_value *workers, const char *kind)
{
    unsigned n = 0;
    JSON_EACH (v, workers) {
        const struct json_value *of = v->type == JSON_OBJECT ? json_get(v, "kind") : NULL;
        n += of && of->type == JSON_STRING && is(of->text, kind);
    }
    return n;
}

static void put_processes(struct buf *out, const struct style *s, const struct status_answer *a)
{
    const struct {
        const char *name;
        struct span state;
    } programs[] = {{"signer", a->signer}, {"fetcher", a->fetcher}};
    put_head(out, "Processes");
    for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
        buf_printf(out, "%s ", programs[i].name);
        put_coloured(
            out, s, is(programs[i].state, "up") ? COLOUR_NONE : COLOUR_BAD, programs[i].state);
        buf_put_str(out, ", ");
    }
    unsigned validators = count_workers(a->workers, "validator");
    unsigned minters = count_workers(a->workers, "minter");
    buf_printf(out, "%u validator%s, %u minter%s; %lld client rule%s\n", validators,
        validators == 1 ? "" : "s", minters, minters == 1 ? "" : "s", (long long)a->rules,
        a->rules == 1 ? "" : "s");
}

static int64_t counter(const struct json_value *counters, const char *name)
{
    const struct json_value *v = json_get(counters, name);
    int64_t n;
    return v && v->type == JSON_NUMBER && json_int(v->text, &n) ? n : 0;
}

static void put_tokens(struct buf *out, const struct json_value *counters)
{
    put_head(out, "Tokens");
    buf_printf(out, "%lld minted, %lld requests refused; %lld judged, %lld refused\n",
        (long long)counter(counters, "mints"), (long long)counter(counters, "mintRefusals"),
        (long long)counter(counters, "validations"),
        (long long)counter(counters, "validationRefusals"));
}

static void put_title(struct buf *out, const struct style *s, const struct status_answer *a)
{
    put_mark(out, s, a->may_mint && a->may_validate ? MARK_ALIVE : MARK_DEAD);
    buf_put_str(out, " s2sd ");
    put_safe(out, a->version);
    buf_put_str(out, " on ");
    put_coloured(out, s, COLOUR_BOLD, a->host);
    buf_put_str(out, ", up ");
    put_duration(out, s->now - a->started_at);
    buf_put_char(out, '\n');
}

bool show_status(
    const struct style *s, const struct json_value *reply, struct buf *out, bool *ret_well)
{
    struct status_answer a;
    bool partners_well = true;
    if (!answer_status(reply, &a))
        return false;
    put_title(out, s, &a);
    put_head(out, "Identity");
    put_safe(out, a.issuer);
    buf_put_char(out, '\n');
    put_head(out, "Document");
    put_safe(out, a.metadata_url);
    buf_put_char(out, '\n');
    if (!put_signing(out, s, a.signing_keys))
        return false;
    put_ready(out, s, &a);
    put_processes(out, s, &a);
    put_tokens(out, a.counters);
    buf_put_char(out, '\n');
    if (!show_partners(s, a.partners, out, &partners_well))
        return false;
    *ret_well = partners_well && a.may_mint && a.may_validate;
    return true;
}
