/* SPDX-License-Identifier: Apache-2.0 */
#include "ring_link.h"
#include "cleanup.h"
#include "clock.h"
#include "log.h"
#include "msg.h"

#include <errno.h>

void ring_link_send(struct ring_link *r, const struct frame_out *f)
{
    int e = link_send(r->link, f, -1);
    if (e < 0 && e != -EPIPE) /* the end of the link is told elsewhere */
        log_warning("cannot tell the broker: %s", strerror(-e));
}

static void push(struct ring_link *r)
{
    CLEANUP(freep) uint8_t *room = malloc(FRAME_MAX);
    struct frame_out f;
    if (!room) {
        log_err("cannot tell the broker about the key ring: out of memory");
        return;
    }
    frame_start(&f, room, FRAME_MAX, MSG_RING, link_next_id(r->link));
    msg_ring_put(&f, r->signer->settings->digest, &r->signer->keys.ring);
    ring_link_send(r, &f);
}

void ring_links_push(struct signer *s)
{
    struct ring_link *r;
    LIST_FOREACH (r, &s->ring_links, next)
        push(r);
}

static void answer_config(
    struct ring_link *r, uint32_t id, const struct settings *read, const struct conf_errors *errors)
{
    CLEANUP(freep) uint8_t *room = malloc(FRAME_MAX);
    struct frame_out f;
    if (!room) {
        log_err("cannot answer the broker: out of memory");
        return;
    }
    struct msg_config m = {.ok = read != NULL, .errors = buf_span(&errors->text)};
    if (m.errors.n > MSG_CONFIG_ERRORS_MAX)
        m.errors.n = MSG_CONFIG_ERRORS_MAX;
    if (read)
        memcpy(m.digest, read->digest, sizeof(m.digest));
    frame_start(&f, room, FRAME_MAX, MSG_CONFIG_READY, id);
    msg_config_put(&f, &m);
    ring_link_send(r, &f);
}

static void forget_prepared(struct signer *s)
{
    s->prepared_by = NULL;
    settings_freep(&s->prepared);
    own_keys_forget(&s->keys);
}

/* Reads the configuration again and judges all of it, key files too, so that COMMIT cannot fail for
 * what they say. */
static struct settings *prepare(struct signer *s, struct conf_errors *errors)
{
    CLEANUP(settings_freep) struct settings *read = NULL;
    char why[OWN_KEYS_WHY_MAX] = "";
    if (!settings_load(s->options->config_dir, errors, &read))
        return NULL;
    if (settings_need_restart(s->settings, read, why, sizeof(why))) {
        buf_printf(&errors->text, "a change of %s needs a restart of s2sd-signer\n", why);
        errors->count++;
        return NULL;
    }
    if (own_keys_prepare(&s->keys, read, clock_wall_s(), why) < 0) {
        buf_printf(&errors->text, "%s\n", why);
        errors->count++;
        return NULL;
    }
    return TAKE(read);
}

static void on_prepare(struct ring_link *r, uint32_t id)
{
    struct signer *s = r->signer;
    CLEANUP(conf_errors_done) struct conf_errors errors = {.text = BUF_INIT(CONF_FILE_MAX)};
    forget_prepared(s);
    s->prepared = prepare(s, &errors);
    s->prepared_by = r;
    answer_config(r, id, s->prepared, &errors);
}

static void on_commit(struct ring_link *r)
{
    struct signer *s = r->signer;
    if (!s->prepared || s->prepared_by != r) {
        log_warning("the broker commits a configuration that was never prepared");
        return;
    }
    s->prepared_by = NULL;
    signer_commit(s);
}

static void on_abort(struct ring_link *r)
{
    if (r->signer->prepared_by == r)
        forget_prepared(r->signer);
}

static bool on_published(struct signer *s, struct frame_in *f)
{
    uint64_t generation;
    if (!msg_number_get(f, &generation))
        return false;
    signer_published(s, generation);
    return true;
}

static bool on_hold(struct signer *s, struct frame_in *f)
{
    struct msg_hold m;
    struct own_keys_news news = {0};
    if (!msg_hold_get(f, &m))
        return false;
    own_keys_hold(&s->keys, &m, clock_wall_s(), &news);
    signer_follow(s, &news);
    return true;
}

