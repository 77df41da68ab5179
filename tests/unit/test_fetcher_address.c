/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses a fetch may reach, with both ends of each range. */
#include "address.h"
#include "attr.h"
#include "unit.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/un.h>

enum verdict { NEVER, PRIVATE, PUBLIC };

static const struct {
    const char *text;
    enum verdict verdict;
} rows[] = {
    {"0.0.0.0", NEVER},
    {"0.255.255.255", NEVER},
    {"1.0.0.0", PUBLIC},
    {"169.253.255.255", PUBLIC},
    {"169.254.0.0", NEVER},
    {"169.254.169.254", NEVER},
    {"169.254.255.255", NEVER},
    {"169.255.0.0", PUBLIC},
    {"223.255.255.255", PUBLIC},
    {"224.0.0.0", NEVER},
    {"239.255.255.255", NEVER},
    {"240.0.0.0", PRIVATE},
    {"255.255.255.254", PRIVATE},
    {"255.255.255.255", NEVER},
    {"9.255.255.255", PUBLIC},
    {"10.0.0.0", PRIVATE},
    {"10.255.255.255", PRIVATE},
    {"11.0.0.0", PUBLIC},
    {"100.63.255.255", PUBLIC},
    {"100.64.0.0", PRIVATE},
    {"100.127.255.255", PRIVATE},
    {"100.128.0.0", PUBLIC},
    {"127.0.0.1", PRIVATE},
    {"127.255.255.255", PRIVATE},
    {"128.0.0.0", PUBLIC},
    {"172.15.255.255", PUBLIC},
    {"172.16.0.0", PRIVATE},
    {"172.31.255.255", PRIVATE},
    {"172.32.0.0", PUBLIC},
    {"192.0.0.8", PRIVATE},
    {"192.0.1.0", PUBLIC},
    {"192.0.2.1", PRIVATE},
    {"192.167.255.255", PUBLIC},
    {"192.168.0.0", PRIVATE},
    {"192.168.255.255", PRIVATE},
    {"192.169.0.0", PUBLIC},
    {"198.17.255.255", PUBLIC},
    {"198.18.0.0", PRIVATE},
    {"198.19.255.255", PRIVATE},
    {"198.20.0.0", PUBLIC},
    {"198.51.100.7", PRIVATE},
    {"203.0.113.7", PRIVATE},
    {"8.8.8.8", PUBLIC},
    {"::", NEVER},
    {"::1", PRIVATE},
    {"fe80::1", NEVER},
    {"febf::1", NEVER},
    {"fe7f::1", PRIVATE},
    {"fec0::1", PRIVATE},
    {"feff::1", PRIVATE},
    {"ff00::", NEVER},
    {"ff02::1", NEVER},
    {"fbff::1", PRIVATE},
    {"fc00::1", PRIVATE},
    {"fd00:ec2::254", PRIVATE},
    {"fe00::1", PRIVATE},
    {"100::1", PRIVATE},
    {"100:0:0:1::1", PRIVATE},
    {"2001:db8::1", PRIVATE},
    {"2001:4860:4860::8888", PUBLIC},
    {"2000::1", PUBLIC},
    {"3ffe:ffff::1", PUBLIC},
    {"4000::1", PRIVATE},
    {"2001:1ff::1", PRIVATE},
    {"2001:200::1", PUBLIC},
    {"3fff:fff::1", PRIVATE},
    {"3fff:1000::1", PUBLIC},
    {"::ffff:127.0.0.1", PRIVATE},
    {"::ffff:169.254.169.254", NEVER},
    {"::ffff:8.8.8.8", PUBLIC},
    {"::ffff:0.0.0.0", NEVER},
    {"::ffff:10.1.2.3", PRIVATE},
    {"::ffff:224.0.0.1", NEVER},
    {"::127.0.0.1", PRIVATE},
    {"::169.254.169.254", NEVER},
    {"64:ff9b::169.254.169.254", NEVER},
    {"64:ff9b::10.0.0.1", PRIVATE},
    {"64:ff9b::8.8.8.8", PUBLIC},
    {"64:ff9b:1::8.8.8.8", PRIVATE},
    {"2002:a9fe:a9fe::1", NEVER},
    {"2002:7f00:1::1", PRIVATE},
    {"2002:808:808::1", PUBLIC},
};

START_TEST(every_range_has_its_verdict)
{
    struct sockaddr_in in4 = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    const struct sockaddr *sa = (const struct sockaddr *)&in6;
    if (inet_pton(AF_INET, rows[_i].text, &in4.sin_addr) == 1)
        sa = (const struct sockaddr *)&in4;
    else
        ck_assert_int_eq(inet_pton(AF_INET6, rows[_i].text, &in6.sin6_addr), 1);
    ck_assert_msg(
        address_is_allowed(sa, false) == (rows[_i].verdict != NEVER), "%s", rows[_i].text);
    ck_assert_msg(
        address_is_allowed(sa, true) == (rows[_i].verdict == PUBLIC), "%s", rows[_i].text);
}
END_TEST

START_TEST(other_families_are_refused)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    ck_assert(!address_is_allowed((const struct sockaddr *)&un, false));
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_loop_test(tc, every_range_has_its_verdict, 0, ARRAY_LEN(rows));
    tcase_add_test(tc, other_families_are_refused);
}

int main(void)
{
    return unit_run("fetcher_address", fill);
}
