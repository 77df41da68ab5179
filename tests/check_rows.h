/* SPDX-License-Identifier: Apache-2.0 */
/* Rows for tests of the ladder: a good token with something changed, and what must be said of it.
 */
#pragma once

#include "check_world.h"

#include <check.h>

static struct world w;

enum row_kind { ROW_APP, ROW_OUTER, ROW_USER };

struct row {
    const char *name;
    enum row_kind kind;
    const char *from;              /* partner, NULL: lync, or peer for USER */
    const char *header, *claims;   /* edits to the signed token */
    const char *outer_h, *outer_c; /* edits to the outer token */
    enum maker_seal seal, outer_seal;
    bool by_other; /* signed with the key of `far` */
    enum reason reason;
    enum check_step step;
};

#define AUD "\"00000002-0000-0ff1-ce00-000000000000/mail.contoso.com@contoso.com\""
#define US "00000002-0000-0ff1-ce00-000000000000"
#define LYNC "\"00000004-0000-0ff1-ce00-000000000000@lync.contoso.com\""
#define FARM_APP "\"c3ab8885-458f-4864-8804-1608145e2ac4@farm.contoso.com\""

/* Values that only the running test knows: $x5t, $std (standard base64, padded), $s256, $hex,
 * $other. */
static inline void expand(struct maker_object *o)
{
    const struct cert *mine = signkey_cert(w.key), *other = signkey_cert(w.other);
    for (size_t i = 0; i < o->n; i++) {
        CLEANUP(buf_done) struct buf text = BUF_INIT(256);
        if (!o->value[i] || o->value[i][0] != '$')
            continue;
        buf_put_char(&text, '"');
        if (strcmp(o->value[i], "$x5t") == 0)
            b64url_put(&text, mine->x5t, X5T_LEN);
        else if (strcmp(o->value[i], "$std") == 0)
            b64_put(&text, mine->x5t, X5T_LEN);
        else if (strcmp(o->value[i], "$s256") == 0)
            b64url_put(&text, mine->x5t_s256, X5T_S256_LEN);
        else if (strcmp(o->value[i], "$hex") == 0)
            buf_put_str(&text, thumbprint_text(mine->x5t, (char[THUMBPRINT_TEXT_LEN]){0}));
        else if (strcmp(o->value[i], "$other") == 0)
            b64url_put(&text, other->x5t, X5T_LEN);
        else
            abort();
        buf_put_char(&text, '"');
        free(o->value[i]);
        o->value[i] = buf_take(&text);
    }
}

static inline const char *issuer_of(const struct row *r)
{
    const char *name = r->from ? r->from : r->kind == ROW_USER ? "peer" : "lync";
    return settings_partner(w.settings, span_of(name))->issuer;
}

static inline void quote_into(struct maker_object *o, const char *name, const char *text)
{
    char quoted[300];
    snprintf(quoted, sizeof(quoted), "\"%s\"", text);
    maker_set(o, name, quoted);
}

static inline void put_signed(struct buf *token, const struct row *r)
{
    CLEANUP(maker_object_done) struct maker_object header = {0}, claims = {0};
    maker_edit(&header, r->kind == ROW_USER ? "typ=\"s2s-user+jwt\"" : "typ=\"JWT\"");
    maker_edit(&header, "alg=\"RS256\"");
    maker_edit(&header, r->by_other ? "x5t=$other" : "x5t=$x5t");
    maker_edit(&header, r->header);
    maker_edit(&claims, "aud=" AUD ";iss=;nbf=\"1735699700\";exp=\"1735703300\"");
    quote_into(&claims, "iss", issuer_of(r));
    quote_into(&claims, "nameid", issuer_of(r));
    if (r->kind == ROW_OUTER)
        maker_edit(&claims, "trustedfordelegation=\"true\"");
    if (r->kind == ROW_USER) {
        char act[300];
        snprintf(act, sizeof(act), "{\"sub\":\"%s\"}", issuer_of(r));
        maker_edit(&claims, "sub=\"ken@contoso.com\"");
        maker_set(&claims, "act", act);
    }
    maker_edit(&claims, r->claims);
    expand(&header);
    maker_put_token(token, &header, &claims, r->seal, r->by_other ? w.other : w.key);
}

static inline void put_outer(struct buf *token, const struct row *r)
{
    CLEANUP(maker_object_done) struct maker_object header = {0}, claims = {0};
    CLEANUP(buf_done) struct buf actor = BUF_INIT(1 << 20);
    put_signed(&actor, r);
    maker_edit(&header, "typ=\"JWT\";alg=\"none\"");
    maker_edit(&header, r->outer_h);
    maker_edit(&claims, "aud=" AUD ";nbf=\"1735699700\";exp=\"1735703300\"");
    quote_into(&claims, "iss", issuer_of(r));
    maker_edit(&claims, "nameid=\"ken@contoso.com\";nii=\"urn:office:idp:activedirectory\"");
    CLEANUP(buf_done) struct buf quoted = BUF_INIT(1 << 20);
    buf_printf(&quoted, "\"%s\"", actor.p);
    maker_set(&claims, "actortoken", quoted.p);
    maker_edit(&claims, r->outer_c);
    expand(&header);
    maker_put_token(token, &header, &claims, r->outer_seal ? r->outer_seal : SEAL_NONE, w.key);
}

static inline void put_row(struct buf *token, const struct row *r)
{
    if (r->kind == ROW_OUTER)
        put_outer(token, r);
    else
        put_signed(token, r);
    ck_assert(!token->failed);
}

static inline enum reason judge(struct span token)
{
    return check_token(w.scratch, &w.against, token, &w.v);
}

static inline enum reason judge_row(const struct row *r)
{
    CLEANUP(buf_done) struct buf token = BUF_INIT(1 << 20);
    put_row(&token, r);
    return judge(buf_span(&token));
}

static inline void expect_row(const struct row *r)
{
    const enum reason got = judge_row(r);
    ck_assert_msg(got == r->reason, "%s: %s (%s), expected %s", r->name, reason_code(got),
        w.v.detail, reason_code(r->reason));
    if (r->reason != REASON_OK)
        ck_assert_msg(w.v.step == r->step, "%s: ended at %s, expected %s", r->name,
            check_step_name(w.v.step), check_step_name(r->step));
    else
        ck_assert_msg(w.v.step == STEP_COUNT && w.v.detail[0] == '\0', "%s: step %s, %s", r->name,
            check_step_name(w.v.step), w.v.detail);
    ck_assert_msg(w.v.signature_believed == (w.v.step > STEP_SIGNATURE), "%s", r->name);
    /* Numbers go to partners in x-ms-diagnostics: every refusal of a token has one. */
    if (got != REASON_OK)
        ck_assert_msg(reason_number(got) != 0, "%s: %s", r->name, reason_code(got));
}

#define OK(what, ...)                                                                              \
    {                                                                                              \
        .name = what, .reason = REASON_OK, __VA_ARGS__                                             \
    }
#define NO(what, why, where, ...)                                                                  \
    {                                                                                              \
        .name = what, .reason = REASON_##why, .step = STEP_##where, __VA_ARGS__                    \
    }

/* Every test starts in the world as the text has it; the keys are made once. */
static inline void row_setup(void)
{
    world_reset(&w);
}
