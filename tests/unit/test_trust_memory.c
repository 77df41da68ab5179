/* SPDX-License-Identifier: Apache-2.0 */
/* Rule R45: each allocation of each call fails, alone and with all that follow. The call then says
 * so and nothing else (above all it never says that a signature is wrong or a file is damaged),
 * leaks nothing, and works again afterwards. mk/tests.mk links this program with --wrap for the
 * functions of libc below. */
#include "metadata.h"
#include "mint.h"
#include "pool_member.h"
#include "rollover.h"
#include "settings_of.h"
#include "sightings.h"
#include "state.h"
#include "update.h"
#include "verdict.h"

#include "trust_fixture.h"

#include <openssl/crypto.h>

#define NOW (T0 + DAY)
#define TEXT_MAX ((size_t)65536)

/* The failing allocator. */

static struct {
    bool armed;
    bool dry;   /* all fail from then on, else one does */
    long left;  /* allocations until then */
    bool fired; /* it came to that */
} heap;

static bool starve(void)
{
    if (!heap.armed || heap.left-- > 0)
        return false;
    const bool now = heap.dry || !heap.fired;
    heap.fired = true;
    return now;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t n);
void *__real_reallocarray(void *old, size_t n, size_t size);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t n);
void *__wrap_reallocarray(void *old, size_t n, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);

void *__wrap_malloc(size_t n)
{
    return starve() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return starve() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t n)
{
    return starve() ? NULL : __real_realloc(old, n);
}

void *__wrap_reallocarray(void *old, size_t n, size_t size)
{
    return starve() ? NULL : __real_reallocarray(old, n, size);
}

char *__wrap_strdup(const char *s)
{
    return starve() ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t n)
{
    return starve() ? NULL : __real_strndup(s, n);
}

/* OpenSSL's, so that its failures are among them. */

static void *ssl_malloc(size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return __wrap_malloc(n);
}

static void *ssl_realloc(void *old, size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return __wrap_realloc(old, n);
}

static void ssl_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    free(p);
}

/* The world: two servers, of which this is one; made before anything fails. */

static const char conf[] = "[Identity]\n"
                           "ApplicationId=00000002-0000-0ff1-ce00-000000000000\n"
                           "Realm=contoso.com\n"
                           "Hosts=mail.contoso.com\n"
                           "[Partner lync]\n"
                           "ApplicationId=00000004-0000-0ff1-ce00-000000000000\n"
                           "Realm=lync.contoso.com\n"
                           "MetadataURL=https://lync.contoso.com/metadata/json/1\n"
                           "Trust=full\n"
                           "PermittedUsers=*@contoso.com\n"
                           "[Client pbx]\n"
                           "User=0\n"
                           "Allow=mint\n"
                           "ActAs=*@contoso.com\n"
                           "Delegation=yes\n";

static struct identity them = {.app_id = (char[]){"00000004-0000-0ff1-ce00-000000000000"},
    .realm = (char[]){"lync.contoso.com"},
    .name = (char[]){"them"},
    .service_name = (char[]){"00000004-0000-0ff1-ce00-000000000000"},
    .issuer = (char[]){"00000004-0000-0ff1-ce00-000000000000@lync.contoso.com"}};
static struct partner us = {
    .app_id = (char[]){"00000002-0000-0ff1-ce00-000000000000"}, .realm = (char[]){"contoso.com"}};

static struct settings *settings;
static struct signkey *key;
static struct store *store;
static struct partner_trust *trust;
static struct check_scratch *scratch;
static struct minted token;
static struct buf document, pool_document, member_text, ring_text, state_text, key_text,
    settings_text;

static struct mint_order order_of(const struct identity *from, const struct partner *to)
{
    return (struct mint_order){.identity = from,
        .partner = to,
        .host = "mail.contoso.com",
        .user_kind = USER_UPN,
        .user = SPAN("ken@contoso.com"),
        .lifetime_s = 600,
        .now = NOW};
}

