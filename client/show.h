/* SPDX-License-Identifier: Apache-2.0 */
/* Screens: an answer of the daemon -> text. Pure; each is false when the answer is not of the
 * documented form, and whatever was appended then is to be thrown away. */
#pragma once

#include "json.h"
#include "screen.h"

/* io.s2sd.control Status. *ret_well: the partners are well as below, and the daemon can mint and
 * validate. */
bool show_status(const struct style *s, const struct json_value *reply, struct buf *out,
    bool *ret_well) WARN_UNUSED;
/* An array of PartnerBrief as a table. *ret_well: none is stale, and no document waits for an
 * approval. */
bool show_partners(const struct style *s, const struct json_value *partners, struct buf *out,
    bool *ret_well) WARN_UNUSED;
/* ShowPartner. *ret_well: not stale, and no document waits. */
bool show_partner(const struct style *s, const struct json_value *reply, struct buf *out,
    bool *ret_well) WARN_UNUSED;
/* Refresh. *ret_well: every fetch went well. */
bool show_refresh(const struct style *s, const struct json_value *reply, struct buf *out,
    bool *ret_well) WARN_UNUSED;
/* ListKeys as tables, or as a drawing. *ret_well: nothing needs an administrator. */
bool show_keys(const struct style *s, const struct json_value *reply, struct buf *out,
    bool *ret_well) WARN_UNUSED;
bool show_timeline(const struct style *s, const struct json_value *reply, struct buf *out,
    bool *ret_well) WARN_UNUSED;
/* The lines that answer a changing method, and whether anything was changed. Always well. */
bool show_changed(const struct style *s, const struct json_value *reply, struct buf *out,
    bool *ret_well) WARN_UNUSED;
/* ListPool. *ret_well: every other member is up and publishes the key that we sign with. */
bool show_pool(const struct style *s, const struct json_value *reply, struct buf *out,
    bool *ret_well) WARN_UNUSED;
/* io.s2sd.validate Validate. *ret_well: the token is believed. */
bool show_verdict(const struct style *s, const struct json_value *reply, struct buf *out,
    bool *ret_well) WARN_UNUSED;

/* Header and claims of one token, unchecked; `actor` members NULL when there is none. */
struct decoded_token {
    const struct json_value *header, *claims;
    size_t signature_len; /* bytes; 0: unsigned */
    const struct json_value *actor_header, *actor_claims;
    size_t actor_signature_len;
};
void show_token(const struct style *s, const struct decoded_token *t, struct buf *out);