/* The ring goes before the answer: whoever asked finds done what is said to be done. */
static bool on_roll(struct ring_link *r, struct frame_in *f)
{
    struct signer *s = r->signer;
    CLEANUP(freep) uint8_t *room = malloc(MSG_ROLLED_DETAIL_MAX + 64);
    CLEANUP(buf_done) struct buf lines = BUF_INIT(MSG_ROLLED_DETAIL_MAX);
    struct own_keys_news news = {0};
    struct frame_out out;
    struct msg_roll m;
    if (!msg_roll_get(f, &m))
        return false;
    if (!room) {
        log_err("cannot answer the broker: out of memory");
        return true;
    }
    struct msg_rolled answer = {
        .reason = own_keys_roll(&s->keys, &m, clock_wall_s(), &lines, &news)};
    answer.detail = lines.failed ? SPAN("") : buf_span(&lines);
    answer.generation = s->keys.ring.generation;
    frame_start(&out, room, MSG_ROLLED_DETAIL_MAX + 64, MSG_ROLLED, f->id);
    msg_rolled_put(&out, &answer);
    signer_follow(s, &news);
    ring_link_send(r, &out);
    return true;
}

static bool on_sign(struct ring_link *r, struct frame_in *f)
{
    struct msg_sign m;
    if (!msg_sign_get(f, &m))
        return false;
    sign_order_take(r, f->id, &m);
    return true;
}

static bool on_config(struct ring_link *r, struct frame_in *f)
{
    if (!frame_end(f))
        return false;
    if (f->type == MSG_CONFIG_PREPARE)
        on_prepare(r, f->id);
    else if (f->type == MSG_CONFIG_COMMIT)
        on_commit(r);
    else
        on_abort(r);
    return true;
}

static bool take(struct ring_link *r, struct frame_in *f)
{
    switch (f->type) {
    case MSG_RING_PUBLISHED:
        return on_published(r->signer, f);
    case MSG_RING_HOLD:
        return on_hold(r->signer, f);
    case MSG_ROLL:
        return on_roll(r, f);
    case MSG_SIGN:
        return on_sign(r, f);
    case MSG_CONFIG_PREPARE:
    case MSG_CONFIG_COMMIT:
    case MSG_CONFIG_ABORT:
        return on_config(r, f);
    default:
        return false;
    }
}

static void on_frame(struct link *l, struct frame_in *f, int *fd, void *arg)
{
    if (*fd >= 0 || !take(arg, f))
        link_drop(l, "nothing that a broker says to the signer");
}

static void ring_link_free(struct ring_link *r)
{
    on_abort(r); /* nobody else will commit it */
    pool_forget(r->signer->pool, r);
    LIST_REMOVE(r, next);
    link_free(r->link);
    free(r);
}

static void on_closed(struct link *l, void *arg)
{
    struct ring_link *r = arg;
    struct signer *s = r->signer;
    (void)l;
    log_info("the broker's link has ended");
    ring_link_free(r);
    if (s->options->until_eof && LIST_EMPTY(&s->ring_links))
        signer_stop(s);
}

static unsigned count_links(const struct signer *s)
{
    unsigned n = 0;
    const struct ring_link *r;
    LIST_FOREACH (r, &s->ring_links, next)
        n++;
    return n;
}

void ring_link_accept(int fd, void *signer)
{
    struct signer *s = signer;
    CLEANUP(closep) int peer = fd;
    if (count_links(s) >= SIGNER_RING_LINKS_MAX) {
        log_warning("more than %d brokers: connection closed", SIGNER_RING_LINKS_MAX);
        return;
    }
    struct ring_link *r = calloc(1, sizeof(*r));
    if (!r)
        return;
    r->signer = s;
    r->link = link_new(s->base, TAKE_FD(peer), on_frame, on_closed, r);
    if (!r->link) {
        free(r);
        return;
    }
    LIST_INSERT_HEAD(&s->ring_links, r, next);
    push(r);
}

void ring_links_close(struct signer *s)
{
    while (!LIST_EMPTY(&s->ring_links))
        ring_link_free(LIST_FIRST(&s->ring_links));
}
