/* SPDX-License-Identifier: Apache-2.0 */
/* keys.jsonl through jwk_read: "ID usable" or "ID unusable reason". Elliptic keys and PS256 belong
 * to the OpenID profile, which is not judged in this edition: "ID skip". */
#include "cleanup.h"
#include "jwk.h"

#define LINE_MAX_BYTES (1024 * 1024)

static bool is_text(const struct json_value *object, const char *name, const char *text)
{
    const struct json_value *v = json_get(object, name);
    return v && v->type == JSON_STRING && span_eq_str(v->text, text);
}

static bool is_of_other_profile(const struct json_value *jwk)
{
    return jwk->type == JSON_OBJECT && (is_text(jwk, "kty", "EC") || is_text(jwk, "kty", "OKP") ||
                                           is_text(jwk, "alg", "PS256"));
}

static void judge(const struct json_value *jwk)
{
    if (is_of_other_profile(jwk)) {
        puts("skip");
        return;
    }
    struct jwk key = {0};
    enum reason r = jwk_read(jwk, &key);
    if (r == REASON_OK)
        puts("usable");
    else
        printf("unusable\t%s\n", reason_code(r));
    jwk_done(&key);
}

int main(void)
{
    static const struct json_limits limits = {.bytes = LINE_MAX_BYTES};
    CLEANUP(json_doc_freep) struct json_doc *doc = json_doc_new();
    CLEANUP(freep) char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    while (doc && (n = getline(&line, &cap, stdin)) > 0) {
        const struct json_value *object, *id, *jwk;
        if (json_parse(doc, (struct span){line, (size_t)n}, &limits, &object) != REASON_OK ||
            !(id = json_get(object, "id")) || !(jwk = json_get(object, "jwk"))) {
            fprintf(stderr, "not a line of keys.jsonl: %.40s\n", line);
            return 1;
        }
        printf("%.*s\t", (int)id->text.n, id->text.p);
        judge(jwk);
    }
    return doc ? 0 : 1;
}
