/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict.h"

#include "clock.h"
#include "principal.h"

#include <inttypes.h>
#include <stdio.h>

void verdict_put_claims(struct json_out *j, const struct token_checked *v)
{
    const struct {
        const char *name, *text;
    } claims[] = {{"nameid", v->nameid}, {"nii", v->nii}, {"upn", v->upn}, {"smtp", v->smtp},
        {"sip", v->sip}};
    for (size_t i = 0; i < ARRAY_LEN(claims); i++)
        if (claims[i].text[0])
            json_out_str(j, claims[i].name, claims[i].text);
}

static void put_believed(struct json_out *j, const struct token_checked *v)
{
    json_out_bool(j, "active", true);
    json_out_str(j, "partner", v->partner->name);
    json_out_str(j, "trust", trust_level_name(v->partner->trust));
    json_out_str(j, "issuer", v->issuer);
    json_out_str(j, "subject", v->delegated ? v->user : v->app);
    json_out_str(j, "audience", v->audience);
    json_out_int(j, "notBefore", v->nbf);
    json_out_int(j, "expiresAt", v->exp);
    json_out_bool(j, "delegated", v->delegated);
    if (!v->delegated)
        return;
    json_out_object(j, "user");
    verdict_put_claims(j, v);
    json_out_str(j, "address", v->user);
    json_out_object_end(j);
}

void verdict_put_reasons(struct json_out *j, const struct token_checked *v)
{
    char diagnostics[512];
    json_out_str(j, "reason", reason_code(v->reason));
    json_out_str(j, "sentence", reason_sentence(v->reason));
    json_out_str(j, "advice", reason_advice(v->reason));
    json_out_str(j, "diagnostics", reason_diagnostics(v->reason, diagnostics, sizeof(diagnostics)));
}

/* ---- what a passed step found ---- */

#define DETAIL_LEN 1024 /* an identity string, a section name and some words */
#define X5T_SHOWN 7     /* characters of an x5t that people compare */

static const char *form_of(const struct token_checked *v)
{
    if (v->user_signed)
        return "signed user token";
    return v->delegated ? "unsigned outer token with signed actor token" : "signed app-only token";
}

static void tell_key(const struct token_checked *v, char out[DETAIL_LEN])
{
    static const uint8_t none[X5T_LEN];
    char x5t[X5T_TEXT_LEN];
    if (memcmp(v->x5t, none, X5T_LEN) == 0)
        snprintf(out, DETAIL_LEN, "the key of that kid");
    else
        snprintf(out, DETAIL_LEN, "x5t %.*s%s", X5T_SHOWN, x5t_text(v->x5t, x5t),
            v->key_expired_warning ? "; its certificate has ended and ExpiredKeys=warn lets it pass"
                                   : "");
}

static void tell_time(const struct token_checked *v, int64_t now, char out[DETAIL_LEN])
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{3600, "h"}, {60, "min"}};
    const int64_t left = v->exp - now;
    char end[CLOCK_TEXT_LEN];
    clock_text(v->exp, end);
    if (left <= 0) {
        snprintf(out, DETAIL_LEN, "until %s, over for %" PRId64 " s; the clock skew allows it", end,
            -left);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (left >= 2 * units[i].seconds) { /* one of a unit says too little */
            snprintf(out, DETAIL_LEN, "until %s, %" PRId64 " %s left", end, left / units[i].seconds,
                units[i].name);
            return;
        }
    snprintf(out, DETAIL_LEN, "until %s, %" PRId64 " s left", end, left);
}

static void tell_audience(const struct token_checked *v, char out[DETAIL_LEN])
{
    struct principal aud;
    if (principal_parse_audience(span_of(v->audience), &aud))
        snprintf(out, DETAIL_LEN, "%.*s is one of our hosts", (int)aud.host.n, aud.host.p);
}

/* Fills `out` for a step that this verdict has behind it. */
static void tell(
    enum check_step step, const struct token_checked *v, int64_t now, char out[DETAIL_LEN])
{
    switch (step) {
    case STEP_FORM:
        snprintf(out, DETAIL_LEN, "%s", form_of(v));
        break;
    case STEP_ISSUER:
        snprintf(out, DETAIL_LEN, "%s is partner %s", v->issuer, v->partner->name);
        break;
    case STEP_KEY:
        tell_key(v, out);
        break;
    case STEP_SIGNATURE:
        snprintf(out, DETAIL_LEN, "RS256");
        break;
    case STEP_TIME:
        tell_time(v, now, out);
        break;
    case STEP_AUDIENCE:
        tell_audience(v, out);
        break;
    case STEP_KIND:
        snprintf(out, DETAIL_LEN, "application %s, Trust=%s", v->app,
            trust_level_name(v->partner->trust));
        break;
    case STEP_ACTOR:
        snprintf(out, DETAIL_LEN, "%s",
            v->user_signed ? "act names the application"
                           : "both tokens name the same actor and audience");
        break;
    case STEP_USER:
        snprintf(out, DETAIL_LEN, "%s", v->user);
        break;
    case STEP_POLICY: /* no pattern can name a SID or PUID */
        snprintf(out, DETAIL_LEN, "permitted by %s",
            user_address_valid(span_of(v->user)) ? "PermittedUsers=" : "AcceptSecurityIdentifier=");
        break;
    case STEP_COUNT:
        break;
    }
}

/* An app-only token has no user: those steps have nothing to judge. */
static bool concerns(enum check_step step, const struct token_checked *v)
{
    return v->delegated || (step != STEP_ACTOR && step != STEP_USER && step != STEP_POLICY);
}

static void put_step(
    struct json_out *j, enum check_step step, const struct token_checked *v, int64_t now)
{
    char found[DETAIL_LEN] = "";
    const char *outcome = "skipped", *detail = "";
    if (step == v->step) {
        outcome = "failed";
        detail = v->detail;
    } else if (step < v->step && concerns(step, v)) {
        outcome = "passed";
        tell(step, v, now, found);
        detail = found;
    }
    json_out_object(j, NULL);
    json_out_str(j, "step", check_step_name(step));
    json_out_str(j, "outcome", outcome);
    json_out_str(j, "detail", detail[0] ? detail : NULL);
    json_out_object_end(j);
}

void verdict_put_steps(struct json_out *j, const struct token_checked *v, int64_t now)
{
    json_out_array(j, "steps");
    for (enum check_step step = 0; step < STEP_COUNT; step++)
        put_step(j, step, v, now);
    json_out_array_end(j);
}

void verdict_put(struct json_out *j, const struct token_checked *v, int64_t now, bool explain)
{
    const bool believed = v->reason == REASON_OK;
    if (believed)
        put_believed(j, v);
    else
        json_out_bool(j, "active", false);
    if (explain && !believed)
        verdict_put_reasons(j, v);
    if (explain)
        verdict_put_steps(j, v, now);
}
