/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher.h"

#include "cleanup.h"
#include "file.h"
#include "link.h"
#include "link_door.h"
#include "log.h"
#include "msg.h"
#include "notify.h"
#include "pump.h"
#include "transfer.h"

#include <errno.h>
#include <signal.h>
#include <sys/queue.h>

struct fetcher;

struct fetch_link {
    LIST_ENTRY(fetch_link) next;
    struct fetcher *fetcher;
    struct link *link;
    LIST_HEAD(, fetch) fetches;
    unsigned n_fetches;
};

/* One order under way. */
struct fetch {
    LIST_ENTRY(fetch) next;
    struct fetch_link *link;
    uint32_t id;
    struct transfer *transfer;
};

struct fetcher {
    const struct fetcher_options *options;
    struct event_base *base;
    struct pump *pump;
    struct link_door *door;
    struct event *on_term, *on_int;
    LIST_HEAD(, fetch_link) links;
};

static void fetch_free(struct fetch *f)
{
    LIST_REMOVE(f, next);
    f->link->n_fetches--;
    transfer_free(f->transfer);
    free(f);
}

static void answer(struct fetch_link *l, uint32_t id, const struct msg_fetched *m, int body)
{
    uint8_t room[4096];
    struct frame_out f;
    frame_start(&f, room, sizeof(room), MSG_FETCHED, id);
    msg_fetched_put(&f, m);
    int r = link_send(l->link, &f, body);
    if (r < 0)
        log_warning("cannot answer the broker: %s", strerror(-r));
}

static void refuse(struct fetch_link *l, uint32_t id, enum reason reason)
{
    struct msg_fetched m = {.reason = reason, .max_age_s = -1, .retry_after_s = -1};
    answer(l, id, &m, -1);
}

/* The verdict and, for 200, the bytes. */
static void finish(struct fetch *f, CURLcode code)
{
    struct msg_fetched m;
    CLEANUP(closep) int body = -1;
    transfer_judge(f->transfer, code, &m);
    if (m.reason == REASON_OK && m.status == 200) {
        body = file_memfd("s2sd-document", buf_span(&f->transfer->body));
        if (body < 0) {
            log_err("cannot hand over a document: %s", strerror(-body));
            m.reason = REASON_OUT_OF_MEMORY;
        }
    }
    answer(f->link, f->id, &m, body);
    fetch_free(f);
}

static void on_transfer_done(CURL *easy, CURLcode code, void *arg)
{
    struct fetcher *fetcher = arg;
    struct fetch_link *l;
    struct fetch *f;
    LIST_FOREACH (l, &fetcher->links, next)
        LIST_FOREACH (f, &l->fetches, next)
            if (f->transfer->easy == easy) {
                finish(f, code);
                return;
            }
}

static void start(struct fetch_link *l, uint32_t id, const struct msg_fetch *m)
{
    struct fetch *f = calloc(1, sizeof(*f));
    struct transfer *t = f ? transfer_new(m) : NULL;
    if (!t) {
        free(f);
        refuse(l, id, REASON_OUT_OF_MEMORY);
        return;
    }
    *f = (struct fetch){.link = l, .id = id, .transfer = t};
    LIST_INSERT_HEAD(&l->fetches, f, next);
    l->n_fetches++;
    if (t->was_asked_wrong || !pump_add(l->fetcher->pump, t->easy))
        finish(f, CURLE_FAILED_INIT);
}

static void on_frame(struct link *link, struct frame_in *f, int *fd, void *arg)
{
    struct fetch_link *l = arg;
    struct msg_fetch m;
    if (f->type != MSG_FETCH || *fd >= 0)
        link_drop(link, "nothing that a broker says to the fetcher");
    else if (!msg_fetch_get(f, &m))
        refuse(l, f->id, REASON_INVALID_REQUEST);
    else if (l->n_fetches >= FETCHER_PER_LINK)
        refuse(l, f->id, REASON_QUOTA);
    else
        start(l, f->id, &m);
}