static struct metadata metadata_of_key(void)
{
    static struct cert own;
    own = *signkey_cert(key);
    return (struct metadata){.certs = {&own}, .n_certs = 1};
}

static void must(bool good)
{
    if (!good)
        abort();
}

static const uint8_t member_id[METADATA_MEMBER_LEN] = {7};
#define MEMBER_URL "https://node1.contoso.com/metadata/json/1"

/* A fellow of `them`, its document and its state file. */
static void make_member(void)
{
    const struct cert *certs[] = {signkey_cert(key)};
    const struct metadata_own own = {.identity = &them,
        .url = MEMBER_URL,
        .certs = certs,
        .n_certs = 1,
        .member = member_id,
        .n_own = 1};
    struct pool_member m = {
        .url = (char[]){MEMBER_URL}, .own = {(struct cert *)(uintptr_t)certs[0]}, .n_own = 1};
    pool_document = BUF_INIT(TEXT_MAX);
    member_text = BUF_INIT(POOL_STATE_MAX);
    must(metadata_render(&own, &pool_document) == REASON_OK);
    pool_member_print(&m, &member_text);
    must(!member_text.failed);
}

static void make_texts(void)
{
    const struct cert *certs[] = {signkey_cert(key)};
    const struct metadata_own own = {.identity = &them,
        .url = "https://lync.contoso.com/metadata/json/1",
        .certs = certs,
        .n_certs = 1};
    document = ring_text = state_text = BUF_INIT(TEXT_MAX);
    key_text = (struct buf){.max = TEXT_MAX, .secret = true};
    must(metadata_render(&own, &document) == REASON_OK);
    must(signkey_to_pem(key, &key_text) == REASON_OK);
    struct keyring ring = {0};
    must(rollover_first(&ring, certs[0], NOW) == REASON_OK);
    keyring_print(&ring, &ring_text);
    keyring_done(&ring);
    struct partner_state state = {.trust = *trust, .document = document};
    must(partner_state_note(&state, NOW, "made") == REASON_OK);
    must(partner_state_print(&state, &state_text) == REASON_OK);
    free(state.history);
    make_member();
    settings_text = BUF_INIT(TEXT_MAX);
    settings_print(settings, &settings_text);
    must(!ring_text.failed && !settings_text.failed);
}

static const struct update_rules plain;

static void world_make(void)
{
    struct update_changes changes;
    settings = settings_of(conf);
    key = fixture_signkey("them", T0, T0 + 100 * DAY);
    store = store_new();
    scratch = check_scratch_new();
    trust = calloc(1, sizeof(*trust));
    must(store && scratch && trust);
    trust->name = strdup("lync");
    const struct metadata m = metadata_of_key();
    must(update_apply(trust, &m, &plain, NOW, &changes) == REASON_OK);
    must(store_put(store, trust) == REASON_OK);
    const struct mint_order order = order_of(&them, &us);
    must(mint_token(&order, key, &token) == REASON_OK);
    make_texts();
}

static void world_drop(void)
{
    settings_free(settings);
    store_free(store);
    check_scratch_free(scratch);
    partner_trust_freep(&trust);
    minted_done(&token);
    signkey_free(key);
    struct buf *const texts[] = {&document, &pool_document, &member_text, &ring_text, &state_text,
        &key_text, &settings_text};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        buf_done(texts[i]);
}

/* What is called. Each releases what it made; a text that could not be written is want of memory.
 * No assertion of Check in here: it would starve too. */

/* Nothing of it may be missing. */
static bool is_whole(const struct settings *s)
{
    CLEANUP(buf_done) struct buf b = BUF_INIT(TEXT_MAX);
    const bool armed = heap.armed;
    heap.armed = false;
    settings_print(s, &b);
    heap.armed = armed;
    return span_eq(buf_span(&b), buf_span(&settings_text));
}

