/* SPDX-License-Identifier: Apache-2.0 */
#include "public_doors.h"

#include "cleanup.h"
#include "clock.h"
#include "door.h"
#include "http_conn.h"
#include "log.h"
#include "process.h"

#include <arpa/inet.h>
#include <event2/bufferevent_ssl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/queue.h>
#include <sys/socket.h>

/* Requests of one connection before it is closed: nobody needs more documents in a row. */
#define PUBLIC_REQUESTS_MAX 100
/* Request line and headers; there is no body (DESIGN 4). */
#define PUBLIC_HEADER_MAX 16384
/* How often the journal hears that all places are taken. */
#define PUBLIC_COMPLAIN_MS 60000
/* Descriptors that strangers do not get: links, workers, control, state files, bodies of fetched
 * documents (H05). */
#define PUBLIC_DESCRIPTORS_SPARED 256

enum way { WAY_HTTPS, WAY_HTTP, WAY_COUNT };

struct public_conn {
    TAILQ_ENTRY(public_conn) next;
    struct public_doors *all;
    enum way way;
    struct http_conn *http;
    struct event *first; /* handshake and first request must be here by then; NULL afterwards */
};

struct public_way {
    struct public_doors *all;
    enum way way;
    int listener; /* until it is opened */
    struct door *door;
    unsigned connections;
    uint64_t cut_off;      /* ended so that others could come in */
    int64_t complained_ms; /* 0: never */
    struct http_conn_ops ops;
};

struct public_doors {
    struct event_base *base;
    struct public_way ways[WAY_COUNT];
    TAILQ_HEAD(, public_conn) all; /* longest open first */
    struct documents *documents;
    struct site site;
    SSL_CTX *tls;
    unsigned connections_max;  /* of each way */
    unsigned long descriptors; /* that this process may have open */
    struct timeval first_within;
    bool stopping;
    public_visit_fn *on_visit; /* NULL: nobody asks */
    void *visit_arg;
};

static void conn_first_done(struct public_conn *c)
{
    if (c->first)
        event_free(c->first);
    c->first = NULL;
}

/* close_notify, so that the peer knows that nothing was cut off. Once; of no use before the
 * handshake is over. */
static void say_goodbye(struct bufferevent *bev)
{
    SSL *ssl = bufferevent_openssl_get_ssl(bev);
    if (ssl && SSL_is_init_finished(ssl) && !(SSL_get_shutdown(ssl) & SSL_SENT_SHUTDOWN))
        (void)SSL_shutdown(ssl);
    ERR_clear_error();
}

static void on_closed(struct http_conn *h, void *arg)
{
    struct public_conn *c = arg;
    struct public_way *w = &c->all->ways[c->way];
    if (c->way == WAY_HTTPS)
        say_goodbye(http_conn_bev(h));
    TAILQ_REMOVE(&c->all->all, c, next);
    conn_first_done(c);
    free(c);
    w->connections--;
}

/* Who is at the other end of a TCP connection; IPv4 within IPv6 as what it is. */
static void name_peer(int fd, char out[PUBLIC_ADDRESS_MAX])
{
    struct sockaddr_storage a;
    socklen_t len = sizeof(a);
    out[0] = '\0';
    if (getpeername(fd, (struct sockaddr *)&a, &len) < 0)
        return;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&a;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&a;
    if (a.ss_family == AF_INET)
        inet_ntop(AF_INET, &v4->sin_addr, out, PUBLIC_ADDRESS_MAX);
    else if (a.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, out, PUBLIC_ADDRESS_MAX);
    else if (a.ss_family == AF_INET6)
        inet_ntop(AF_INET6, &v6->sin6_addr, out, PUBLIC_ADDRESS_MAX);
}

/* Copied before the answer, since the connection may be gone after it. False: nobody asks, or no
 * key was shown. */
static bool note_visit(const struct public_conn *c, const struct http_request *req,
    const struct site_reply *r, struct public_visit *v)
{
    unsigned n;
    if (!c->all->on_visit || !r->document || !r->document->holds_keys || req->method != HTTP_GET)
        return false;
    struct span said = http_header(req, "S2S-Announce", &n);
    if (n != 1 || said.n >= sizeof(v->announce))
        said.n = 0;
    if (said.n > 0)
        memcpy(v->announce, said.p, said.n);
    v->announce[said.n] = '\0';
    name_peer(bufferevent_getfd(http_conn_bev(c->http)), v->address);
    return true;
}