static void fetch_link_free(struct fetch_link *l)
{
    struct fetch *f;
    while ((f = LIST_FIRST(&l->fetches))) {
        pump_remove(l->fetcher->pump, f->transfer->easy);
        fetch_free(f);
    }
    LIST_REMOVE(l, next);
    link_free(l->link);
    free(l);
}

static void on_closed(struct link *link, void *arg)
{
    struct fetch_link *l = arg;
    struct fetcher *fetcher = l->fetcher;
    (void)link;
    fetch_link_free(l);
    if (fetcher->options->until_eof && LIST_EMPTY(&fetcher->links))
        event_base_loopexit(fetcher->base, NULL);
}

static unsigned count_links(const struct fetcher *fetcher)
{
    unsigned n = 0;
    const struct fetch_link *l;
    LIST_FOREACH (l, &fetcher->links, next)
        n++;
    return n;
}

static void on_peer(int fd, void *arg)
{
    struct fetcher *fetcher = arg;
    CLEANUP(closep) int peer = fd;
    if (count_links(fetcher) >= FETCHER_LINKS_MAX) {
        log_warning("more than %d brokers: connection closed", FETCHER_LINKS_MAX);
        return;
    }
    struct fetch_link *l = calloc(1, sizeof(*l));
    if (!l)
        return;
    l->fetcher = fetcher;
    LIST_INIT(&l->fetches);
    l->link = link_new(fetcher->base, TAKE_FD(peer), on_frame, on_closed, l);
    if (!l->link) {
        free(l);
        return;
    }
    LIST_INSERT_HEAD(&fetcher->links, l, next);
}

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
    struct fetcher *fetcher = arg;
    (void)sig;
    (void)what;
    notify_stopping();
    event_base_loopexit(fetcher->base, NULL);
}

static int open_all(struct fetcher *fetcher, int listener)
{
    CLEANUP(closep) int door = listener;
    fetcher->base = event_base_new();
    if (!fetcher->base)
        return -ENOMEM;
    fetcher->pump = pump_new(fetcher->base, on_transfer_done, fetcher);
    fetcher->on_term = evsignal_new(fetcher->base, SIGTERM, on_signal, fetcher);
    fetcher->on_int = evsignal_new(fetcher->base, SIGINT, on_signal, fetcher);
    if (!fetcher->pump || !fetcher->on_term || !fetcher->on_int ||
        event_add(fetcher->on_term, NULL) < 0 ||
        (!fetcher->options->until_eof && event_add(fetcher->on_int, NULL) < 0))
        return -ENOMEM;
    fetcher->door =
        link_door_new(fetcher->base, TAKE_FD(door), fetcher->options->peer_uid, on_peer, fetcher);
    return fetcher->door ? notify_watchdog(fetcher->base, NULL, NULL) : -ENOMEM;
}

/* The mirror of open_all. */
static void close_all(struct fetcher *fetcher)
{
    link_door_free(fetcher->door);
    while (!LIST_EMPTY(&fetcher->links))
        fetch_link_free(LIST_FIRST(&fetcher->links));
    if (fetcher->on_term)
        event_free(fetcher->on_term);
    if (fetcher->on_int)
        event_free(fetcher->on_int);
    pump_free(fetcher->pump);
    notify_close();
    if (fetcher->base)
        event_base_free(fetcher->base);
}

int fetcher_run(const struct fetcher_options *o, int listener)
{
    struct fetcher fetcher = {.options = o};
    LIST_INIT(&fetcher.links);
    signal(SIGPIPE, SIG_IGN); /* a log that nobody reads is no reason to end */
    signal(SIGHUP, SIG_IGN);  /* there is no configuration here */
    if (o->until_eof)
        signal(SIGINT, SIG_IGN); /* Ctrl-C reaches all: the broker ends first, then we */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        close(listener);
        log_err("libcurl does not start");
        return 1;
    }
    int r = open_all(&fetcher, listener);
    if (r < 0) {
        log_err("cannot start: %s", strerror(-r));
    } else {
        notify_ready("ready to fetch");
        event_base_dispatch(fetcher.base);
        log_info("ends");
    }
    close_all(&fetcher);
    curl_global_cleanup();
    return r < 0;
}
