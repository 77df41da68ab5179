/* SPDX-License-Identifier: Apache-2.0 */
/* What about the keys needs an administrator: judged from the answer of ListKeys, so that screens
 * and exit status say the same. Pure. */
#pragma once

#include "answer.h"

/* A key that ends so soon wants a next one; one that lives less than four times as long, in the
 * last quarter of its life. */
#define NEED_NEXT_S (INT64_C(60) * 86400)
/* A key that is made by itself, by us or by a partner, is there in time as a rule: until so long
 * before the end its absence is shown, and no alarm. */
#define NEED_NEXT_MANAGED_S (INT64_C(30) * 86400)
#define NEED_HELD_S (INT64_C(30) * 86400) /* a held key whose date is so near */

enum need {
    NEED_NOTHING,
    NEED_CURRENT, /* there is no key that signs */
    NEED_EXPIRED, /* the certificate of the key that signs has ended */
    NEED_NEXT,    /* it ends soon, and no other is there to follow */
    NEED_HELD,    /* the next one waits, and its date is near or over */
};

/* Our keys, in the order of the answer. */
#define OWN_KEYS_MAX 16
struct own_keys {
    struct own_key_answer all[OWN_KEYS_MAX];
    size_t n;
    const struct own_key_answer *current, *next; /* NULL: none */
};
/* Points into *ret, which must not be copied. False: not of the documented form. */
bool own_keys_read(const struct json_value *keys, struct own_keys *ret) WARN_UNUSED;

/* The worst of them. `source`: "managed", "files" or "credential". */
enum need own_keys_need(const struct own_keys *own, struct span source, int64_t now);

/* Is this a partner's key whose tokens are believed now? */
bool partner_key_counts(const struct partner_key_answer *key);
/* Some of these keys of a partner (array of PartnerKey) count, but none that does or soon will
 * lives longer than `span_s` seconds. False as well when they are not of the documented form. */
bool partner_keys_end_within(const struct json_value *keys, int64_t now, int64_t span_s);
