/* SPDX-License-Identifier: Apache-2.0 */
/* Three servers that are one application, each the broker's real pool code over real documents and
 * real state files; only the network between them is played. */
#include "clock.h"
#include "documents.h"
#include "pool_members.h"
#include "stage.h"

#include <dirent.h>

#define NODES 3
#define URL_OF "https://node%zu.contoso.example/metadata/json/1"
#define POOL_OF_THREE                                                                              \
    "[Pool]\nMembers=https://node0.contoso.example/metadata/json/1\n"                              \
    "Members=https://node1.contoso.example/metadata/json/1\n"                                      \
    "Members=https://node2.contoso.example/metadata/json/1\n"
#define POOL_WITHOUT_2                                                                             \
    "[Pool]\nMembers=https://node0.contoso.example/metadata/json/1 "                               \
    "https://node1.contoso.example/metadata/json/1\n"

struct node {
    struct temp_dir dir;
    struct settings *settings;
    struct pool_members *pool;
    struct keyring ring; /* borrows its certificates */
    bool down;
    unsigned renders; /* times on_changed asked for another document */
    unsigned gets;    /* requests for its document */
};
static struct node nodes[NODES];
static struct event_base *base;
static int64_t wall, mono_ms;

static const struct keyring *ring_of(void *arg)
{
    return &((struct node *)arg)->ring;
}

static void on_changed(bool documents, void *arg)
{
    ((struct node *)arg)->renders += documents;
}

static const struct pool_members_ops ops = {.ring = ring_of, .on_changed = on_changed};

/* Its keys: the first CURRENT, a second one NEXT. */
static void set_ring(struct node *n, const char *keys)
{
    n->ring.n = 0;
    n->ring.generation++;
    for (; *keys; keys++)
        n->ring.slots[n->ring.n] = (struct ring_slot){.state = n->ring.n ? KEY_NEXT : KEY_CURRENT,
            .cert = (struct cert *)(uintptr_t)signkey_cert(stage_keys[*keys - '0'])},
        n->ring.n++;
}

static void use(struct node *n, const char *conf)
{
    struct settings *old = n->settings;
    n->settings = settings_of(conf);
    ck_assert(pool_members_use(n->pool, n->settings));
    settings_free(old);
}

static void node_start(struct node *n, const char *conf)
{
    n->pool = pool_members_new(base, n->dir.path, &ops, n);
    ck_assert_ptr_nonnull(n->pool);
    use(n, conf);
    pool_members_start(n->pool, NULL);
}

static void node_stop(struct node *n)
{
    pool_members_free(n->pool);
    settings_freep(&n->settings);
    n->pool = NULL;
}

/* The document that it serves now; the caller frees. */
static char *serve(struct node *n)
{
    CLEANUP(documents_freep) struct documents *d = NULL;
    struct documents_of of = {.settings = n->settings, .ring = &n->ring};
    pool_members_publish(n->pool, &of);
    ck_assert_int_eq(documents_render(&of, &d), REASON_OK);
    const struct document *doc = documents_find(d, SPAN("/metadata/json/1"));
    char *text = calloc(1, doc->len + 1);
    ck_assert_int_eq(evbuffer_copyout(doc->body, text, doc->len), (long)doc->len);
    return text;
}

/* Which keys a text that was served holds, in its order: "0123". */
static const char *keys_in(const char *text)
{
    static char out[STAGE_KEYS + 1];
    const char *at[STAGE_KEYS];
    size_t n = 0;
    char x5t[X5T_TEXT_LEN];
    for (size_t k = 0; k < STAGE_KEYS; k++)
        at[k] = strstr(text, x5t_text(signkey_cert(stage_keys[k])->x5t, x5t));
    for (;;) {
        size_t best = STAGE_KEYS;
        for (size_t k = 0; k < STAGE_KEYS; k++)
            if (at[k] && (best == STAGE_KEYS || at[k] < at[best]))
                best = k;
        if (best == STAGE_KEYS)
            break;
        out[n++] = (char)('0' + best);
        at[best] = NULL;
    }
    out[n] = '\0';
    return out;
}

static const char *keys_of(size_t node)
{
    CLEANUP(freep) char *text = serve(&nodes[node]);
    return keys_in(text);
}

