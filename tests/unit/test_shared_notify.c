/* SPDX-License-Identifier: Apache-2.0 */
/* The service manager hears what it expects, word for word; without one there is silence; the
 * watchdog is pinged only while we are well. */
#include "clock.h"
#include "notify.h"
#include "unit.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int manager;
static char address[64];

/* An abstract datagram socket, as systemd --user in a container would give. */
static void setup(void)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    snprintf(address, sizeof(address), "@s2sd-notify-%d", (int)getpid());
    memcpy(sa.sun_path + 1, address + 1, strlen(address) - 1);
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(manager, (struct sockaddr *)&sa,
                         (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(address))),
        0);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

static void teardown(void)
{
    notify_close();
    close(manager);
    clock_real();
}

/* The next message, "" when there is none. */
static const char *heard(void)
{
    static char text[4096];
    ssize_t n = recv(manager, text, sizeof(text) - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void open_to_manager(void)
{
    setenv("NOTIFY_SOCKET", address, 1);
    notify_open();
    ck_assert_ptr_null(getenv("NOTIFY_SOCKET")); /* children must not speak for us */
}

START_TEST(every_message_is_as_the_manager_expects)
{
    open_to_manager();
    notify_ready("ready to sign");
    ck_assert_str_eq(heard(), "READY=1\nSTATUS=ready to sign");
    clock_fake(1735700000, 1234);
    notify_reloading();
    ck_assert_str_eq(heard(), "RELOADING=1\nMONOTONIC_USEC=1234000");
    notify_status("%d of %d partners", 2, 3);
    ck_assert_str_eq(heard(), "STATUS=2 of 3 partners");
    notify_stopping();
    ck_assert_str_eq(heard(), "STOPPING=1");
    ck_assert_str_eq(heard(), "");
}
END_TEST

START_TEST(without_a_manager_there_is_silence)
{
    notify_open();
    notify_ready("x");
    notify_stopping();
    ck_assert_str_eq(heard(), "");
    setenv("NOTIFY_SOCKET", "relative/path", 1); /* not a place to speak to */
    notify_open();
    notify_ready("x");
    ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
}
END_TEST

static bool is_well(void *arg)
{
    return *(bool *)arg;
}

static unsigned count_pings(struct event_base *base, int ms)
{
    unsigned n = 0;
    struct timeval tv = {0, ms * 1000};
    event_base_loopexit(base, &tv);
    event_base_dispatch(base);
    while (strcmp(heard(), "WATCHDOG=1") == 0)
        n++;
    return n;
}

START_TEST(the_watchdog_is_pinged_at_half_time_while_well)
{
    bool well = true;
    struct event_base *base = event_base_new();
    setenv("WATCHDOG_USEC", "40000", 1); /* ping each 20 ms */
    open_to_manager();
    ck_assert_ptr_null(getenv("WATCHDOG_USEC"));
    ck_assert_int_eq(notify_watchdog(base, is_well, &well), 0);
    ck_assert_uint_ge(count_pings(base, 200), 3);
    well = false;
    ck_assert_uint_eq(count_pings(base, 100), 0);
    notify_close();
    event_base_free(base);
}
END_TEST

/* Meant for another process, or not a number: no pings. */
START_TEST(a_watchdog_of_others_is_not_pinged)
{
    static const struct {
        const char *usec, *pid;
    } rows[] = {{"40000", "1"}, {"4s", NULL}, {"", NULL}, {NULL, NULL}};
    struct event_base *base = event_base_new();
    if (rows[_i].usec)
        setenv("WATCHDOG_USEC", rows[_i].usec, 1);
    if (rows[_i].pid)
        setenv("WATCHDOG_PID", rows[_i].pid, 1);
    open_to_manager();
    ck_assert_int_eq(notify_watchdog(base, NULL, NULL), 0);
    ck_assert_uint_eq(count_pings(base, 100), 0);
    event_base_free(base);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, every_message_is_as_the_manager_expects);
    tcase_add_test(tc, without_a_manager_there_is_silence);
    tcase_add_test(tc, the_watchdog_is_pinged_at_half_time_while_well);
    tcase_add_loop_test(tc, a_watchdog_of_others_is_not_pinged, 0, 4);
}

int main(void)
{
    return unit_run("shared_notify", fill);
}
