/* SPDX-License-Identifier: Apache-2.0 */
/* The ladder of announce tokens: who says that he fetches our document, and which of our keys he
 * believes. A kind of its own (typ s2s-announce+jwt) that opens no other door; check_token refuses
 * it, and this ladder refuses every other kind. Evidence is all that comes of it, so nothing is
 * waited for and no fetch is caused. */
#pragma once

#include "jws.h"
#include "store.h"

#define ANNOUNCE_TYP "s2s-announce+jwt"
/* The claim with the list; each entry is a base64url SHA-1 thumbprint. */
#define ANNOUNCE_TRUSTS "s2s_trusts"
#define ANNOUNCE_LIFE_S 60
#define ANNOUNCE_KEYS_MAX 64
#define ANNOUNCE_TOKEN_MAX 8192

struct announce_checked {
    enum reason reason;            /* REASON_OK: it is that partner's word */
    const struct partner *partner; /* into the settings; NULL unless REASON_OK */
    int64_t issued_at;
    uint8_t trusts[ANNOUNCE_KEYS_MAX][X5T_LEN]; /* keys of ours that the partner believes */
    size_t n_trusts;
};

/* Judges `token` at wall time `now` against the address that partners know us by: [Metadata] URL=,
 * or another path of that server where the same document is, or that of a member of our pool: what
 * a partner believes of our keys is true wherever it says so. The partner's own VALID keys count,
 * none in grace and none of others. Fills *ret in any case; returns ret->reason. Writes no state:
 * that an announcement is a repetition is the caller's to see (issued_at). */
enum reason check_announce(struct jws_scratch *scratch, const struct settings *s,
    const struct store *store, struct span token, int64_t now, struct announce_checked *ret)
    WARN_UNUSED;
