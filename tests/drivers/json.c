/* SPDX-License-Identifier: Apache-2.0 */
/* Judges the bodies of a corpus of JSON texts: ID<TAB>accept|reject for each line of standard
 * input. The corpus lines are read with the same reader. argv[1], the folder of policy.json, has no
 * meaning here. */
#include "json.h"
#include "b64.h"
#include "buf.h"
#include "cleanup.h"

#define LINE_MAX_BYTES ((size_t)8 * 1024 * 1024)
#define BODY_MAX_BYTES ((size_t)1024 * 1024) /* as of a partner's document */

/* The largest document of all that the daemon reads; the tightest members limit belongs to tokens.
 */
static const struct json_limits body_limits = {.bytes = BODY_MAX_BYTES};

static bool is_accepted(struct json_doc *doc, struct span body)
{
    const struct json_value *v;
    return json_parse(doc, body, &body_limits, &v) == REASON_OK;
}

/* One corpus line; false when it is not one. */
static bool judge(struct json_doc *lines, struct json_doc *bodies, struct span line)
{
    const struct json_limits limits = {.bytes = LINE_MAX_BYTES};
    const struct json_value *v;
    if (json_parse(lines, line, &limits, &v) != REASON_OK)
        return false;
    const struct json_value *id = json_get(v, "id"), *body = json_get(v, "body_b64");
    if (!id || id->type != JSON_STRING || !body || body->type != JSON_STRING)
        return false;
    CLEANUP(freep) uint8_t *bytes = malloc(B64_DECODED_MAX(body->text.n));
    long n = bytes ? b64_decode(body->text, bytes, B64_DECODED_MAX(body->text.n)) : -1;
    if (n < 0)
        return false;
    bool accepted = is_accepted(bodies, span_bytes(bytes, (size_t)n));
    printf("%.*s\t%s\n", (int)id->text.n, id->text.p, accepted ? "accept" : "reject");
    return true;
}

int main(void)
{
    CLEANUP(json_doc_freep) struct json_doc *lines = json_doc_new();
    CLEANUP(json_doc_freep) struct json_doc *bodies = json_doc_new();
    CLEANUP(freep) char *line = NULL;
    size_t cap = 0, number = 0;
    ssize_t n;
    if (!lines || !bodies)
        return 1;
    while ((n = getline(&line, &cap, stdin)) > 0) {
        number++;
        if (!judge(lines, bodies, (struct span){line, (size_t)n})) {
            fprintf(stderr, "line %zu is not a corpus line\n", number);
            return 1;
        }
    }
    return 0;
}
