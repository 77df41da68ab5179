/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of s2sctl as a whole: a command line against a daemon that is played, and what it prints
 * and returns. */
#pragma once

#include "cleanup.h"
#include "commands.h"
#include "fake_daemon.h"
#include "temp_dir.h"
#include "unit.h"

#define NOW 1795608000

static struct temp_dir folder;

static inline void setup(void)
{
    temp_dir_make(&folder);
}

static inline void teardown(void)
{
    temp_dir_remove(&folder);
}

static inline const char *variable(const char *name)
{
    return strcmp(name, "LANG") == 0 ? "C.UTF-8" : NULL;
}

/* Runs "a b c" (split at blanks; '~' stands for a blank) with `input` as standard input. */
static inline enum exit_status run_in(
    struct ctl *ctl, const char *line, const char *input, const struct surroundings *given)
{
    char words[1024], *argv[24] = {(char[]){"s2sctl"}};
    int argc = 1;
    snprintf(words, sizeof(words), "%s", line);
    for (char *at = words; *at;) {
        size_t n = strcspn(at, " ");
        char *next = at + n + (at[n] == ' ');
        at[n] = '\0';
        for (char *c = at; *c; c++)
            *c = *c == '~' ? ' ' : *c;
        argv[argc++] = at;
        at = next;
    }
    CLEANUP(fclosep) FILE *in = tmpfile();
    fputs(input, in);
    rewind(in);
    struct surroundings w = *given;
    w.in = in;
    return ctl_run(ctl, argc, argv, &w);
}

static inline enum exit_status run(struct ctl *ctl, const char *line, const char *input)
{
    const struct surroundings w = {.variable = variable, .now = NOW};
    return run_in(ctl, line, input, &w);
}

static inline const char *text_of(const struct buf *b)
{
    return b->p ? b->p : "";
}

#define ERROR(name, parameters) "{\"error\":\"" name "\",\"parameters\":{" parameters "}}"

/* One command line and what it says and hears. */
struct talk {
    const char *line, *input, *interface;
    struct {
        const char *request, *reply; /* request NULL: any */
    } script[2];
    enum exit_status status;
    const char *out, *err;
};

static inline void check_talk(const struct talk *t)
{
    struct ctl ctl;
    char line[512];
    size_t n = t->script[1].reply ? 2 : 1;
    struct fake_exchange script[2] = {0};
    for (size_t i = 0; i < n; i++)
        script[i] =
            (struct fake_exchange){.request = t->script[i].request, .reply = t->script[i].reply};
    struct fake_daemon d = fake_daemon_start(folder.path, t->interface, script, n);
    snprintf(line, sizeof(line), "--runtime-dir=%s %s", folder.path, t->line);
    enum exit_status status = run(&ctl, line, t->input);
    fake_daemon_stop(&d);
    ck_assert_str_eq(text_of(&ctl.err), t->err);
    ck_assert_str_eq(text_of(&ctl.out), t->out);
    ck_assert_int_eq(status, t->status);
    ctl_done(&ctl);
}