/* One request reaches its server, or nobody. True: there was one. */
static bool deliver(void)
{
    struct fetch *f = stage_request();
    size_t node = NODES;
    if (!f)
        return false;
    sscanf(f->url, URL_OF, &node);
    f->open = false;
    struct msg_fetched a = {.reason = REASON_FETCH_CONNECT, .max_age_s = 3600, .retry_after_s = -1};
    CLEANUP(freep) char *body = NULL;
    if (node < NODES && !nodes[node].down) {
        nodes[node].gets++;
        body = serve(&nodes[node]);
        a.reason = REASON_OK;
        a.status = 200;
    }
    f->on_done(&a, span_of(body ? body : ""), f->arg);
    return true;
}

/* Everything that is due happens. */
static void settle(void)
{
    bool more = true;
    while (more) {
        for (size_t i = 0; i < NODES; i++)
            if (nodes[i].pool && !nodes[i].down)
                pool_members_wake(nodes[i].pool);
        more = false;
        while (deliver())
            more = true;
    }
}

static void pass(int64_t seconds)
{
    while (seconds > 0) {
        int64_t longest = seconds > 86400 ? 1800 : 30, step = seconds < longest ? seconds : longest;
        wall += step;
        mono_ms += step * 1000;
        clock_fake(wall, mono_ms);
        for (size_t i = 0; i < NODES; i++)
            if (nodes[i].pool && !nodes[i].down)
                pool_members_tick(nodes[i].pool);
        settle();
        seconds -= step;
    }
}

static bool everywhere(size_t node, int key)
{
    char why[256];
    return pool_all_publish(
        nodes[node].pool, signkey_cert(stage_keys[key])->x5t_s256, why, sizeof(why));
}

/* Three members with a key each, which have found each other. */
static void open_pool(void)
{
    static const char *const first[NODES] = {"0", "1", "2"};
    wall = STAGE_WALL;
    mono_ms = 5000;
    clock_fake(wall, mono_ms);
    base = event_base_new();
    for (size_t i = 0; i < NODES; i++) {
        nodes[i] = (struct node){0};
        temp_dir_make(&nodes[i].dir);
        set_ring(&nodes[i], first[i]);
        node_start(&nodes[i], STAGE_CONF POOL_OF_THREE);
    }
    settle();
}

static void close_pool(void)
{
    for (size_t i = 0; i < NODES; i++) {
        node_stop(&nodes[i]);
        temp_dir_remove(&nodes[i].dir);
    }
    event_base_free(base);
}

START_TEST(the_union_converges_own_key_first)
{
    ck_assert_str_eq(keys_of(0), "012");
    ck_assert_str_eq(keys_of(1), "102");
    ck_assert_str_eq(keys_of(2), "201");
    CLEANUP(freep) char *text = serve(&nodes[1]);
    ck_assert_ptr_nonnull(strstr(text, "\"s2s_own_keys\":1,"));
    for (size_t i = 0; i < NODES; i++) {
        ck_assert(everywhere(i, (int)i) || nodes[i].renders > 0);
        ck_assert_int_eq(pool_members_at(nodes[i].pool, i).state, POOL_SELF);
    }
    /* nothing moves any more, and the documents are asked for every five minutes, not more */
    unsigned renders = nodes[0].renders, gets = nodes[0].gets;
    pass(3600);
    ck_assert_uint_eq(nodes[0].renders, renders);
    ck_assert_uint_ge(nodes[0].gets - gets, 3 * 11);
    ck_assert_uint_le(nodes[0].gets - gets, 3 * 14);
}
END_TEST

START_TEST(a_key_is_at_all_before_it_signs)
{
    set_ring(&nodes[0], "03");
    ck_assert_str_eq(keys_of(0), "0312");
    ck_assert(!everywhere(0, 3));
    for (int i = 0; i < 40 && !everywhere(0, 3); i++)
        pass(30);
    ck_assert(everywhere(0, 3));
    ck_assert_str_eq(keys_of(1), "1023"); /* what signs before what does not */
    ck_assert_str_eq(keys_of(2), "2013");
}
END_TEST

