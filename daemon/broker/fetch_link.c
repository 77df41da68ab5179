/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch_link.h"

#include "cleanup.h"
#include "file.h"
#include "log.h"
#include "relink.h"

#include <sys/queue.h>

/* How long a request waits for a fetcher that is away, and what is added to its own time limit
 * before the fetcher is taken for dead. */
#define FETCH_AWAY_MS 3000
#define FETCH_GRACE_MS 2000
#define FETCH_SENDS_MAX 2

struct fetch {
    LIST_ENTRY(fetch) next;
    struct fetch_link *fl;
    fetch_done_fn *on_done;
    void *arg;
    struct event *deadline;
    uint32_t id;         /* on the present link; 0: not sent */
    unsigned sends;      /* how often it was */
    bool is_asking;      /* the signer ... */
    uint32_t asked_id;   /* ... with this question */
    char partner[256];   /* for the log */
    struct buf announce; /* its answer, secret; empty: none */
    uint32_t timeout_ms, max_bytes;
    size_t frame_len;
    uint8_t *frame; /* FRAME_HEAD and fields, ready but for the id */
};

struct fetch_link {
    struct event_base *base;
    struct relink *relink;
    fetch_sign_fn *sign; /* NULL: there is no signer to ask */
    void *sign_arg;
    LIST_HEAD(, fetch) all;
};

static void fetch_free(struct fetch *f)
{
    LIST_REMOVE(f, next);
    event_free(f->deadline);
    buf_done(&f->announce);
    free(f->frame);
    free(f);
}

void fetch_cancel(struct fetch *f)
{
    if (f)
        fetch_free(f);
}

/* Answers and forgets. */
static void fetch_end(struct fetch *f, const struct msg_fetched *a, struct span body)
{
    fetch_done_fn *on_done = f->on_done;
    void *arg = f->arg;
    fetch_free(f);
    on_done(a, body, arg);
}

static void fetch_fail(struct fetch *f, enum reason reason, const char *detail)
{
    struct msg_fetched a = {
        .reason = reason, .max_age_s = -1, .retry_after_s = -1, .detail = span_of(detail)};
    fetch_end(f, &a, SPAN(""));
}

static void set_deadline(struct fetch *f, uint32_t ms)
{
    struct timeval wait = {ms / 1000, (long)(ms % 1000) * 1000};
    if (event_add(f->deadline, &wait) < 0)
        log_err("fetcher: no memory for a timer");
}

static void fetch_go(struct fetch *f);

static void on_deadline(evutil_socket_t unused, short what, void *arg)
{
    struct fetch *f = arg;
    (void)unused;
    (void)what;
    if (f->is_asking) {
        log_info(
            "partner %s: the signer has no announcement in time, fetching without", f->partner);
        fetch_go(f);
    } else if (f->id)
        fetch_fail(f, REASON_FETCH_AWAY, "the fetcher has not answered in time");
    else
        fetch_fail(f, REASON_FETCH_AWAY, "no link to the fetcher");
}

/* Puts the id of this link into the finished frame and sends it. */
static void fetch_send(struct fetch *f)
{
    struct link *l = relink_link(f->fl->relink);
    if (!l || f->id || f->is_asking || f->sends == FETCH_SENDS_MAX)
        return;
    struct frame_in in;
    uint8_t room[FRAME_MAX];
    struct frame_out out;
    struct msg_fetch m;
    if (!frame_open(&in, f->frame, f->frame_len) || !msg_fetch_get(&in, &m))
        return;
    uint32_t id = link_next_id(l);
    m.announce = buf_span(&f->announce);
    frame_start(&out, room, sizeof(room), MSG_FETCH, id);
    msg_fetch_put(&out, &m);
    int r = link_send(l, &out, -1);
    explicit_bzero(room, sizeof(room));
    if (r < 0)
        return; /* the deadline answers */
    f->id = id;
    f->sends++;
    set_deadline(f, f->timeout_ms + FETCH_GRACE_MS);
}

/* Nothing more is waited for: to the fetcher with what there is. */
static void fetch_go(struct fetch *f)
{
    f->is_asking = false;
    set_deadline(f, FETCH_AWAY_MS);
    fetch_send(f);
}

static void on_up(void *arg)
{
    struct fetch_link *fl = arg;
    struct fetch *f;
    LIST_FOREACH (f, &fl->all, next)
        fetch_send(f);
}

static void on_down(void *arg)
{
    struct fetch_link *fl = arg;
    struct fetch *f;
    LIST_FOREACH (f, &fl->all, next) {
        if (!f->id)
            continue;
        f->id = 0;
        set_deadline(f, FETCH_AWAY_MS);
    }
}

static struct fetch *fetch_of(struct fetch_link *fl, uint32_t id)
{
    struct fetch *f;
    LIST_FOREACH (f, &fl->all, next)
        if (f->id == id && id != 0)
            return f;
    return NULL;
}

/* A document comes as sealed memory, no larger than asked for; anything else with status 200 is the
 * fetcher's mistake. */
