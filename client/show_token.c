/* SPDX-License-Identifier: Apache-2.0 */
#include "show.h"

/* A time claim: seconds, as a number or as text. */
static bool claim_time(const struct json_value *v, int64_t *ret)
{
    static const char *const names[] = {"nbf", "exp", "iat"};
    if (v->type != JSON_NUMBER && v->type != JSON_STRING)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (span_eq_str(v->name, names[i]))
            return json_int(v->text, ret);
    return false;
}

static void put_value(struct buf *out, const struct json_value *v)
{
    switch (v->type) {
    case JSON_STRING:
    case JSON_NUMBER:
        put_safe(out, v->text);
        break;
    case JSON_BOOL:
        buf_put_str(out, v->truth ? "true" : "false");
        break;
    case JSON_NULL:
        buf_put_str(out, "null");
        break;
    default:
        buf_printf(out, "(%u %s)", v->count, v->type == JSON_ARRAY ? "elements" : "members");
    }
}

static void put_member(struct buf *out, const struct style *s, const struct json_value *v)
{
    int64_t at;
    buf_put_str(out, "  ");
    put_safe(out, v->name);
    for (size_t n = v->name.n; n < 20; n++)
        buf_put_char(out, ' ');
    buf_put_char(out, ' ');
    if (v->type == JSON_STRING && span_eq_str(v->name, "actortoken")) {
        buf_put_str(out, "the signed token below\n");
        return;
    }
    put_value(out, v);
    if (claim_time(v, &at)) {
        buf_put_str(out, "  ");
        put_minute(out, s, at);
        buf_put_str(out, ", ");
        put_relative(out, s, at);
    }
    buf_put_char(out, '\n');
}

static void put_part(
    struct buf *out, const struct style *s, const char *title, const struct json_value *part)
{
    put_coloured(out, s, COLOUR_FAINT, span_of(title));
    buf_put_char(out, '\n');
    JSON_EACH (v, part)
        put_member(out, s, v);
}

static void put_title(
    struct buf *out, const struct style *s, const char *kind, size_t signature_len)
{
    buf_put_char(out, '\n');
    put_coloured(out, s, COLOUR_BOLD, span_of(kind));
    if (signature_len > 0)
        buf_printf(out, ", with a signature of %zu bytes\n", signature_len);
    else
        buf_put_str(out, ", unsigned\n");
}

void show_token(const struct style *s, const struct decoded_token *t, struct buf *out)
{
    put_coloured(out, s, COLOUR_WARN, SPAN("NOT CHECKED."));
    buf_put_str(out, " Anybody can write what stands here; s2sctl token verify checks it.\n");
    put_title(out, s, t->actor_header ? "Outer token" : "Token", t->signature_len);
    put_part(out, s, "Header", t->header);
    put_part(out, s, "Claims", t->claims);
    if (!t->actor_header)
        return;
    put_title(out, s, "Actor token", t->actor_signature_len);
    put_part(out, s, "Header", t->actor_header);
    put_part(out, s, "Claims", t->actor_claims);
}
