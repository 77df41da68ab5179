/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses a fetch may connect to (rule R34), judged on the address that is about to be
 * used. Pure. */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

/* Link-local (the metadata services of clouds live there), multicast, broadcast and unspecified
 * addresses: never. Private, loopback, shared and reserved ones: only when `public_only` is false.
 * IPv4 inside IPv6 (mapped, compatible, NAT64, 6to4) is judged as the IPv4 address it leads to.
 * Other families: never. */
bool address_is_allowed(const struct sockaddr *sa, bool public_only);
