/* SPDX-License-Identifier: Apache-2.0 */
/* What another member of our pool says, and what we read back of our own about it. The first byte
 * says which: a document, a state file, or the body of one that is still to be sealed. Whatever
 * comes, no more is taken than a ring holds, the union fits into a document, and a state file that
 * is accepted prints to one that reads the same. */
#include "cleanup.h"
#include "pool_member.h"
#include "sealed_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define NOW 1795500000
#define URL "https://node1.contoso.com/metadata/json/1"

enum kind { DOCUMENT, STATE_FILE, STATE_BODY, KINDS };

static struct identity identity = {.app_id = (char[]){"00000004-0000-0ff1-ce00-000000000000"},
    .realm = (char[]){"contoso.com"},
    .issuer = (char[]){"00000004-0000-0ff1-ce00-000000000000@contoso.com"}};

static void must(bool promise)
{
    if (!promise)
        abort();
}

static void look_at(const struct pool_member *m)
{
    const struct pool_member *const list[] = {m};
    const struct pool_view v = {list, 1, 7 * 86400, NOW};
    const struct cert *out[METADATA_KEYS_MAX];
    size_t left_out;
    char why[64];
    must(m->n_own <= POOL_OWN_KEYS_MAX && m->n_published <= METADATA_KEYS_MAX);
    must(pool_union(&v, NULL, out, &left_out) + left_out <= m->n_own);
    for (size_t i = 0; i < m->n_own; i++)
        (void)pool_is_everywhere(&v, m->own[i]->x5t_s256, why, sizeof(why));
    must(pool_state_name(pool_member_state(m, 1, NOW)) != NULL);
}

static void state(struct span text)
{
    CLEANUP(pool_member_done) struct pool_member m = {0};
    CLEANUP(pool_member_done) struct pool_member back = {0};
    CLEANUP(buf_done) struct buf one = BUF_INIT(POOL_STATE_MAX + 1024);
    CLEANUP(buf_done) struct buf two = BUF_INIT(POOL_STATE_MAX + 1024);
    if (pool_member_scan(text, URL, &m) != REASON_OK)
        return;
    look_at(&m);
    pool_member_print(&m, &one);
    must(!one.failed && pool_member_scan(buf_span(&one), URL, &back) == REASON_OK);
    pool_member_print(&back, &two);
    must(span_eq(buf_span(&one), buf_span(&two)));
}

static void document(struct span body)
{
    static const uint8_t id[METADATA_MEMBER_LEN] = {1};
    const struct pool_us us = {.identity = &identity, .id = id};
    const struct pool_answer a = {.reason = REASON_OK, .status = 200, .body = body};
    CLEANUP(pool_member_done)
    struct pool_member m = {.url = strdup(URL), .last_reason = REASON_NEVER_FETCHED};
    struct pool_change change;
    pool_member_judge(&m, &us, &a, NOW, &change);
    must((change.reason == REASON_OK) == (m.n_own > 0));
    for (const char *p = m.last_detail; *p; p++)
        must(*p >= ' ' && *p <= '~');
    look_at(&m);
    pool_member_judge(&m, &us, &a, NOW + 1, &change);
    must(!change.keys && !change.published && !change.another_server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0)
        return 0;
    struct span rest = span_bytes(data + 1, n - 1);
    CLEANUP(buf_done) struct buf text = BUF_INIT(POOL_STATE_MAX);
    switch ((enum kind)(data[0] % KINDS)) {
    case DOCUMENT:
        document(rest);
        break;
    case STATE_FILE:
        state(rest);
        break;
    case STATE_BODY:
        sealed_put(&text, "s2sd pool member 1", NULL, rest);
        if (!text.failed)
            state(buf_span(&text));
        break;
    case KINDS:
        break;
    }
    return 0;
}
