/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict.h"

#include "clock.h"

#include <stdio.h>

static void put_user(struct json_out *j, const struct token_checked *v)
{
    const struct {
        const char *name, *text;
    } parts[] = {{"nameid", v->nameid}, {"nii", v->nii}, {"upn", v->upn}, {"smtp", v->smtp},
        {"sip", v->sip}, {"address", v->user}};
    json_out_object(j, "user");
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (parts[i].text[0])
            json_out_str(j, parts[i].name, parts[i].text);
    json_out_object_end(j);
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
    if (v->delegated)
        put_user(j, v);
}

static void put_reasons(struct json_out *j, const struct token_checked *v)
{
    char diagnostics[512];
    json_out_str(j, "reason", reason_code(v->reason));
    json_out_str(j, "sentence", reason_sentence(v->reason));
    json_out_str(j, "advice", reason_advice(v->reason));
    json_out_str(j, "diagnostics", reason_diagnostics(v->reason, diagnostics, sizeof(diagnostics)));
}

/* Steps. */

#define DETAIL_LEN 1200 /* two identity strings and some words */

static const char *form_of(const struct token_checked *v)
{
    if (v->user_signed)
        return "signed user token";
    return v->delegated ? "unsigned outer token with signed actor token" : "signed token";
}

/* What a passed step found; "" when there is nothing to say. */
static void passed_detail(enum check_step step, const struct token_checked *v, char out[DETAIL_LEN])
{
    char x5t[X5T_TEXT_LEN], end[CLOCK_TEXT_LEN];
    out[0] = '\0';
    if (step == STEP_FORM)
        snprintf(out, DETAIL_LEN, "%s", form_of(v));
    else if (step == STEP_ISSUER && v->partner)
        snprintf(out, DETAIL_LEN, "%s is partner %s", v->issuer, v->partner->name);
    else if (step == STEP_KEY && v->key_expired_warning)
        snprintf(out, DETAIL_LEN, "its certificate has ended; ExpiredKeys=warn lets it pass");
    else if (step == STEP_SIGNATURE)
        snprintf(out, DETAIL_LEN, "RS256, key %s", x5t_text(v->x5t, x5t));
    else if (step == STEP_TIME)
        snprintf(out, DETAIL_LEN, "until %s", clock_text(v->exp, end));
    else if (step == STEP_AUDIENCE)
        snprintf(out, DETAIL_LEN, "%s", v->audience);
    else if (step == STEP_KIND && v->app[0])
        snprintf(out, DETAIL_LEN, "application %s", v->app);
    else if (step == STEP_USER && v->user[0])
        snprintf(out, DETAIL_LEN, "%s", v->user);
}

/* Application tokens have no user: those steps have nothing to judge. */
static bool concerns(enum check_step step, const struct token_checked *v)
{
    return v->delegated || (step != STEP_ACTOR && step != STEP_USER && step != STEP_POLICY);
}

static void put_step(struct json_out *j, enum check_step step, const struct token_checked *v)
{
    char detail[DETAIL_LEN];
    const char *outcome = step == v->step ? "failed" : "skipped";
    snprintf(detail, sizeof(detail), "%s", step == v->step ? v->detail : "");
    if (step < v->step && concerns(step, v)) {
        outcome = "passed";
        passed_detail(step, v, detail);
    }
    json_out_object(j, NULL);
    json_out_str(j, "step", check_step_name(step));
    json_out_str(j, "outcome", outcome);
    if (detail[0] != '\0')
        json_out_str(j, "detail", detail);
    json_out_object_end(j);
}

void verdict_put_steps(struct json_out *j, const struct token_checked *v)
{
    json_out_array(j, "steps");
    for (enum check_step step = 0; step < STEP_COUNT; step++)
        put_step(j, step, v);
    json_out_array_end(j);
}

void verdict_put(struct json_out *j, const struct token_checked *v, bool explain)
{
    bool believed = v->reason == REASON_OK;
    if (believed)
        put_believed(j, v);
    else
        json_out_bool(j, "active", false);
    if (explain && !believed)
        put_reasons(j, v);
    if (explain)
        verdict_put_steps(j, v);
}
