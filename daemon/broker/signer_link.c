/* SPDX-License-Identifier: Apache-2.0 */
#include "signer_link.h"

#include "cleanup.h"
#include "https_url.h"
#include "log.h"
#include "relink.h"

#include <errno.h>

/* The signer pushes its ring as soon as it has accepted us; the first start makes a key before. */
#define SIGNER_GREETING_S 20
/* Room for a path; a longer runtime folder is refused at start. */
#define SIGNER_PATH_MAX 512

struct signer_link {
    struct relink *relink;
    const struct signer_link_ops *ops;
    void *arg;
    struct event *greeting; /* runs while connected without a ring */
    bool up;
    bool has_ring;
    struct keyring ring;              /* the last one, kept while the signer is away */
    unsigned char digest[MSG_DIGEST]; /* that came with it */
    char mint_path[SIGNER_PATH_MAX];
};

bool signer_link_up(const struct signer_link *sl)
{
    return sl->up;
}

const struct keyring *signer_link_ring(const struct signer_link *sl)
{
    return sl->has_ring ? &sl->ring : NULL;
}

static void on_greeting_late(evutil_socket_t unused, short what, void *arg)
{
    struct signer_link *sl = arg;
    (void)unused;
    (void)what;
    relink_drop(sl->relink);
}

static void on_up(void *arg)
{
    struct signer_link *sl = arg;
    static const struct timeval wait = {SIGNER_GREETING_S, 0};
    if (event_add(sl->greeting, &wait) < 0)
        relink_drop(sl->relink);
}

static void on_down(void *arg)
{
    struct signer_link *sl = arg;
    event_del(sl->greeting);
    if (!sl->up)
        return;
    sl->up = false;
    sl->ops->on_lost(sl->arg);
}

static void take_ring(struct signer_link *sl, struct frame_in *f)
{
    CLEANUP(keyring_done) struct keyring ring = {0};
    unsigned char digest[MSG_DIGEST];
    if (!msg_ring_get(f, digest, &ring) || !keyring_current(&ring)) {
        link_drop(relink_link(sl->relink), "a malformed key ring");
        log_err("the signer's key ring cannot be read");
        return;
    }
    memcpy(sl->digest, digest, sizeof(sl->digest));
    keyring_done(&sl->ring);
    sl->ring = ring;
    ring = (struct keyring){0};
    sl->has_ring = sl->up = true;
    event_del(sl->greeting);
    relink_alive(sl->relink);
    sl->ops->on_ring(&sl->ring, sl->arg);
}

static bool take_config(struct signer_link *sl, struct frame_in *f)
{
    struct msg_config m;
    if (!msg_config_get(f, &m))
        return false;
    sl->ops->on_config(f->id, &m, sl->arg);
    return true;
}

static bool take_rolled(struct signer_link *sl, struct frame_in *f)
{
    struct msg_rolled m;
    if (!msg_rolled_get(f, &m) || !sl->ops->on_rolled)
        return false;
    sl->ops->on_rolled(f->id, &m, sl->arg);
    return true;
}

static bool take_signed(struct signer_link *sl, struct frame_in *f)
{
    struct msg_signed m;
    if (!msg_signed_get(f, &m) || !sl->ops->on_signed)
        return false;
    sl->ops->on_signed(f->id, &m, sl->arg);
    return true;
}

static void on_frame(struct frame_in *f, int *fd, void *arg)
{
    struct signer_link *sl = arg;
    (void)fd;
    bool is_taken = false;
    if (f->type == MSG_RING) {
        take_ring(sl, f);
        return;
    }
    if (f->type == MSG_CONFIG_READY)
        is_taken = take_config(sl, f);
    else if (f->type == MSG_ROLLED)
        is_taken = take_rolled(sl, f);
    else if (f->type == MSG_SIGNED)
        is_taken = take_signed(sl, f);
    if (!is_taken)
        link_drop(relink_link(sl->relink), "not a message of the signer");
}

