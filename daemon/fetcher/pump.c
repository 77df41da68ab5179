/* SPDX-License-Identifier: Apache-2.0 */
#include "pump.h"

#include <stdlib.h>

struct pump {
    struct event_base *base;
    CURLM *multi;
    struct event *timer;
    pump_done_fn *on_done;
    void *arg;
};

static void take_ended(struct pump *p)
{
    CURLMsg *m;
    int left;
    while ((m = curl_multi_info_read(p->multi, &left))) {
        if (m->msg != CURLMSG_DONE)
            continue;
        CURL *easy = m->easy_handle;
        CURLcode code = m->data.result;
        curl_multi_remove_handle(p->multi, easy); /* m is gone after this */
        p->on_done(easy, code, p->arg);
    }
}

static void act(struct pump *p, curl_socket_t fd, int what)
{
    int running;
    curl_multi_socket_action(p->multi, fd, what, &running);
    take_ended(p);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    act(arg, fd, (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    act(arg, CURL_SOCKET_TIMEOUT, 0);
}

/* libcurl says what it waits for on a socket; `mine` is the event of before, or NULL. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *mine)
{
    struct pump *p = arg;
    (void)easy;
    if (mine) {
        event_free(mine);
        curl_multi_assign(p->multi, fd, NULL);
    }
    if (what == CURL_POLL_REMOVE || what == CURL_POLL_NONE)
        return 0;
    short kind = (what & CURL_POLL_IN ? EV_READ : 0) | (what & CURL_POLL_OUT ? EV_WRITE : 0);
    struct event *e = event_new(p->base, fd, (short)(kind | EV_PERSIST), on_event, p);
    if (!e || event_add(e, NULL) < 0) {
        if (e)
            event_free(e);
        return -1;
    }
    curl_multi_assign(p->multi, fd, e);
    return 0;
}

static int on_timeout(CURLM *multi, long ms, void *arg)
{
    struct pump *p = arg;
    struct timeval tv = {ms / 1000, (ms % 1000) * 1000};
    (void)multi;
    return ms < 0 ? event_del(p->timer) : event_add(p->timer, &tv);
}

struct pump *pump_new(struct event_base *base, pump_done_fn *on_done, void *arg)
{
    struct pump *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    *p = (struct pump){.base = base, .on_done = on_done, .arg = arg};
    p->multi = curl_multi_init();
    p->timer = event_new(base, -1, 0, on_timer, p);
    if (!p->multi || !p->timer ||
        curl_multi_setopt(p->multi, CURLMOPT_SOCKETFUNCTION, on_socket) != CURLM_OK ||
        curl_multi_setopt(p->multi, CURLMOPT_SOCKETDATA, p) != CURLM_OK ||
        curl_multi_setopt(p->multi, CURLMOPT_TIMERFUNCTION, on_timeout) != CURLM_OK ||
        curl_multi_setopt(p->multi, CURLMOPT_TIMERDATA, p) != CURLM_OK) {
        pump_free(p);
        return NULL;
    }
    return p;
}

void pump_free(struct pump *p)
{
    if (!p)
        return;
    if (p->multi)
        curl_multi_cleanup(p->multi);
    if (p->timer)
        event_free(p->timer);
    free(p);
}

bool pump_add(struct pump *p, CURL *easy)
{
    return curl_multi_add_handle(p->multi, easy) == CURLM_OK;
}

void pump_remove(struct pump *p, CURL *easy)
{
    curl_multi_remove_handle(p->multi, easy);
}
