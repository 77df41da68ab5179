/* SPDX-License-Identifier: Apache-2.0 */
#include "pem.h"

#include "b64.h"

#define HEAD SPAN("-----BEGIN ")
#define TAIL SPAN("-----END ")
#define DASHES SPAN("-----")

/* Takes one line off *text, without its line end and blanks behind it. */
static struct span take_line(struct span *text)
{
    size_t n = span_find(*text, '\n');
    struct span line = {text->p, n};
    *text = span_skip(*text, n < text->n ? n + 1 : n);
    while (line.n && (line.p[line.n - 1] == '\r' || line.p[line.n - 1] == ' '))
        line.n--;
    return line;
}

/* The label of a line that begins with `head` and ends with dashes. */
static bool label_of(struct span line, struct span head, struct span *ret)
{
    if (!span_starts(line, head) || line.n < head.n + DASHES.n)
        return false;
    struct span rest = span_skip(line, head.n);
    struct span label = {rest.p, rest.n - DASHES.n};
    if (!span_eq(span_skip(rest, label.n), DASHES))
        return false;
    *ret = label;
    return true;
}

enum pem_step pem_next(struct span *text, struct span *ret_label, struct span *ret_body)
{
    struct span label = {0}, end = {0};
    bool found = false;
    while (text->n && !found)
        found = label_of(take_line(text), HEAD, &label);
    if (!found)
        return PEM_END;
    const char *body = text->p;
    while (text->n) {
        struct span line = take_line(text);
        if (span_starts(line, HEAD))
            return PEM_BROKEN;
        if (!label_of(line, TAIL, &end))
            continue;
        if (!span_eq(label, end))
            return PEM_BROKEN;
        *ret_label = label;
        *ret_body = (struct span){body, (size_t)(line.p - body)};
        return PEM_BLOCK;
    }
    return PEM_BROKEN;
}

long pem_decode(struct span body, uint8_t *out)
{
    size_t n = 0;
    for (size_t i = 0; i < body.n; i++)
        if (body.p[i] != '\n' && body.p[i] != '\r')
            out[n++] = (uint8_t)body.p[i];
    /* In place: three bytes are written behind every four that were read. */
    return n ? b64_decode(span_bytes(out, n), out, n) : -1;
}
