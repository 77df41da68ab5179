/* SPDX-License-Identifier: Apache-2.0 */
#include "http_conn.h"

#include "cleanup.h"
#include "clock.h"
#include "conn_io.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/socket.h>

/* After the last answer the peer gets this long to close (or to send what we will not read), so
 * that a reset does not eat the answer on its way (RFC 9112 section 9.6). */
#define LINGER_MS 2000
#define LINGER_BYTES ((size_t)1024 * 1024)
/* Shared bodies up to this length are copied behind their header: one TLS record, one write. */
#define SHARED_COPY_MAX ((size_t)16 * 1024)

enum phase {
    PHASE_HANDSHAKE,
    PHASE_IDLE,    /* between requests */
    PHASE_REQUEST, /* part of a request is here */
    PHASE_ANSWER,  /* the owner thinks */
    PHASE_DRAIN,   /* the peer takes its answers */
    PHASE_LINGER   /* everything said, waiting for the peer to close */
};

struct http_conn {
    struct bufferevent *bev;
    const struct http_conn_ops *ops;
    void *arg;
    struct conn_deadline deadline;
    struct http_reader reader;
    struct http_request req;
    struct buf out; /* answers of this wake-up */
    enum phase phase;
    unsigned served;
    size_t discarded; /* bytes read while lingering */
    bool in_flight;   /* req waits for its answer */
    bool reading;     /* EV_READ is enabled */
    bool closing;     /* nothing is read any more */
    bool eof;         /* the peer has ended its side */
    bool busy;        /* inside conn_process: the struct must stay */
    bool doomed;      /* ends when no longer busy */
    bool ended;       /* on_closed is running or has run */
};

void *http_conn_arg(const struct http_conn *c)
{
    return c->arg;
}

struct bufferevent *http_conn_bev(const struct http_conn *c)
{
    return c->bev;
}

const struct http_request *http_conn_request(const struct http_conn *c)
{
    return c->in_flight ? &c->req : NULL;
}

static void conn_end(struct http_conn *c)
{
    if (c->ended)
        return;
    if (c->busy) {
        c->doomed = true;
        return;
    }
    c->ended = true;
    if (c->ops->on_closed)
        c->ops->on_closed(c, c->arg);
    conn_deadline_done(&c->deadline);
    bufferevent_free(c->bev);
    buf_done(&c->out);
    free(c);
}

void http_conn_free(struct http_conn *c)
{
    if (c)
        conn_end(c);
}

/* Writing. */

/* The Date header's text (RFC 9110 5.6.7), made once a second. */
static const char *date_text(void)
{
    static const char days[] = "ThuFriSatSunMonTueWed";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    static char text[64];
    static int64_t of = -1;
    int64_t now = clock_wall_s();
    if (now == of || now < 0)
        return text;
    char iso[CLOCK_TEXT_LEN];
    clock_text(now, iso); /* 2026-11-24T12:00:00Z */
    unsigned month = (unsigned)(iso[5] - '0') * 10 + (unsigned)(iso[6] - '0');
    if (month < 1 || month > 12)
        return "";
    snprintf(text, sizeof text, "Date: %.3s, %.2s %.3s %.4s %.8s GMT\r\n",
        days + now / 86400 % 7 * 3, iso + 8, months + (month - 1) * (size_t)3, iso, iso + 11);
    of = now;
    return text;
}

static bool has_no_body(const struct http_conn *c, const struct http_answer *a)
{
    return (c->in_flight && c->req.method == HTTP_HEAD) || a->status == 304 || a->status == 204;
}

static void put_head(struct http_conn *c, const struct http_answer *a, bool close)
{
    struct buf *out = &c->out;
    buf_printf(out, "HTTP/1.1 %u %s\r\n", a->status, http_phrase(a->status));
    buf_put_str(out, date_text());
    if (a->content_type) {
        buf_put_str(out, "Content-Type: ");
        buf_put_str(out, a->content_type);
        buf_put_str(out, "\r\n");
    }
    if (a->status != 304 && a->status != 204)
        buf_printf(out, "Content-Length: %zu\r\n", a->shared ? a->shared_len : a->body.n);
    if (a->headers)
        buf_put_str(out, a->headers);
    if (close)
        buf_put_str(out, "Connection: close\r\n");
    else if (c->req.minor == 0)
        buf_put_str(out, "Connection: keep-alive\r\n");
    buf_put_str(out, "\r\n");
}

/* A large shared body goes by reference behind what is written so far; false: out of memory or peer
 * gone. */
static bool put_reference(struct http_conn *c, struct evbuffer *shared)
{
    if (conn_io_send(c->bev, &c->out, false) < 0)
        return false;
    return evbuffer_add_buffer_reference(bufferevent_get_output(c->bev), shared) == 0;
}