bool signer_link_agrees(const struct signer_link *sl, const unsigned char digest[MSG_DIGEST])
{
    return !sl->up || memcmp(sl->digest, digest, MSG_DIGEST) == 0;
}

void signer_link_published(struct signer_link *sl, uint64_t generation)
{
    uint8_t room[64];
    struct frame_out f;
    frame_start(&f, room, sizeof(room), MSG_RING_PUBLISHED, 0);
    msg_number_put(&f, generation);
    int r = relink_send(sl->relink, &f, -1);
    if (r < 0 && r != -ENOTCONN) /* away: it asks again with its next ring */
        log_warning("cannot tell the signer that its ring is published: %s", strerror(-r));
}

int signer_link_config(struct signer_link *sl, enum msg_type type, uint32_t id)
{
    uint8_t room[64];
    struct frame_out f;
    frame_start(&f, room, sizeof(room), (uint16_t)type, id);
    return sl->up ? relink_send(sl->relink, &f, -1) : -ENOTCONN;
}

int signer_link_hold(struct signer_link *sl, const struct msg_hold *m)
{
    uint8_t room[2048];
    struct frame_out f;
    frame_start(&f, room, sizeof(room), MSG_RING_HOLD, 0);
    msg_hold_put(&f, m);
    return sl->up ? relink_send(sl->relink, &f, -1) : -ENOTCONN;
}

int signer_link_roll(struct signer_link *sl, const struct msg_roll *m, uint32_t *ret_id)
{
    uint8_t room[2048];
    struct frame_out f;
    if (!sl->up)
        return -ENOTCONN;
    uint32_t id = link_next_id(relink_link(sl->relink));
    frame_start(&f, room, sizeof(room), MSG_ROLL, id);
    msg_roll_put(&f, m);
    int r = relink_send(sl->relink, &f, -1);
    if (r == 0)
        *ret_id = id;
    return r;
}

int signer_link_sign(struct signer_link *sl, const struct msg_sign *m, uint32_t *ret_id)
{
    uint8_t room[HTTPS_URL_MAX + 4096];
    struct frame_out f;
    if (!sl->up)
        return -ENOTCONN;
    uint32_t id = link_next_id(relink_link(sl->relink));
    frame_start(&f, room, sizeof(room), MSG_SIGN, id);
    msg_sign_put(&f, m);
    int r = relink_send(sl->relink, &f, -1);
    if (r == 0)
        *ret_id = id;
    return r;
}

uint64_t signer_link_dropped(const struct signer_link *sl)
{
    return relink_dropped(sl->relink);
}

int signer_link_mint(struct signer_link *sl)
{
    return link_connect(sl->mint_path);
}

struct signer_link *signer_link_new(
    struct event_base *base, const char *runtime_dir, const struct signer_link_ops *ops, void *arg)
{
    static const struct relink_ops relink_ops = {
        .on_up = on_up, .on_frame = on_frame, .on_down = on_down};
    char path[SIGNER_PATH_MAX];
    struct signer_link *sl = calloc(1, sizeof(*sl));
    if (!sl)
        return NULL;
    snprintf(path, sizeof(path), "%s/signer-ring.link", runtime_dir);
    snprintf(sl->mint_path, sizeof(sl->mint_path), "%s/signer-mint.link", runtime_dir);
    sl->ops = ops;
    sl->arg = arg;
    sl->greeting = evtimer_new(base, on_greeting_late, sl);
    sl->relink = sl->greeting ? relink_new(base, path, "signer", &relink_ops, sl) : NULL;
    if (!sl->relink) {
        signer_link_free(sl);
        return NULL;
    }
    return sl;
}

void signer_link_free(struct signer_link *sl)
{
    if (!sl)
        return;
    relink_free(sl->relink);
    if (sl->greeting)
        event_free(sl->greeting);
    keyring_done(&sl->ring);
    free(sl);
}
