/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes into the Varlink door of a worker: whatever comes, each answer is a JSON object of its own
 * with "parameters" or "error", never more answers than messages and one refusal, and nobody stays.
 */
#include "doors_under_fuzz.h"

#include "json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_answer(struct json_doc *doc, struct span text)
{
    const struct json_limits limits = {.bytes = 1 << 20};
    const struct json_value *v;
    if (json_parse(doc, text, &limits, &v) != REASON_OK || v->type != JSON_OBJECT ||
        !json_get(v, "parameters"))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct json_doc *doc;
    struct buf got = BUF_INIT(16 << 20);
    unsigned asked = 1, answered = 0;
    if (!doc)
        doc = json_doc_new();
    for (size_t i = 1; i < n; i++)
        asked += data[i] == 0;
    fuzz_door(DOOR_VARLINK, data, n, &got);
    struct span rest = buf_span(&got);
    while (doc && rest.n > 0) {
        size_t end = span_find(rest, '\0');
        if (end == rest.n)
            abort();
        check_answer(doc, (struct span){rest.p, end});
        rest = span_skip(rest, end + 1);
        answered++;
    }
    if (answered > asked)
        abort();
    buf_done(&got);
    return 0;
}