static void on_request(struct http_conn *h, const struct http_request *req, void *arg)
{
    struct public_conn *c = arg;
    CLEANUP(site_reply_done) struct site_reply r = SITE_REPLY_INIT;
    conn_first_done(c);
    site_answer(&c->all->site, req, &r);
    buf_put_char(&r.headers, '\0');
    struct http_answer a = {.status = r.status,
        .content_type = "application/json; charset=utf-8",
        .headers = r.headers.failed ? NULL : r.headers.p,
        .body = buf_span(&r.body),
        .close = r.close || c->all->stopping};
    if (r.document) {
        a.content_type = r.document->content_type;
        a.shared = r.document->body;
        a.shared_len = r.document->len;
    }
    struct public_visit v;
    struct public_doors *p = c->all;
    bool is_visit = note_visit(c, req, &r, &v);
    http_conn_reply(h, &a);
    if (is_visit)
        p->on_visit(&v, p->visit_arg);
}

static void on_first_late(evutil_socket_t unused, short what, void *arg)
{
    struct public_conn *c = arg;
    (void)unused;
    (void)what;
    http_conn_free(c->http);
}

static struct bufferevent *bufferevent_of(struct public_way *w, int fd)
{
    if (w->way == WAY_HTTP)
        return bufferevent_socket_new(w->all->base, fd, BEV_OPT_CLOSE_ON_FREE);
    SSL *ssl = SSL_new(w->all->tls);
    struct bufferevent *bev = ssl ? bufferevent_openssl_socket_new(w->all->base, fd, ssl,
                                        BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE)
                                  : NULL;
    if (!bev)
        SSL_free(ssl);
    return bev;
}

static void complain(struct public_way *w)
{
    int64_t now = clock_mono_ms();
    if (w->complained_ms != 0 && now - w->complained_ms < PUBLIC_COMPLAIN_MS)
        return;
    w->complained_ms = now;
    log_warning("public door: all %u connections are in use, those open for longest are closed",
        w->connections);
}

/* Ends the connection that has been open for longest and takes no answer just now. */
static bool close_oldest(struct public_way *w)
{
    struct public_conn *c;
    TAILQ_FOREACH (c, &w->all->all, next)
        if (c->way == w->way &&
            evbuffer_get_length(bufferevent_get_output(http_conn_bev(c->http))) == 0) {
            http_conn_free(c->http);
            w->cut_off++;
            return true;
        }
    return false;
}

/* A partner reads one document and goes. Whoever stays, silent or slow, must not keep the places of
 * those who come. */
static bool may_accept(void *arg)
{
    struct public_way *w = arg;
    while (w->connections >= w->all->connections_max) {
        complain(w);
        if (!close_oldest(w))
            return false;
    }
    return true;
}

static void on_peer(int fd, void *arg)
{
    struct public_way *w = arg;
    struct public_doors *p = w->all;
    CLEANUP(closep) int peer = fd;
    static const int on = 1;
    /* Documents are larger than one segment; fails on a Unix socket, where nothing waits. */
    (void)setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    CLEANUP(freep) struct public_conn *c = calloc(1, sizeof(*c));
    if (!c)
        return;
    *c = (struct public_conn){.all = p, .way = w->way};
    c->first = evtimer_new(p->base, on_first_late, c);
    bool timed = c->first && event_add(c->first, &p->first_within) == 0;
    struct bufferevent *bev = timed ? bufferevent_of(w, peer) : NULL;
    if (bev)
        peer = -1;
    c->http = bev ? http_conn_new(bev, &w->ops, c) : NULL;
    if (!c->http) {
        log_warning("public door: no memory for a connection");
        conn_first_done(c);
        return;
    }
    TAILQ_INSERT_TAIL(&p->all, c, next);
    c = NULL;
    w->connections++;
}

/* Opens one door when it is still shut. */
static bool way_open(struct public_way *w)
{
    static const struct door_ops ops = {.may_accept = may_accept, .on_peer = on_peer};
    if (w->listener >= 0)
        w->door = door_open(w->all->base, TAKE_FD(w->listener), &ops, w);
    return w->door != NULL;
}

