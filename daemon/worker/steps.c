/* SPDX-License-Identifier: Apache-2.0 */
#include "steps.h"

static const char *outcome_of(enum check_step step, enum check_step ended)
{
    if (step < ended)
        return "passed";
    return step == ended ? "failed" : "skipped";
}

void put_steps(struct json_out *j, const struct token_checked *v)
{
    json_out_array(j, "steps");
    for (enum check_step s = 0; s < STEP_COUNT; s++) {
        json_out_object(j, NULL);
        json_out_str(j, "step", check_step_name(s));
        json_out_str(j, "outcome", outcome_of(s, v->step));
        if (s == v->step && v->detail[0])
            json_out_str(j, "detail", v->detail);
        else if (s == STEP_KEY && v->step > STEP_KEY && v->key_expired_warning)
            json_out_str(j, "detail", "its certificate has ended; ExpiredKeys=warn lets it pass");
        json_out_object_end(j);
    }
    json_out_array_end(j);
}
