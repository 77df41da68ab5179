/* SPDX-License-Identifier: Apache-2.0 */
/* Tests: settings out of a text, without files. */
#pragma once

#include "settings.h"

#include <stdio.h>
#include <stdlib.h>

/* What became of a text: settings, or the lines that say what is wrong with it. */
struct settings_read {
    struct settings *settings; /* NULL: refused */
    struct conf_errors errors;
};

static inline struct settings_read settings_read(const char *text, const char *hostname)
{
    struct settings_read r = {0};
    struct conf_set set = {0};
    if (conf_parse(&set, "t.conf", span_of(text), &r.errors) == 0 &&
        !settings_from_conf(&set, hostname, &r.errors, &r.settings))
        r.settings = NULL;
    conf_set_done(&set);
    return r;
}

static inline void settings_read_done(struct settings_read *r)
{
    settings_freep(&r->settings);
    conf_errors_done(&r->errors);
}

/* Settings that must be good: prints what is wrong and ends the test otherwise. */
static inline struct settings *settings_of(const char *text)
{
    struct settings_read r = settings_read(text, "lync.contoso.example");
    if (!r.settings) {
        fprintf(stderr, "%s", r.errors.text.p ? r.errors.text.p : "no settings\n");
        abort();
    }
    conf_errors_done(&r.errors);
    return r.settings;
}
