/* SPDX-License-Identifier: Apache-2.0 */
#include "token_input.h"
#include "cleanup.h"

#include <errno.h>

/* More than any token that is read, so that a too large one is told as such by the ladder. */
#define INPUT_MAX 65536

static bool read_all(FILE *f, struct buf *ret)
{
    for (;;) {
        char *at = buf_reserve(ret, 4096);
        if (!at)
            return false;
        size_t n = fread(at, 1, 4096, f);
        ret->n += n;
        if (n == 0)
            return !ferror(f);
    }
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct span without_header(struct span text)
{
    static const char *const heads[] = {"Authorization:", "Bearer "};
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        struct span head = span_of(heads[i]);
        if (text.n >= head.n && span_eq_nocase((struct span){text.p, head.n}, head))
            text = span_skip(text, head.n);
        while (text.n > 0 && is_blank(text.p[0]))
            text = span_skip(text, 1);
    }
    return text;
}

static void trim(struct buf *token)
{
    struct span text = without_header(buf_span(token));
    while (text.n > 0 && is_blank(text.p[text.n - 1]))
        text.n--;
    if (token->n > 0)
        memmove(token->p, text.p, text.n);
    token->n = text.n;
}

enum exit_status token_input(struct ctl *ctl, struct buf *ret)
{
    const char *path = ctl->n_operands > 0 ? ctl->operands[0] : "-";
    CLEANUP(fclosep) FILE *file = NULL;
    CLEANUP(buf_done) struct buf name = BUF_INIT(4096);
    bool is_stdin = strcmp(path, "-") == 0;
    *ret = (struct buf){.max = INPUT_MAX, .secret = true};
    put_safe(&name, is_stdin ? SPAN("standard input") : span_of(path));
    const char *shown = name.failed ? "the file" : name.p;
    if (!is_stdin)
        file = fopen(path, "re");
    if (!is_stdin && !file) {
        ctl_say(ctl, "cannot open %s: %s", shown, strerror(errno));
        return EXIT_NO;
    }
    if (!read_all(is_stdin ? ctl->in : file, ret)) {
        ctl_say(ctl, ret->failed ? "%s is larger than any token" : "cannot read %s", shown);
        return EXIT_NO;
    }
    trim(ret);
    if (ret->n > 0)
        return EXIT_YES;
    ctl_say(ctl, "there is no token in %s", shown);
    return EXIT_NO;
}
