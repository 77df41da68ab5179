/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at a token without believing it: every shape that can be decoded at all is shown. */
#include "ask.h"
#include "b64.h"
#include "commands.h"
#include "jws.h"
#include "show.h"
#include "token_input.h"

#include <stdlib.h>

/* Of an outer token and of its actor token. */
enum part { HEADER, CLAIMS, ACTOR_HEADER, ACTOR_CLAIMS, PART_COUNT };

struct inspection {
    struct ctl *ctl;
    struct json_doc *docs[PART_COUNT];
};

static void inspection_done(struct inspection *i)
{
    for (size_t p = 0; p < PART_COUNT; p++)
        json_doc_freep(&i->docs[p]);
}

static bool complain(struct inspection *i, const char *part, enum reason r)
{
    ctl_say(i->ctl, "the %s cannot be decoded: %s (%s)", part, reason_sentence(r), reason_code(r));
    return false;
}

/* base64url -> JSON object in the document of that part. */
static bool decode(struct inspection *i, struct span b64, enum part part, const char *name,
    const struct json_value **ret)
{
    const struct json_limits limits = {.bytes = JWS_TOKEN_MAX, .members = 1024};
    uint8_t bytes[B64_DECODED_MAX(JWS_TOKEN_MAX)];
    const struct json_value *v = NULL;
    long n = b64url_decode(b64, bytes, sizeof(bytes));
    if (n < 0)
        return complain(i, name, REASON_TOKEN_ENCODING);
    i->docs[part] = json_doc_new();
    if (!i->docs[part])
        return complain(i, name, REASON_OUT_OF_MEMORY);
    enum reason r = json_parse(i->docs[part], span_bytes(bytes, (size_t)n), &limits, &v);
    if (r != REASON_OK)
        return complain(i, name, r);
    if (v->type != JSON_OBJECT)
        return complain(i, name, REASON_JSON_FIELD);
    *ret = v;
    return true;
}

static size_t signature_len(struct span b64)
{
    uint8_t bytes[B64_DECODED_MAX(JWS_TOKEN_MAX)];
    long n = b64url_decode(b64, bytes, sizeof(bytes));
    /* One that cannot be decoded is a signature all the same, and no good one. */
    return n < 0 ? b64.n : (size_t)n;
}

static bool decode_whole(struct inspection *i, struct span token, struct decoded_token *t)
{
    struct jws_parts parts;
    enum reason r = jws_split(token, JWS_TOKEN_MAX, &parts);
    if (r != REASON_OK)
        return complain(i, "token", r);
    t->signature_len = signature_len(parts.signature);
    return decode(i, parts.header, HEADER, "header", &t->header) &&
           decode(i, parts.payload, CLAIMS, "claims", &t->claims);
}

static bool decode_actor(struct inspection *i, struct decoded_token *t)
{
    const struct json_value *actor = json_get(t->claims, "actortoken");
    struct jws_parts parts;
    if (!actor || actor->type != JSON_STRING)
        return true;
    enum reason r = jws_split(actor->text, JWS_TOKEN_MAX, &parts);
    if (r != REASON_OK)
        return complain(i, "actor token", r);
    t->actor_signature_len = signature_len(parts.signature);
    return decode(i, parts.header, ACTOR_HEADER, "header of the actor token", &t->actor_header) &&
           decode(i, parts.payload, ACTOR_CLAIMS, "claims of the actor token", &t->actor_claims);
}

static void put_token_json(struct ctl *ctl, const struct decoded_token *t)
{
    struct json_out j;
    json_out_start(&j, &ctl->out);
    json_out_object(&j, NULL);
    json_out_bool(&j, "checked", false);
    json_out_int(&j, "signatureLength", (int64_t)t->signature_len);
    put_json(&j, "header", t->header);
    put_json(&j, "claims", t->claims);
    if (t->actor_header) {
        json_out_object(&j, "actor");
        json_out_int(&j, "signatureLength", (int64_t)t->actor_signature_len);
        put_json(&j, "header", t->actor_header);
        put_json(&j, "claims", t->actor_claims);
        json_out_object_end(&j);
    }
    json_out_object_end(&j);
    buf_put_char(&ctl->out, '\n');
}

enum exit_status run_token_inspect(struct ctl *ctl)
{
    CLEANUP(inspection_done) struct inspection i = {.ctl = ctl};
    CLEANUP(buf_done) struct buf token = {0};
    struct decoded_token t = {0};
    enum exit_status status = token_input(ctl, &token);
    if (status != EXIT_YES)
        return status;
    if (!decode_whole(&i, buf_span(&token), &t) || !decode_actor(&i, &t))
        return EXIT_NO;
    if (has(&ctl->args, OPT_JSON))
        put_token_json(ctl, &t);
    else
        show_token(&ctl->style, &t, &ctl->out);
    return EXIT_YES;
}