START_TEST(one_that_is_down_stops_nobody)
{
    nodes[2].down = true;
    set_ring(&nodes[0], "03");
    for (int i = 0; i < 60 && !everywhere(0, 3); i++)
        pass(30);
    ck_assert(everywhere(0, 3));
    ck_assert_int_eq(pool_members_at(nodes[0].pool, 2).state, POOL_AWAY);
    ck_assert_str_eq(keys_of(0), "0312"); /* its last key stays: its tokens are under way */
    ck_assert_str_eq(keys_of(1), "1023");
    /* it comes back with what it knew, and is waited for until it knows the rest */
    nodes[2].down = false;
    bool waited = false;
    for (int i = 0; i < 60; i++) {
        pass(30);
        waited = waited || !everywhere(0, 3);
    }
    ck_assert_int_eq(pool_members_at(nodes[0].pool, 2).state, POOL_UP);
    ck_assert(everywhere(0, 3));
    ck_assert_str_eq(keys_of(2), "2013");
}
END_TEST

START_TEST(its_keys_leave_when_it_was_away_for_too_long)
{
    for (size_t i = 0; i < NODES; i++)
        use(&nodes[i],
            STAGE_CONF POOL_OF_THREE "Interval=6h\n[Refresh]\nRetryMin=1h\nRetryMax=6h\n");
    settle();
    nodes[2].down = true;
    pass(7 * 86400 - 600);
    ck_assert_str_eq(keys_of(0), "012");
    pass(1200);
    ck_assert_int_eq(pool_members_at(nodes[0].pool, 2).state, POOL_STALE);
    ck_assert_str_eq(keys_of(0), "01");
    nodes[2].down = false;
    pass(6 * 3600 + 1200);
    ck_assert_str_eq(keys_of(0), "012");
}
END_TEST

START_TEST(a_withdrawn_key_never_returns_by_hearsay)
{
    set_ring(&nodes[1], "13");
    pass(400);
    ck_assert_str_eq(keys_of(0), "0123");
    set_ring(&nodes[1], "1"); /* 3 is withdrawn; the others still publish it, each other's word */
    pass(400);
    for (int i = 0; i < 50; i++) {
        for (size_t n = 0; n < NODES; n++)
            ck_assert_ptr_null(strchr(keys_of(n), '3'));
        pass(60);
    }
}
END_TEST

static unsigned state_files(const struct node *n)
{
    char command[512];
    unsigned files = 0;
    snprintf(command, sizeof(command), "%s/pool", n->dir.path);
    DIR *dir = opendir(command);
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir))
        files += strstr(e->d_name, ".state") != NULL;
    closedir(dir);
    return files;
}

START_TEST(a_member_that_was_removed_is_gone_everywhere)
{
    ck_assert_uint_eq(state_files(&nodes[0]), 3);
    use(&nodes[0], STAGE_CONF POOL_WITHOUT_2);
    ck_assert_str_eq(keys_of(0), "01"); /* with the reload, before anybody answers */
    ck_assert_uint_eq(state_files(&nodes[0]), 2);
    pass(900); /* node1 still has it, and says so */
    ck_assert_str_eq(keys_of(1), "102");
    ck_assert_str_eq(keys_of(0), "01");
    use(&nodes[1], STAGE_CONF POOL_WITHOUT_2);
    pass(7200); /* node2 goes on believing itself a member */
    ck_assert_str_eq(keys_of(0), "01");
    ck_assert_str_eq(keys_of(1), "10");
    node_stop(&nodes[0]);
    node_start(&nodes[0], STAGE_CONF POOL_WITHOUT_2);
    ck_assert_str_eq(keys_of(0), "01");
    settle();
    ck_assert_str_eq(keys_of(0), "01");
}
END_TEST

