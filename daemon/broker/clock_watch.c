/* SPDX-License-Identifier: Apache-2.0 */
#include "clock_watch.h"

#include "clock.h"

/* Whole seconds of a change, 0 when it is too small to count. */
static int64_t change_s(int64_t old_ms, int64_t new_ms)
{
    int64_t ms = new_ms - old_ms;
    if (ms >= -CLOCK_JUMP_S * 1000 && ms <= CLOCK_JUMP_S * 1000)
        return 0;
    return (ms + (ms < 0 ? -500 : 500)) / 1000;
}

bool clock_watch_look(struct clock_watch *w, struct clock_change *ret)
{
    int64_t boot_ms = clock_boot_ms();
    const struct clock_watch now = {true, clock_wall_ms() - boot_ms, boot_ms - clock_mono_ms()};
    const struct clock_watch old = *w;
    *w = now;
    if (!old.is_set)
        return false;
    *ret = (struct clock_change){.by_s = change_s(old.wall_ms, now.wall_ms),
        .old_ms = old.wall_ms,
        .new_ms = now.wall_ms,
        .slept_s = change_s(old.sleep_ms, now.sleep_ms)};
    return ret->by_s != 0 || ret->slept_s > 0;
}