static enum reason read_settings(void)
{
    CLEANUP(conf_set_done) struct conf_set set = {0};
    CLEANUP(conf_errors_done) struct conf_errors errors = {0};
    CLEANUP(settings_freep) struct settings *s = NULL;
    if (conf_parse(&set, "t.conf", SPAN(conf), &errors) < 0)
        return REASON_OUT_OF_MEMORY;
    if (settings_from_conf(&set, "", &errors, &s)) {
        must(is_whole(s));
        return REASON_OK;
    }
    /* nothing but memory may be complained about, when there was enough for a complaint */
    const bool memory = !errors.text.p || strstr(errors.text.p, "memory");
    return errors.count > 0 && memory ? REASON_OUT_OF_MEMORY : REASON_INTERNAL;
}

static enum reason written(struct buf *b)
{
    const bool failed = b->failed;
    buf_done(b);
    return failed ? REASON_OUT_OF_MEMORY : REASON_OK;
}

static enum reason print_settings(void)
{
    struct buf b = BUF_INIT(TEXT_MAX);
    settings_print(settings, &b);
    return written(&b);
}

static enum reason read_document(void)
{
    struct metadata m;
    enum reason r =
        metadata_parse(buf_span(&document), &settings->partners[0], &settings->identity, NOW, &m);
    must(r == REASON_OK || m.n_certs == 0);
    metadata_done(&m);
    return r;
}

/* What was known stays known, and the member is not called a stranger. */
static enum reason judge_member(void)
{
    static const uint8_t other_id[METADATA_MEMBER_LEN] = {8};
    const struct pool_us ours = {.identity = &them, .id = other_id};
    const struct pool_answer a = {
        .reason = REASON_OK, .status = 200, .body = buf_span(&pool_document)};
    struct pool_member m = {.last_reason = REASON_NEVER_FETCHED};
    struct pool_change change;
    pool_member_judge(&m, &ours, &a, NOW, &change);
    must((m.n_own == 1) == (change.reason == REASON_OK));
    pool_member_done(&m);
    return change.reason;
}

static enum reason read_member(void)
{
    struct pool_member m = {0};
    enum reason r = pool_member_scan(buf_span(&member_text), MEMBER_URL, &m);
    must((m.n_own == 1) == (r == REASON_OK));
    struct buf b = BUF_INIT(POOL_STATE_MAX);
    if (r == REASON_OK) {
        pool_member_print(&m, &b);
        r = written(&b);
    }
    pool_member_done(&m);
    return r;
}

static enum reason render_documents(void)
{
    const struct cert *certs[] = {signkey_cert(key)};
    const struct metadata_own own = {.identity = &them,
        .url = "https://lync.contoso.com/metadata/json/1",
        .certs = certs,
        .n_certs = 1};
    CLEANUP(buf_done) struct buf b = BUF_INIT(TEXT_MAX);
    enum reason r = metadata_render(&own, &b);
    if (r == REASON_OK)
        r = metadata_render_jwks(&own, &b);
    return r == REASON_OK ? metadata_render_openid(&own, &b) : r;
}

static enum reason apply_document(void)
{
    CLEANUP(partner_trust_freep) struct partner_trust *t = NULL;
    struct update_changes changes;
    const struct metadata m = metadata_of_key();
    enum reason r = partner_trust_copy(trust, &t);
    if (r != REASON_OK)
        return r;
    r = update_apply(t, &m, &plain, NOW + 1, &changes);
    must(t->n_keys == 1);
    must(t->good_at == (r == REASON_OK ? NOW + 1 : NOW));
    return r;
}

static enum reason put_into_store(void)
{
    CLEANUP(store_freep) struct store *st = store_new();
    if (!st)
        return REASON_OUT_OF_MEMORY;
    enum reason r = store_put(st, trust);
    must((store_get(st, SPAN("lync")) != NULL) == (r == REASON_OK));
    return r;
}

