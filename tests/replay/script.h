/* SPDX-License-Identifier: Apache-2.0 */
/* The partners of the replay tests: what the fetcher is asked for comes here instead, and is
 * answered as the script says. */
#pragma once

#include "buf.h"
#include "cleanup.h"
#include "fetch_link.h"
#include "metadata.h"
#include "signkey.h"
#include "unit/unit.h"

#define STAGE_KEYS 4

/* Made once for the whole program; the tests are forked off. */
static struct signkey *stage_keys[STAGE_KEYS];

/* What the script is asked for, instead of the fetcher. One request at a time for each partner. */
struct fetch {
    bool open;
    char url[256], etag[256], last_modified[64];
    fetch_done_fn *on_done;
    void *arg;
};
static struct fetch stage_fetches[16];
static unsigned stage_asked; /* requests so far */

struct fetch *fetch_start(
    struct fetch_link *fl, const struct msg_fetch *m, fetch_done_fn *on_done, void *arg)
{
    (void)fl;
    for (size_t i = 0; i < ARRAY_LEN(stage_fetches); i++) {
        struct fetch *f = &stage_fetches[i];
        if (f->open)
            continue;
        *f = (struct fetch){.open = true, .on_done = on_done, .arg = arg};
        snprintf(f->url, sizeof(f->url), "%.*s", (int)m->url.n, m->url.p);
        snprintf(f->etag, sizeof(f->etag), "%.*s", (int)m->etag.n, m->etag.n ? m->etag.p : "");
        snprintf(f->last_modified, sizeof(f->last_modified), "%.*s", (int)m->last_modified.n,
            m->last_modified.n ? m->last_modified.p : "");
        stage_asked++;
        return f;
    }
    abort();
}

struct fetch *fetch_start_announced(struct fetch_link *fl, const struct msg_fetch *m,
    const struct msg_sign *sign, fetch_done_fn *on_done, void *arg)
{
    (void)sign;
    return fetch_start(fl, m, on_done, arg);
}

void fetch_cancel(struct fetch *f)
{
    if (f)
        f->open = false;
}

/* The request that waits, NULL: none. */
static inline struct fetch *stage_request(void)
{
    for (size_t i = 0; i < ARRAY_LEN(stage_fetches); i++)
        if (stage_fetches[i].open)
            return &stage_fetches[i];
    return NULL;
}

/* The same where there must be one. */
static inline struct fetch *stage_open_request(void)
{
    struct fetch *f = stage_request();
    if (!f)
        ck_abort_msg("nobody has asked");
    return f;
}

/* Exchange's document with these of our keys, e.g. "01"; the caller frees. */
static inline char *stage_document(const char *app_id, const char *realm, const char *keys)
{
    struct buf b = BUF_INIT(METADATA_MAX);
    char issuer[128], app[64], real[64], name[] = "Exchange", host[] = "exch.contoso.example";
    char *hosts[] = {host};
    const struct cert *certs[STAGE_KEYS];
    snprintf(app, sizeof(app), "%s", app_id);
    snprintf(real, sizeof(real), "%s", realm);
    snprintf(issuer, sizeof(issuer), "%s@%s", app_id, realm);
    struct identity id = {.app_id = app,
        .realm = real,
        .name = name,
        .service_name = app,
        .issuer = issuer,
        .hosts = hosts,
        .n_hosts = 1};
    struct metadata_own own = {
        .identity = &id, .url = "https://exch.contoso.example/metadata/json/1", .certs = certs};
    for (; keys[own.n_certs]; own.n_certs++)
        certs[own.n_certs] = signkey_cert(stage_keys[keys[own.n_certs] - '0']);
    ck_assert_int_eq(metadata_render(&own, &b), REASON_OK);
    return buf_take(&b);
}

/* The partner's server answers the open request; `a` without body. */
static inline void stage_answer(struct msg_fetched a, const char *body)
{
    struct fetch *f = stage_open_request();
    f->open = false;
    f->on_done(&a, span_of(body), f->arg);
}

/* What the fetcher says of a status; `etag` of the answer, "" for none. */
static inline struct msg_fetched stage_status(unsigned status, const char *etag)
{
    bool good = status == 200 || status == 304;
    return (struct msg_fetched){.reason = good ? REASON_OK : REASON_FETCH_STATUS,
        .status = status,
        .etag = span_of(etag),
        .max_age_s = -1,
        .retry_after_s = -1};
}

/* 200 with exch's document of these keys. */
static inline void stage_answer_keys(const char *keys)
{
    CLEANUP(freep)
    char *doc = stage_document("00000002-0000-0ff1-ce00-000000000000", "contoso.example", keys);
    stage_answer(stage_status(200, ""), doc);
}

static inline void stage_answer_failure(enum reason reason)
{
    struct msg_fetched a = stage_status(0, "");
    a.reason = reason;
    stage_answer(a, "");
}