START_TEST(a_restart_goes_on_with_what_was_known)
{
    uint8_t id[METADATA_MEMBER_LEN];
    struct documents_of of = {.settings = nodes[0].settings, .ring = &nodes[0].ring};
    pool_members_publish(nodes[0].pool, &of);
    memcpy(id, of.member, sizeof(id));
    nodes[1].down = nodes[2].down = true;
    node_stop(&nodes[0]);
    node_start(&nodes[0], STAGE_CONF POOL_OF_THREE);
    ck_assert_str_eq(keys_of(0), "012"); /* before anybody was asked */
    pool_members_publish(nodes[0].pool, &of);
    ck_assert_mem_eq(of.member, id, sizeof(id));
    pass(3600);
    ck_assert_str_eq(keys_of(0), "012");
    /* a damaged file is put aside and costs one member's keys, no more */
    node_stop(&nodes[0]);
    char file[POOL_FILE_MAX], path[512];
    snprintf(path, sizeof(path), "%s/pool/%s", nodes[0].dir.path,
        pool_file_name("https://node2.contoso.example/metadata/json/1", file));
    FILE *f = fopen(path, "r+");
    ck_assert_ptr_nonnull(f);
    fseek(f, 200, SEEK_SET);
    fputc('~', f);
    fclose(f);
    node_start(&nodes[0], STAGE_CONF POOL_OF_THREE);
    ck_assert_str_eq(keys_of(0), "01");
    nodes[2].down = false;
    pass(1200);
    ck_assert_str_eq(keys_of(0), "012");
}
END_TEST

static void count(void *arg)
{
    ++*(unsigned *)arg;
}

/* What was asked for under CAs or pins that no longer hold is not taken. */
START_TEST(a_reload_forgets_what_is_under_way)
{
    pass(1);
    unsigned done = 0;
    struct pool_wait *w = pool_members_refresh(nodes[0].pool, count, &done);
    ck_assert_ptr_nonnull(w);
    pool_members_wake(nodes[0].pool);
    struct fetch *before = stage_request();
    ck_assert_ptr_nonnull(before);
    unsigned asked = stage_asked;
    use(&nodes[0], STAGE_CONF POOL_OF_THREE "CAFile=/etc/other.pem\n");
    ck_assert_ptr_null(stage_request());
    pool_members_wake(nodes[0].pool);
    ck_assert_uint_eq(stage_asked, asked + NODES);
    pool_wait_cancel(w);
    settle();
}
END_TEST

START_TEST(who_asks_is_answered_when_all_have_ended)
{
    unsigned done = 0;
    nodes[1].down = true;
    ck_assert_ptr_nonnull(pool_members_refresh(nodes[0].pool, count, &done));
    pool_members_wake(nodes[0].pool);
    ck_assert(deliver() && deliver());
    ck_assert_uint_eq(done, 0);
    ck_assert(deliver());
    ck_assert_uint_eq(done, 1);
    use(&nodes[0], STAGE_CONF);
    ck_assert_ptr_null(pool_members_refresh(nodes[0].pool, count, &done)); /* nobody to ask */
    ck_assert_str_eq(keys_of(0), "0");
    CLEANUP(freep) char *text = serve(&nodes[0]);
    ck_assert_ptr_null(strstr(text, "s2s_"));
}
END_TEST

/* Somebody sets the clock of this machine: no key leaves the document, nobody is away by it. */
START_TEST(a_clock_that_is_set_changes_no_age)
{
    static const int64_t steps[] = {30 * 86400, -60 * 86400, 30 * 86400};
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        wall += steps[i];
        clock_fake(wall, mono_ms);
        ck_assert_str_eq(keys_of(0), "012");
        ck_assert_int_eq(pool_members_at(nodes[0].pool, 2).state, POOL_UP);
        pass(30);
        ck_assert_str_eq(keys_of(0), "012");
    }
    ck_assert_int_ge(pool_members_at(nodes[0].pool, 2).member->good_at, wall - 400);
    ck_assert_int_le(pool_members_at(nodes[0].pool, 2).member->good_at, wall);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, open_pool, close_pool);
    tcase_add_test(tc, the_union_converges_own_key_first);
    tcase_add_test(tc, a_key_is_at_all_before_it_signs);
    tcase_add_test(tc, one_that_is_down_stops_nobody);
    tcase_add_test(tc, its_keys_leave_when_it_was_away_for_too_long);
    tcase_add_test(tc, a_withdrawn_key_never_returns_by_hearsay);
    tcase_add_test(tc, a_member_that_was_removed_is_gone_everywhere);
    tcase_add_test(tc, a_restart_goes_on_with_what_was_known);
    tcase_add_test(tc, a_reload_forgets_what_is_under_way);
    tcase_add_test(tc, a_clock_that_is_set_changes_no_age);
    tcase_add_test(tc, who_asks_is_answered_when_all_have_ended);
}

int main(void)
{
    return stage_run("pool", fill);
}