/* With a key that nothing was verified by yet: OpenSSL's objects are made on the way. */
static enum reason judge_token(void)
{
    CLEANUP(check_scratch_freep) struct check_scratch *fresh = check_scratch_new();
    CLEANUP(store_freep) struct store *st = store_new();
    CLEANUP(partner_trust_freep) struct partner_trust *t = NULL;
    CLEANUP(cert_freep) struct cert *c = NULL;
    struct token_checked v;
    if (!fresh || !st)
        return REASON_OUT_OF_MEMORY;
    enum reason r = cert_parse_pem(buf_span(&key_text), &c);
    if (r == REASON_OK)
        r = partner_trust_copy(trust, &t);
    if (r != REASON_OK)
        return r;
    pubkey_free(t->keys[0].key);
    t->keys[0].key = pubkey_ref(c->key);
    r = store_put(st, t);
    if (r != REASON_OK)
        return r;
    const struct check_against against = {.settings = settings, .store = st, .now = NOW};
    r = check_token(fresh, &against, buf_span(&token.token), &v);
    must(v.signature_believed == (v.step > STEP_SIGNATURE));
    return r;
}

static enum reason tell_verdict(void)
{
    struct token_checked v;
    struct json_out j;
    struct buf b = BUF_INIT(TEXT_MAX);
    const struct check_against against = {.settings = settings, .store = store, .now = NOW};
    enum reason r = check_token(scratch, &against, buf_span(&token.token), &v);
    json_out_start(&j, &b);
    json_out_object(&j, NULL);
    verdict_put(&j, &v, NOW, true);
    json_out_object_end(&j);
    enum reason told = written(&b);
    return r == REASON_OK ? told : r;
}

static enum reason mint_one(void)
{
    struct minted m = {0};
    const struct mint_order order = order_of(&settings->identity, &settings->partners[0]);
    enum reason r = mint_token(&order, key, &m);
    must((m.token.p != NULL) == (r == REASON_OK));
    minted_done(&m);
    return r;
}

static enum reason set_ring(void)
{
    CLEANUP(keyring_done) struct keyring ring = {0};
    enum reason r = rollover_first(&ring, signkey_cert(key), NOW);
    must(ring.n == (r == REASON_OK));
    return r;
}

static enum reason read_ring(void)
{
    CLEANUP(keyring_done) struct keyring ring = {0};
    return keyring_scan(buf_span(&ring_text), &ring);
}

/* Enough partners to make the list grow. */
static enum reason note_sightings(struct sightings *s)
{
    bool changed;
    char name[16];
    enum reason r = REASON_OK;
    for (int i = 0; i < 40 && r == REASON_OK; i++) {
        snprintf(name, sizeof(name), "p%d", i);
        r = sightings_note(
            s, span_of(name), signkey_cert(key)->x5t_s256, SIGHTING_FETCHED, NOW, &changed);
    }
    return r;
}

static enum reason write_sightings(void)
{
    CLEANUP(sightings_done) struct sightings s = {0};
    struct buf b = BUF_INIT(TEXT_MAX);
    enum reason r = note_sightings(&s);
    sightings_print(&s, &b);
    enum reason told = written(&b);
    return r == REASON_OK ? told : r;
}

static enum reason read_sightings(void)
{
    static struct buf text;
    CLEANUP(sightings_done) struct sightings back = {0};
    if (!text.p) { /* the first call is not starved */
        CLEANUP(sightings_done) struct sightings s = {0};
        text = BUF_INIT(TEXT_MAX);
        must(note_sightings(&s) == REASON_OK);
        sightings_print(&s, &text);
    }
    enum reason r = sightings_scan(buf_span(&text), &back);
    must((back.n == 40) == (r == REASON_OK) && (r == REASON_OK || back.list == NULL));
    return r;
}

static enum reason read_state(void)
{
    struct partner_state state = {0};
    enum reason r = partner_state_scan(buf_span(&state_text), SPAN("lync"), &state);
    partner_state_done(&state);
    return r;
}

