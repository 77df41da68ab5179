/* SPDX-License-Identifier: Apache-2.0 */
/* Principals: `appid@realm` (issuer, actor) and `appid/host@realm` (audience). protocol note 2.2.
 * Compared byte for byte, the host ASCII case-insensitively; nothing is normalised on reading. */
#pragma once

#include "attr.h"
#include "span.h"

#include <stdbool.h>

struct principal {
    struct span app_id; /* never empty */
    struct span host;   /* may hold ":port"; empty for an issuer */
    struct span realm;  /* never empty */
};

/* `appid@realm`: exactly one '@', no '/', both sides non-empty, printable ASCII without blanks. */
bool principal_parse_issuer(struct span text, struct principal *ret) WARN_UNUSED;
/* `appid/host@realm`: exactly one '/' and one '@', all three non-empty. */
bool principal_parse_audience(struct span text, struct principal *ret) WARN_UNUSED;
/* 8-4-4-4-12 hexadecimal digits of either case. */
bool guid_valid(struct span text);
/* An application id: a GUID in lower case. */
bool app_id_valid(struct span text);
/* A realm: 1..253 of [a-z0-9.-_]; "*" is not one. */
bool realm_valid(struct span text);
/* A host name or address, optionally ":port", lower or upper case: [A-Za-z0-9.-_], 1..253. */
bool host_valid(struct span text);
/* 1..65535 without leading zero. */
bool port_parse(struct span text, unsigned *ret) WARN_UNUSED;
