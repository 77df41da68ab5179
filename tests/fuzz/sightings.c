/* SPDX-License-Identifier: Apache-2.0 */
/* The file of sightings. The first byte says whether the rest is a whole file or a body that is
 * still to be sealed, because a digest would keep a mutated body from ever being read. What is
 * accepted prints to what reads the same, and keeps its order and caps. */
#include "sightings.h"

#include "cleanup.h"
#include "sealed_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool promise)
{
    if (!promise)
        abort();
}

static void read_back(struct span text)
{
    CLEANUP(sightings_done) struct sightings s = {0};
    CLEANUP(sightings_done) struct sightings back = {0};
    CLEANUP(buf_done) struct buf one = BUF_INIT(SIGHTINGS_TEXT_MAX);
    CLEANUP(buf_done) struct buf two = BUF_INIT(SIGHTINGS_TEXT_MAX);
    if (sightings_scan(text, &s) != REASON_OK)
        return;
    for (size_t i = 0; i < s.n; i++) {
        must(i == 0 || strcmp(s.list[i - 1].name, s.list[i].name) < 0);
        must(s.list[i].n <= KEYRING_MAX);
        must(sightings_partner(&s, span_of(s.list[i].name)) == &s.list[i]);
    }
    sightings_print(&s, &one);
    must(!one.failed && sightings_scan(buf_span(&one), &back) == REASON_OK);
    sightings_print(&back, &two);
    must(span_eq(buf_span(&one), buf_span(&two)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT(SIGHTINGS_TEXT_MAX);
    if (n == 0)
        return 0;
    struct span rest = span_bytes(data + 1, n - 1);
    if (data[0] % 2 == 0) {
        read_back(rest);
        return 0;
    }
    sealed_put(&text, "s2sd sightings 1", NULL, rest);
    if (!text.failed)
        read_back(buf_span(&text));
    return 0;
}