static bool put_body(struct http_conn *c, const struct http_answer *a)
{
    if (has_no_body(c, a))
        return true;
    if (!a->shared) {
        buf_put_span(&c->out, a->body);
        return true;
    }
    if (a->shared_len > SHARED_COPY_MAX)
        return put_reference(c, a->shared);
    char *room = buf_reserve(&c->out, a->shared_len);
    if (room && a->shared_len > 0) {
        if (evbuffer_copyout(a->shared, room, a->shared_len) != (ev_ssize_t)a->shared_len)
            return false;
        c->out.n += a->shared_len;
    }
    return room != NULL;
}

static void put_answer(struct http_conn *c, const struct http_answer *a, bool close)
{
    c->out.secret = c->out.secret || a->secret;
    put_head(c, a, close);
    if (!put_body(c, a) || c->out.failed)
        conn_end(c); /* busy: marks only */
    if (close)
        c->closing = true;
}

/* Answers without the owner: the reader or the clock says no. Always closes. */
static void refuse(struct http_conn *c, unsigned status, const char *why)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT(4096);
    if (c->ops->refusal_body)
        c->ops->refusal_body(status, why, &body);
    struct http_answer a = {.status = status, .headers = c->ops->refusal_headers};
    if (body.n > 0 && !body.failed) {
        a.content_type = "application/json";
        a.body = buf_span(&body);
    }
    put_answer(c, &a, true);
}

/* Phases and their deadlines. */

static void set_phase(struct http_conn *c, enum phase phase)
{
    if (phase == PHASE_REQUEST && c->phase == PHASE_REQUEST)
        return; /* one total for the whole request */
    if (phase == PHASE_DRAIN && c->phase == PHASE_DRAIN)
        return;
    c->phase = phase;
    switch (phase) {
    case PHASE_HANDSHAKE:
    case PHASE_REQUEST:
        conn_deadline_set(&c->deadline, c->ops->request_timeout_ms);
        break;
    case PHASE_IDLE:
    case PHASE_DRAIN:
        conn_deadline_set(&c->deadline, c->ops->idle_timeout_ms);
        break;
    case PHASE_ANSWER:
        conn_deadline_set(&c->deadline, 0);
        break;
    case PHASE_LINGER:
        conn_deadline_set(&c->deadline, LINGER_MS);
        break;
    }
}

/* Above this the reader has always decided. */
static size_t input_max(const struct http_conn *c)
{
    return c->ops->limits.header_max + c->ops->limits.body_max + 1024;
}

/* The request's spans point into the input, so nothing is read while it is in flight. And input
 * above the watermark that nobody takes must not stay enabled: libevent 2.1 would call our read
 * callback again and again (bufferevent_inbuf_wm_check). */
static void set_reading(struct http_conn *c)
{
    bool want = !c->in_flight && evbuffer_get_length(bufferevent_get_input(c->bev)) < input_max(c);
    if (want == c->reading || c->eof)
        return;
    c->reading = want;
    if (want)
        (void)bufferevent_enable(c->bev, EV_READ);
    else
        (void)bufferevent_disable(c->bev, EV_READ);
}

static void start_linger(struct http_conn *c)
{
    if (c->phase == PHASE_LINGER)
        return;
    if (c->ops->shut)
        c->ops->shut(c->bev);
    else if (bufferevent_getfd(c->bev) >= 0)
        (void)shutdown(bufferevent_getfd(c->bev), SHUT_WR);
    if (c->eof || bufferevent_getfd(c->bev) < 0) {
        conn_end(c);
        return;
    }
    evbuffer_drain(
        bufferevent_get_input(c->bev), evbuffer_get_length(bufferevent_get_input(c->bev)));
    set_phase(c, PHASE_LINGER);
    set_reading(c);
}

/* Decides what the connection waits for. May end it. */
static void settle(struct http_conn *c)
{
    set_reading(c);
    if (c->in_flight)
        set_phase(c, PHASE_ANSWER);
    else if (conn_io_waiting(c->bev) > 0)
        set_phase(c, PHASE_DRAIN);
    else if (c->closing)
        start_linger(c);
    else if (c->eof)
        conn_end(c);
    else if (evbuffer_get_length(bufferevent_get_input(c->bev)) > 0)
        set_phase(c, PHASE_REQUEST);
    else
        set_phase(c, PHASE_IDLE);
}

/* Reading. */

static bool wants_next(const struct http_conn *c)
{
    return !c->in_flight && !c->closing && !c->doomed;
}

static bool is_paused(const struct http_conn *c)
{
    return conn_io_waiting(c->bev) + c->out.n > CONN_PAUSE;
}

