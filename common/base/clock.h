/* SPDX-License-Identifier: Apache-2.0 */
/* The only source of time. Wall time for what is written in tokens and files, monotonic time for
 * intervals. Tests put a fake clock in; the daemon never takes a time from outside. */
#pragma once

#include "attr.h"

#include <stdbool.h>
#include <stdint.h>

/* Seconds since 1970-01-01T00:00:00Z. */
int64_t clock_wall_s(void);
/* The same in milliseconds. */
int64_t clock_wall_ms(void);
/* Milliseconds on a clock that no administrator moves. */
int64_t clock_mono_ms(void);
/* The same, and the time that the machine has slept: the ages of things. */
int64_t clock_boot_ms(void);
/* Microseconds of the monotonic clock, as systemd's MONOTONIC_USEC= wants them. */
uint64_t clock_mono_us(void);

/* Tests only: from now on both clocks stand still at these values until set again; clock_real()
 * returns to the real ones. */
void clock_fake(int64_t wall_s, int64_t mono_ms);
void clock_real(void);
/* Tests only: the machine has slept so long under the fake clock, since the program's start. */
void clock_fake_sleep(int64_t slept_ms);

/* "2026-11-24T12:00:00Z" of a wall time; buf holds at least CLOCK_TEXT_LEN bytes. Years beyond 9999
 * are printed as "never". Returns buf. */
#define CLOCK_TEXT_LEN 32
char *clock_text(int64_t wall_s, char buf[CLOCK_TEXT_LEN]);
/* Reads "2026-11-24", "2026-11-24T12:00Z" or "2026-11-24T12:00:00Z" (a blank instead of T will do);
 * all of it UTC. False for anything else, and for days and hours that do not exist. */
bool clock_parse(const char *text, int64_t *ret_wall_s) WARN_UNUSED;
/* Seconds since 1970 of a proleptic Gregorian UTC date; no libc time zone is asked. */
int64_t clock_from_civil(int year, int month, int day, int hour, int minute, int second);
