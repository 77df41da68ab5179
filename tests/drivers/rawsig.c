/* SPDX-License-Identifier: Apache-2.0 */
/* rawsig.jsonl: jwk_read, then pubkey_verify_rs256 over the message. Lines of other algorithms than
 * RS256 are not judged in this edition: "ID skip". */
#include "cleanup.h"
#include "jwk.h"

#define LINE_MAX_BYTES (1024 * 1024)

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes into `room`, which holds at least half as many bytes; false when it is not hexadecimal.
 */
static bool unhex(const struct json_value *v, char *room, struct span *ret)
{
    if (!v || v->type != JSON_STRING || v->text.n % 2)
        return false;
    size_t n = v->text.n / 2;
    for (size_t i = 0; i < n; i++) {
        int high = hex_digit(v->text.p[2 * i]), low = hex_digit(v->text.p[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        room[i] = (char)(high << 4 | low);
    }
    *ret = (struct span){room, n};
    return true;
}

static bool verifies(const struct json_value *jwk, struct span message, struct span sig)
{
    struct jwk key = {0};
    if (jwk_read(jwk, &key) != REASON_OK)
        return false;
    bool good = pubkey_verify_rs256(key.key, message, sig) == REASON_OK;
    jwk_done(&key);
    return good;
}

/* False: not a line of the corpus. */
static bool judge(const struct json_value *object, char *message_room, char *sig_room)
{
    const struct json_value *id = json_get(object, "id"), *alg = json_get(object, "alg");
    const struct json_value *jwk = json_get(object, "jwk");
    struct span message, sig;
    if (!id || !alg || !jwk || !unhex(json_get(object, "msg_hex"), message_room, &message) ||
        !unhex(json_get(object, "sig_hex"), sig_room, &sig))
        return false;
    printf("%.*s\t", (int)id->text.n, id->text.p);
    if (!span_eq(alg->text, SPAN("RS256")))
        puts("skip");
    else
        puts(verifies(jwk, message, sig) ? "accept" : "reject");
    return true;
}

int main(void)
{
    static const struct json_limits limits = {.bytes = LINE_MAX_BYTES};
    static char message_room[LINE_MAX_BYTES / 2], sig_room[LINE_MAX_BYTES / 2];
    CLEANUP(json_doc_freep) struct json_doc *doc = json_doc_new();
    CLEANUP(freep) char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    while (doc && (n = getline(&line, &cap, stdin)) > 0) {
        const struct json_value *object;
        if (json_parse(doc, (struct span){line, (size_t)n}, &limits, &object) != REASON_OK ||
            !judge(object, message_room, sig_room)) {
            fprintf(stderr, "not a line of rawsig.jsonl: %.40s\n", line);
            return 1;
        }
    }
    return doc ? 0 : 1;
}