static enum reason print_state(void)
{
    struct partner_state state = {.trust = *trust, .document = document};
    CLEANUP(buf_done) struct buf b = BUF_INIT(TEXT_MAX);
    return partner_state_print(&state, &b);
}

static enum reason read_key(void)
{
    CLEANUP(signkey_freep) struct signkey *k = NULL;
    return signkey_from_pem(buf_span(&key_text), &k);
}

static enum reason print_key(void)
{
    CLEANUP(buf_done) struct buf b = {.max = TEXT_MAX, .secret = true};
    return signkey_to_pem(key, &b);
}

static const struct {
    const char *name;
    enum reason (*call)(void);
    long stride;      /* every so many allocations: OpenSSL makes thousands to read a key */
    enum reason also; /* now and then OpenSSL does not say that it was memory */
} calls[] = {
    {"read_settings", read_settings, 1, REASON_OUT_OF_MEMORY},
    {"print_settings", print_settings, 1, REASON_OUT_OF_MEMORY},
    {"read_document", read_document, 1, REASON_OUT_OF_MEMORY},
    {"render_documents", render_documents, 1, REASON_OUT_OF_MEMORY},
    {"apply_document", apply_document, 1, REASON_OUT_OF_MEMORY},
    {"put_into_store", put_into_store, 1, REASON_OUT_OF_MEMORY},
    {"judge_token", judge_token, 1, REASON_SIGNATURE},
    {"tell_verdict", tell_verdict, 1, REASON_OUT_OF_MEMORY},
    {"mint_one", mint_one, 1, REASON_INTERNAL},
    {"set_ring", set_ring, 1, REASON_OUT_OF_MEMORY},
    {"read_ring", read_ring, 1, REASON_OUT_OF_MEMORY},
    {"judge_member", judge_member, 1, REASON_OUT_OF_MEMORY},
    {"read_member", read_member, 1, REASON_OUT_OF_MEMORY},
    {"write_sightings", write_sightings, 1, REASON_OUT_OF_MEMORY},
    {"read_sightings", read_sightings, 1, REASON_OUT_OF_MEMORY},
    {"read_state", read_state, 1, REASON_OUT_OF_MEMORY},
    {"print_state", print_state, 1, REASON_OUT_OF_MEMORY},
    {"read_key", read_key, 151, REASON_KEY_FORM},
    {"print_key", print_key, 29, REASON_OUT_OF_MEMORY},
};

static enum reason call_starved(int i, bool dry, long n)
{
    heap.dry = dry;
    heap.fired = false;
    heap.left = n;
    heap.armed = true;
    const enum reason r = calls[i].call();
    heap.armed = false;
    ck_assert_msg(r == REASON_OK || r == REASON_OUT_OF_MEMORY || r == calls[i].also,
        "%s, allocation %ld: %s", calls[i].name, n, reason_code(r));
    ck_assert(heap.fired || r == REASON_OK);
    return r;
}

static void starve_everywhere(int i, bool dry)
{
    long failures = 0, unexplained = 0, n = 0;
    do {
        const enum reason r = call_starved(i, dry, n);
        failures += r != REASON_OK;
        unexplained += r != REASON_OK && r != REASON_OUT_OF_MEMORY;
        ck_assert_int_eq(calls[i].call(), REASON_OK);
        n += calls[i].stride;
    } while (heap.fired);
    ck_assert_int_gt(failures, 0);
    if (dry)
        ck_assert_int_le(unexplained * 10, failures);
}

START_TEST(every_allocation_may_fail)
{
    ck_assert_int_eq(calls[_i].call(), REASON_OK); /* what is made once is made now */
    starve_everywhere(_i, false);
    starve_everywhere(_i, true);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_loop_test(tc, every_allocation_may_fail, 0, ARRAY_LEN(calls));
}

int main(void)
{
    if (CRYPTO_set_mem_functions(ssl_malloc, ssl_realloc, ssl_free) != 1)
        return EXIT_FAILURE;
    world_make();
    const int result = unit_run("trust_memory", add);
    world_drop();
    return result;
}