static void set_limits(struct public_doors *p, const struct settings *s)
{
    unsigned long most = p->descriptors > 2 * PUBLIC_DESCRIPTORS_SPARED
                             ? (p->descriptors - PUBLIC_DESCRIPTORS_SPARED) / WAY_COUNT
                             : p->descriptors / (2 * WAY_COUNT);
    p->connections_max = s->limits.connections < most ? s->limits.connections : (unsigned)most;
    p->first_within = (struct timeval){.tv_sec = s->limits.request_timeout_s};
    for (size_t i = 0; i < WAY_COUNT; i++) {
        struct http_conn_ops *ops = &p->ways[i].ops;
        ops->request_timeout_ms = (unsigned)(s->limits.request_timeout_s * 1000);
        ops->idle_timeout_ms = (unsigned)(s->limits.idle_timeout_s * 1000);
    }
}

void public_doors_set_tls(struct public_doors *p, SSL_CTX *tls)
{
    tls_freep(&p->tls);
    p->tls = tls;
}

enum reason public_doors_serve(
    struct public_doors *p, const struct settings *s, struct documents *documents)
{
    struct site site;
    enum reason r = site_open(&site, s, documents);
    if (r != REASON_OK)
        return r;
    site_close(&p->site);
    documents_free(p->documents);
    p->site = site;
    p->documents = documents;
    set_limits(p, s);
    for (size_t i = 0; i < WAY_COUNT; i++)
        if (p->ways[i].listener >= 0 && !way_open(&p->ways[i]))
            return REASON_OUT_OF_MEMORY;
    return REASON_OK;
}

void public_doors_on_visit(struct public_doors *p, public_visit_fn *on_visit, void *arg)
{
    p->on_visit = on_visit;
    p->visit_arg = arg;
}

bool public_doors_any(const struct public_doors *p)
{
    for (size_t i = 0; i < WAY_COUNT; i++)
        if (p->ways[i].listener >= 0 || p->ways[i].door)
            return true;
    return false;
}

bool public_doors_need_tls(const struct public_doors *p)
{
    return p->ways[WAY_HTTPS].listener >= 0 || p->ways[WAY_HTTPS].door;
}

uint64_t public_doors_cut_off(const struct public_doors *p)
{
    return p->ways[WAY_HTTPS].cut_off + p->ways[WAY_HTTP].cut_off;
}

unsigned public_doors_connections(const struct public_doors *p)
{
    return p->ways[WAY_HTTPS].connections + p->ways[WAY_HTTP].connections;
}

/* Nothing has arrived that is not answered and taken. */
static bool is_idle(const struct public_conn *c)
{
    struct bufferevent *bev = http_conn_bev(c->http);
    return !http_conn_request(c->http) && evbuffer_get_length(bufferevent_get_input(bev)) == 0 &&
           evbuffer_get_length(bufferevent_get_output(bev)) == 0;
}

/* Idle ones go now; a request that is arriving is answered, and its connection closed. */
void public_doors_stop(struct public_doors *p)
{
    p->stopping = true;
    for (size_t i = 0; i < WAY_COUNT; i++) {
        door_close(TAKE(p->ways[i].door));
        closep(&p->ways[i].listener);
    }
    struct public_conn *c = TAILQ_FIRST(&p->all);
    while (c) {
        struct public_conn *next = TAILQ_NEXT(c, next);
        if (is_idle(c))
            http_conn_free(c->http);
        c = next;
    }
}

struct public_doors *public_doors_new(struct event_base *base, struct listeners *doors)
{
    struct public_doors *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->base = base;
    TAILQ_INIT(&p->all);
    p->descriptors = process_raise_descriptors();
    p->ways[WAY_HTTPS].listener = TAKE_FD(doors->https);
    p->ways[WAY_HTTP].listener = TAKE_FD(doors->http);
    for (size_t i = 0; i < WAY_COUNT; i++) {
        p->ways[i].all = p;
        p->ways[i].way = (enum way)i;
        p->ways[i].ops = (struct http_conn_ops){.limits = {.header_max = PUBLIC_HEADER_MAX},
            .max_requests = PUBLIC_REQUESTS_MAX,
            .handshake = i == WAY_HTTPS,
            .write_through = i == WAY_HTTP,
            .on_request = on_request,
            .on_closed = on_closed,
            .refusal_body = site_refusal,
            .refusal_headers = "Cache-Control: no-store\r\n",
            .shut = i == WAY_HTTPS ? say_goodbye : NULL};
    }
    return p;
}

void public_doors_free(struct public_doors *p)
{
    if (!p)
        return;
    public_doors_stop(p);
    while (!TAILQ_EMPTY(&p->all))
        http_conn_free(TAILQ_FIRST(&p->all)->http);
    site_close(&p->site);
    documents_free(p->documents);
    tls_freep(&p->tls);
    free(p);
}
