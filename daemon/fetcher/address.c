/* SPDX-License-Identifier: Apache-2.0 */
#include "address.h"

#include "attr.h"

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

enum reach { REACH_PUBLIC, REACH_PRIVATE, REACH_NEVER };

struct range {
    uint8_t bytes[16];
    unsigned bits;
    enum reach reach;
};

/* IANA special-purpose address registries (RFC 6890 and later). */
static const struct range ranges4[] = {
    {{0}, 8, REACH_NEVER},         /* unspecified, "this network" */
    {{169, 254}, 16, REACH_NEVER}, /* link-local */
    {{224}, 4, REACH_NEVER},       /* multicast */
    {{255, 255, 255, 255}, 32, REACH_NEVER}, {{10}, 8, REACH_PRIVATE},
    {{100, 64}, 10, REACH_PRIVATE},                                   /* carriers' shared space */
    {{127}, 8, REACH_PRIVATE},                                        /* loopback */
    {{172, 16}, 12, REACH_PRIVATE}, {{192, 0, 0}, 24, REACH_PRIVATE}, /* protocol assignments */
    {{192, 0, 2}, 24, REACH_PRIVATE},                                 /* documentation */
    {{192, 168}, 16, REACH_PRIVATE}, {{198, 18}, 15, REACH_PRIVATE},  /* benchmarks */
    {{198, 51, 100}, 24, REACH_PRIVATE}, {{203, 0, 113}, 24, REACH_PRIVATE},
    {{240}, 4, REACH_PRIVATE}, /* reserved */
};

/* First fit counts; what is in no range is not global unicast and therefore private. */
static const struct range ranges6[] = {
    {{0xfe, 0x80}, 10, REACH_NEVER},               /* link-local */
    {{0xff}, 8, REACH_NEVER},                      /* multicast */
    {{0x20, 0x01, 0x00, 0x00}, 23, REACH_PRIVATE}, /* protocol assignments, Teredo */
    {{0x20, 0x01, 0x0d, 0xb8}, 32, REACH_PRIVATE}, /* documentation */
    {{0x3f, 0xff, 0x00}, 20, REACH_PRIVATE},       /* documentation */
    {{0x20}, 3, REACH_PUBLIC},                     /* global unicast */
};

static bool is_in(const uint8_t *address, const struct range *r)
{
    unsigned whole = r->bits / 8, rest = r->bits % 8;
    uint8_t mask = (uint8_t)(0xff00 >> rest);
    return memcmp(address, r->bytes, whole) == 0 &&
           (rest == 0 || ((address[whole] ^ r->bytes[whole]) & mask) == 0);
}

static enum reach reach4(const uint8_t address[4])
{
    for (size_t i = 0; i < ARRAY_LEN(ranges4); i++)
        if (is_in(address, &ranges4[i]))
            return ranges4[i].reach;
    return REACH_PUBLIC;
}

/* IPv6 addresses that carry an IPv4 one: where its four bytes are. */
static const struct {
    struct range prefix;
    unsigned at;
} carriers[] = {
    {{{[10] = 0xff, 0xff}, 96, REACH_PUBLIC}, 12},      /* mapped */
    {{{0x00, 0x64, 0xff, 0x9b}, 96, REACH_PUBLIC}, 12}, /* NAT64, RFC 6052 */
    {{{0}, 96, REACH_PUBLIC}, 12},                      /* compatible, deprecated */
    {{{0x20, 0x02}, 16, REACH_PUBLIC}, 2},              /* 6to4 */
};

static enum reach reach6(const struct in6_addr *in6)
{
    const uint8_t *a = in6->s6_addr;
    if (IN6_IS_ADDR_LOOPBACK(in6))
        return REACH_PRIVATE;
    if (IN6_IS_ADDR_UNSPECIFIED(in6))
        return REACH_NEVER;
    for (size_t i = 0; i < ARRAY_LEN(carriers); i++)
        if (is_in(a, &carriers[i].prefix))
            return reach4(a + carriers[i].at);
    for (size_t i = 0; i < ARRAY_LEN(ranges6); i++)
        if (is_in(a, &ranges6[i]))
            return ranges6[i].reach;
    return REACH_PRIVATE;
}

bool address_is_allowed(const struct sockaddr *sa, bool public_only)
{
    enum reach reach = REACH_NEVER;
    if (sa->sa_family == AF_INET)
        reach = reach4((const uint8_t *)&((const struct sockaddr_in *)(const void *)sa)->sin_addr);
    else if (sa->sa_family == AF_INET6)
        reach = reach6(&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr);
    return reach == REACH_PUBLIC || (reach == REACH_PRIVATE && !public_only);
}