static void take_answer(struct fetch *f, const struct msg_fetched *m, int fd)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(f->max_bytes);
    if (m->reason == REASON_OK && m->status == 200) {
        if (fd < 0 || file_read_memfd(fd, body.max, &body) < 0) {
            fetch_fail(f, REASON_INTERNAL, "the fetcher's document cannot be read");
            return;
        }
    }
    fetch_end(f, m, buf_span(&body));
}

static void on_frame(struct frame_in *in, int *fd, void *arg)
{
    struct fetch_link *fl = arg;
    struct link *l = relink_link(fl->relink);
    struct msg_fetched m;
    CLEANUP(closep) int body = TAKE_FD(*fd);
    struct fetch *f = fetch_of(fl, in->id);
    if (in->type != MSG_FETCHED || !f) {
        link_drop(l, "not an answer to a request of ours");
        return;
    }
    if (!msg_fetched_get(in, &m)) {
        link_drop(l, "a malformed answer of the fetcher");
        fetch_fail(f, REASON_INTERNAL, "the fetcher's answer cannot be read");
        return;
    }
    relink_alive(fl->relink);
    take_answer(f, &m, body);
}

static struct fetch *fetch_new(
    struct fetch_link *fl, const struct msg_fetch *m, fetch_done_fn *on_done, void *arg)
{
    uint8_t room[FRAME_MAX];
    struct frame_out out;
    frame_start(&out, room, sizeof(room), MSG_FETCH, 0);
    msg_fetch_put(&out, m);
    struct fetch *f = calloc(1, sizeof(*f));
    if (!f)
        return NULL;
    *f = (struct fetch){.fl = fl,
        .on_done = on_done,
        .arg = arg,
        .timeout_ms = m->timeout_ms,
        .max_bytes = m->max_bytes,
        .announce = {.max = FRAME_MAX / 2, .secret = true}};
    f->frame_len = frame_finish(&out);
    f->frame = f->frame_len ? malloc(f->frame_len) : NULL;
    f->deadline = evtimer_new(fl->base, on_deadline, f);
    if (!f->frame || !f->deadline) {
        if (f->deadline)
            event_free(f->deadline);
        free(f->frame);
        free(f);
        return NULL;
    }
    memcpy(f->frame, room, f->frame_len);
    LIST_INSERT_HEAD(&fl->all, f, next);
    return f;
}

struct fetch *fetch_start(
    struct fetch_link *fl, const struct msg_fetch *m, fetch_done_fn *on_done, void *arg)
{
    struct fetch *f = fetch_new(fl, m, on_done, arg);
    if (f)
        fetch_go(f);
    return f;
}

struct fetch *fetch_start_announced(struct fetch_link *fl, const struct msg_fetch *m,
    const struct msg_sign *sign, fetch_done_fn *on_done, void *arg)
{
    struct fetch *f = fetch_new(fl, m, on_done, arg);
    if (!f)
        return NULL;
    snprintf(f->partner, sizeof(f->partner), "%.*s", (int)sign->partner.n, sign->partner.p);
    f->is_asking = fl->sign && fl->sign(sign, &f->asked_id, fl->sign_arg) == 0;
    if (f->is_asking)
        set_deadline(f, FETCH_SIGN_MS);
    else
        fetch_go(f);
    return f;
}

void fetch_link_signer(struct fetch_link *fl, fetch_sign_fn *sign, void *arg)
{
    fl->sign = sign;
    fl->sign_arg = arg;
}

void fetch_link_signed(struct fetch_link *fl, uint32_t id, const struct msg_signed *m)
{
    struct fetch *f;
    LIST_FOREACH (f, &fl->all, next)
        if (f->is_asking && f->asked_id == id)
            break;
    if (!f)
        return;
    if (m->reason == REASON_OK)
        buf_put_span(&f->announce, m->token);
    else
        log_info("partner %s: the signer does not announce us: %s; fetching without", f->partner,
            reason_sentence(m->reason));
    if (f->announce.failed)
        buf_reset(&f->announce);
    fetch_go(f);
}

void fetch_link_signer_lost(struct fetch_link *fl)
{
    struct fetch *f;
    LIST_FOREACH (f, &fl->all, next)
        if (f->is_asking)
            fetch_go(f);
}

bool fetch_link_up(const struct fetch_link *fl)
{
    return relink_link(fl->relink) != NULL;
}

uint64_t fetch_link_dropped(const struct fetch_link *fl)
{
    return relink_dropped(fl->relink);
}

struct fetch_link *fetch_link_new(struct event_base *base, const char *runtime_dir)
{
    static const struct relink_ops ops = {.on_up = on_up, .on_frame = on_frame, .on_down = on_down};
    char path[4096];
    struct fetch_link *fl = calloc(1, sizeof(*fl));
    if (!fl)
        return NULL;
    snprintf(path, sizeof(path), "%s/fetcher.link", runtime_dir);
    fl->base = base;
    LIST_INIT(&fl->all);
    fl->relink = relink_new(base, path, "fetcher", &ops, fl);
    if (!fl->relink) {
        free(fl);
        return NULL;
    }
    return fl;
}

void fetch_link_free(struct fetch_link *fl)
{
    if (!fl)
        return;
    while (!LIST_EMPTY(&fl->all))
        fetch_free(LIST_FIRST(&fl->all));
    relink_free(fl->relink);
    free(fl);
}
