/* SPDX-License-Identifier: Apache-2.0 */
/* What io.s2sd.control shows, as JSON: one function for each reading method. Pure reading. */
#pragma once

#include "broker.h"
#include "json.h"

void view_status(const struct broker *b, struct json_out *j); /* members of the answer of Status */
void view_partners(const struct broker *b, struct json_out *j); /* member "partners" */
void view_own_keys(
    const struct broker *b, struct json_out *j); /* members of the answer of ListKeys */
void view_partner(const struct broker *b, const struct partner_entry *e, struct json_out *j);

/* Members of an object for one key, of ours or of a partner, as all screens name it. */
void view_key_names(struct json_out *j, const uint8_t x5t[X5T_LEN]);
/* Member "keys": those of a partner. */
void view_partner_keys(const struct broker *b, const struct partner_entry *e, struct json_out *j);