/* Takes one request out of the input; false when there is no whole one. */
static bool read_one(struct http_conn *c)
{
    struct evbuffer *in = bufferevent_get_input(c->bev);
    size_t n = evbuffer_get_length(in);
    if (n == 0)
        return false;
    const unsigned char *bytes = evbuffer_pullup(in, -1);
    if (!bytes) {
        c->doomed = true;
        return false;
    }
    switch (http_read(&c->reader, span_bytes(bytes, n), &c->ops->limits, &c->req)) {
    case HTTP_MORE:
        return false;
    case HTTP_REFUSED:
        refuse(c, c->reader.status, c->reader.why);
        return false;
    case HTTP_DONE:
        break;
    }
    c->served++;
    c->in_flight = true;
    c->ops->on_request(c, &c->req, c->arg);
    return true;
}

/* Answers what is here, writes all answers with one write, and goes on while the peer takes them.
 */
static void conn_process(struct http_conn *c)
{
    bool paused = true;
    while (paused && conn_io_waiting(c->bev) <= CONN_PAUSE) {
        c->busy = true;
        while (wants_next(c) && !is_paused(c) && read_one(c))
            ;
        c->busy = false;
        paused = wants_next(c) && is_paused(c);
        if (c->doomed || conn_io_send(c->bev, &c->out, c->ops->write_through) < 0) {
            conn_end(c);
            return;
        }
    }
    settle(c);
}

void http_conn_reply(struct http_conn *c, const struct http_answer *a)
{
    if (!c->in_flight || c->ended)
        return;
    bool was_busy = c->busy;
    c->busy = true;
    bool full = c->ops->max_requests > 0 && c->served >= c->ops->max_requests;
    put_answer(c, a, a->close || !c->req.keep_alive || full);
    evbuffer_drain(bufferevent_get_input(c->bev), c->req.consumed);
    c->in_flight = false;
    c->reader = (struct http_reader){0};
    c->phase = PHASE_IDLE; /* the next request has a clock of its own */
    c->busy = was_busy;
    if (!was_busy)
        conn_process(c);
}

void http_conn_refuse(struct http_conn *c, const struct http_answer *a)
{
    if (c->in_flight || c->closing || c->ended)
        return;
    bool was_busy = c->busy;
    c->busy = true;
    put_answer(c, a, true);
    c->busy = was_busy;
    if (!was_busy)
        conn_process(c);
}

static void on_read(struct bufferevent *bev, void *arg)
{
    struct http_conn *c = arg;
    struct evbuffer *in = bufferevent_get_input(bev);
    if (c->phase == PHASE_LINGER || c->closing) {
        size_t n = evbuffer_get_length(in);
        c->discarded += n;
        evbuffer_drain(in, n);
        if (c->discarded > LINGER_BYTES)
            conn_end(c);
        return;
    }
    if (c->in_flight)
        return;
    if (c->ops->write_through)
        conn_io_top_up(bev);
    conn_process(c);
}

static void on_written(struct bufferevent *bev, void *arg)
{
    (void)bev;
    struct http_conn *c = arg;
    if (c->phase == PHASE_DRAIN) {
        c->phase = PHASE_IDLE; /* what is answered now has a clock of its own */
        conn_process(c);
    }
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    (void)bev;
    struct http_conn *c = arg;
    if (what & BEV_EVENT_CONNECTED) {
        if (c->phase == PHASE_HANDSHAKE)
            set_phase(c, PHASE_IDLE);
        return;
    }
    c->eof = true;
    c->reading = false;
    /* A peer that ended only its own side still gets the answers it asked for. */
    if ((what & BEV_EVENT_EOF) && (what & BEV_EVENT_READING) && c->phase != PHASE_LINGER &&
        c->phase != PHASE_HANDSHAKE)
        conn_process(c);
    else
        conn_end(c);
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct http_conn *c = arg;
    if (!conn_deadline_due(&c->deadline))
        return;
    if (c->phase != PHASE_REQUEST) {
        conn_end(c);
        return;
    }
    c->busy = true;
    refuse(c, 408, "The request did not arrive in time");
    conn_process(c);
}

struct http_conn *http_conn_new(struct bufferevent *bev, const struct http_conn_ops *ops, void *arg)
{
    struct http_conn *c = calloc(1, sizeof *c);
    if (!c || conn_deadline_init(&c->deadline, bufferevent_get_base(bev), on_due, c) < 0) {
        free(c);
        bufferevent_free(bev);
        return NULL;
    }
    c->bev = bev;
    c->ops = ops;
    c->arg = arg;
    c->out = BUF_INIT(CONN_OUTPUT_MAX + CONN_PAUSE);
    c->reading = true;
    bufferevent_setcb(bev, on_read, on_written, on_event, c);
    bufferevent_setwatermark(bev, EV_READ, 0, input_max(c));
    set_phase(c, ops->handshake ? PHASE_HANDSHAKE : PHASE_IDLE);
    if (bufferevent_enable(bev, EV_READ | EV_WRITE) == 0)
        return c;
    c->ended = true;
    conn_deadline_done(&c->deadline);
    bufferevent_free(bev);
    free(c);
    return NULL;
}
