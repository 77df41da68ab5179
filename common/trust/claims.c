/* SPDX-License-Identifier: Apache-2.0 */
#include "claims.h"

#define TIME_DIGITS_MAX 10

enum { SIGNED = 1 << CLAIMS_SIGNED, OUTER = 1 << CLAIMS_OUTER, USER = 1 << CLAIMS_USER };
#define ANY (SIGNED | OUTER | USER)

/* One claim: the tokens it means something in, and how its value gets into the struct. */
struct claim_row {
    struct span name;
    unsigned of;
    enum reason (*read)(const struct json_value *v, struct claims *c, size_t offset);
    size_t offset; /* of the span that an identity string goes to */
};

/* Printable ASCII: no control character of any alphabet reaches a log, a header or a comparison. */
static bool is_printable(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < ' ' || s.p[i] > '~')
            return false;
    return true;
}

static enum reason read_identity(const struct json_value *v, struct claims *c, size_t offset)
{
    if (v->type != JSON_STRING || v->text.n < 1 || v->text.n > CLAIM_TEXT_MAX ||
        !is_printable(v->text))
        return REASON_CLAIM;
    memcpy((char *)c + offset, &v->text, sizeof(v->text));
    return REASON_OK;
}

/* R17: no sign, fraction, exponent, blank or leading zero, and nothing that needs strtol(3). */
bool claims_seconds(const struct json_value *v, int64_t *ret)
{
    const struct span s = v->text;
    int64_t seconds = 0;
    if ((v->type != JSON_STRING && v->type != JSON_NUMBER) || s.n < 1 || s.n > TIME_DIGITS_MAX ||
        (s.p[0] == '0' && s.n > 1))
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!ascii_is_digit(s.p[i]))
            return false;
        seconds = seconds * 10 + (s.p[i] - '0');
    }
    *ret = seconds;
    return true;
}

static enum reason read_nbf(const struct json_value *v, struct claims *c, size_t offset)
{
    (void)offset;
    c->has_nbf = claims_seconds(v, &c->nbf);
    return c->has_nbf ? REASON_OK : REASON_TIME_FORM;
}

static enum reason read_exp(const struct json_value *v, struct claims *c, size_t offset)
{
    (void)offset;
    c->has_exp = claims_seconds(v, &c->exp);
    return c->has_exp ? REASON_OK : REASON_TIME_FORM;
}

/* The wire has the strings, some writers the JSON words (protocol note 2.5). */
static enum reason read_delegation(const struct json_value *v, struct claims *c, size_t offset)
{
    (void)offset;
    const bool word = v->type == JSON_BOOL, text = v->type == JSON_STRING;
    if ((word && v->truth) || (text && span_eq(v->text, SPAN("true"))))
        c->trusted_for_delegation = DELEGATION_TRUE;
    else if (word || (text && span_eq(v->text, SPAN("false"))))
        c->trusted_for_delegation = DELEGATION_FALSE;
    else
        return REASON_NO_DELEGATION;
    return REASON_OK;
}

static enum reason read_actor_token(const struct json_value *v, struct claims *c, size_t offset)
{
    (void)offset;
    if (v->type != JSON_STRING || v->text.n < 1)
        return REASON_ACTOR_TOKEN;
    c->actortoken = v->text;
    return REASON_OK;
}

/* RFC 8693 4.1: who acts. Exactly {"sub": identity}; an act inside it would be a second level. */
static enum reason read_act(const struct json_value *v, struct claims *c, size_t offset)
{
    if (v->type != JSON_OBJECT || v->count != 1 || !span_eq(v->child->name, SPAN("sub")))
        return REASON_CLAIM;
    return read_identity(v->child, c, offset);
}

static enum reason note_nested(const struct json_value *v, struct claims *c, size_t offset)
{
    (void)v;
    (void)offset;
    c->has_nested_actor = true;
    return REASON_OK;
}

#define IDENTITY(claim, of)                                                                        \
    {                                                                                              \
        SPAN(#claim), of, read_identity, offsetof(struct claims, claim)                            \
    }

static const struct claim_row rows[] = {
    IDENTITY(iss, ANY),
    IDENTITY(aud, ANY),
    IDENTITY(nameid, ANY),
    {SPAN("nbf"), ANY, read_nbf, 0},
    {SPAN("exp"), ANY, read_exp, 0},
    {SPAN("trustedfordelegation"), SIGNED | USER, read_delegation, 0},
    IDENTITY(nii, ANY),
    IDENTITY(upn, ANY),
    IDENTITY(smtp, ANY),
    IDENTITY(sip, ANY),
    {SPAN("actortoken"), OUTER, read_actor_token, 0},
    {SPAN("actortoken"), SIGNED | USER, note_nested, 0},
    {SPAN("actort"), SIGNED | USER, note_nested, 0},
    {SPAN("act"), SIGNED, note_nested, 0},
    {SPAN("act"), USER, read_act, offsetof(struct claims, actor)},
    IDENTITY(sub, USER),
};

/* R26: what other systems take as an order to skip a check. In any case of letters, because those
 * systems read JSON names so. */
static bool is_forbidden(struct span name)
{
    static const struct span exact[] = {SPAN("ver"), SPAN("isloopback"), SPAN("isuser"),
        SPAN("cachekey"), SPAN("trustedfordelegation"), SPAN("actort"), SPAN("act")};
    static const struct span head = SPAN("endpointurl"), tail = SPAN("prooftoken");

    for (size_t i = 0; i < ARRAY_LEN(exact); i++)
        if (span_eq_nocase(name, exact[i]))
            return true;
    return (name.n >= head.n && span_eq_nocase((struct span){name.p, head.n}, head)) ||
           (name.n >= tail.n && span_eq_nocase(span_skip(name, name.n - tail.n), tail));
}

static const struct claim_row *row_of(struct span name, enum claims_of of)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if ((rows[i].of & 1U << of) && span_eq(name, rows[i].name))
            return &rows[i];
    return NULL;
}

enum reason claims_read(
    const struct json_value *payload, enum claims_of of, struct claims *ret, struct span *ret_bad)
{
    struct claims c = {0};
    JSON_EACH (v, payload) {
        const struct claim_row *row = row_of(v->name, of);
        const enum reason r = row ? row->read(v, &c, row->offset) : REASON_OK;
        if (r != REASON_OK) {
            *ret_bad = row->name;
            return r;
        }
        if (of == CLAIMS_OUTER)
            c.has_forbidden |= is_forbidden(v->name);
    }
    *ret = c;
    return REASON_OK;
}
