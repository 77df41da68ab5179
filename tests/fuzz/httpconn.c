/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes into the HTTP door of a worker: whatever comes, what goes out is a row of whole answers,
 * each with a length and no-store, nothing behind one that closes, and nobody stays. */
#include "doors_under_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool head_has(struct span head, const char *text)
{
    return memmem(head.p, head.n, text, strlen(text)) != NULL;
}

static size_t length_of(struct span head)
{
    static const char name[] = "\r\nContent-Length: ";
    const char *at = memmem(head.p, head.n, name, sizeof(name) - 1);
    size_t n = 0;
    if (!at)
        abort();
    for (at += sizeof(name) - 1; *at >= '0' && *at <= '9'; at++)
        n = n * 10 + (size_t)(*at - '0');
    return n;
}

/* Behind the head: a JSON body of that length, or none when a HEAD was asked. */
static size_t body_of(struct span head, struct span rest)
{
    size_t n = length_of(head);
    if (rest.n > 0 && rest.p[0] == '{') {
        if (n > rest.n || rest.p[n - 1] != '}')
            abort();
        return n;
    }
    if (rest.n > 0 && !span_starts(rest, SPAN("HTTP/1.1 ")))
        abort();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buf got = BUF_INIT(16 << 20);
    fuzz_door(DOOR_HTTP, data, n, &got);
    struct span rest = buf_span(&got);
    bool closed = false;
    while (rest.n > 0) {
        const char *end = memmem(rest.p, rest.n, "\r\n\r\n", 4);
        if (closed || !end || !span_starts(rest, SPAN("HTTP/1.1 ")))
            abort();
        struct span head = {rest.p, (size_t)(end - rest.p) + 4};
        if (!head_has(head, "\r\nCache-Control: no-store\r\n"))
            abort();
        closed = head_has(head, "\r\nConnection: close\r\n");
        rest = span_skip(rest, head.n);
        rest = span_skip(rest, body_of(head, rest));
    }
    buf_done(&got);
    return 0;
}
