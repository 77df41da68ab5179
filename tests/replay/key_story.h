/* SPDX-License-Identifier: Apache-2.0 */
/* What the replay tests about a partner's keys share: one partner, documents in turn, the state of
 * each key. */
#pragma once

#include "operators.h"
#include "stage.h"

static struct stage s;

/* The next regular attempt is made; it may still be under way. */
static inline void story_turn(void)
{
    int64_t due = stage_due_in(&s, "exch") + 1;
    stage_wait(&s, due > 0 ? due : 0);
    (void)stage_open_request();
}

/* It is answered with a document of these keys. */
static inline void story_document(const char *keys)
{
    story_turn();
    stage_answer_keys(keys);
}

static inline void story_reply(unsigned status, const char *body)
{
    story_turn();
    stage_answer(stage_status(status, ""), body);
}

/* Documents of these keys until so many seconds have passed. */
static inline void story_documents_for(const char *keys, int64_t seconds)
{
    int64_t end = s.wall + seconds;
    while (s.wall < end)
        story_document(keys);
}

static inline struct partner_state *story_state(void)
{
    return &stage_partner(&s, "exch")->state;
}

static inline struct partner_key *story_key(int key)
{
    struct partner_trust *t = &story_state()->trust;
    for (size_t i = 0; i < t->n_keys; i++)
        if (memcmp(t->keys[i].x5t, signkey_cert(stage_keys[key])->x5t, X5T_LEN) == 0)
            return &t->keys[i];
    return NULL;
}

/* "0valid 1gone": of all keys that are known, by number. */
static inline const char *story_keys(void)
{
    static char text[128];
    size_t n = 0;
    text[0] = '\0';
    for (int k = 0; k < STAGE_KEYS; k++) {
        const struct partner_key *known = story_key(k);
        if (known)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%d%s", n ? " " : "", k,
                partner_key_state_name(known->state));
    }
    return text;
}

/* The history has a line that ends so; for lines about key `key` (-1: any line). */
static inline bool story_noted(int key, const char *what)
{
    char line[256] = "", thumb[THUMBPRINT_TEXT_LEN];
    if (key >= 0)
        snprintf(line, sizeof(line), "key %s ",
            thumbprint_text(signkey_cert(stage_keys[key])->x5t, thumb));
    snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s", what);
    return story_state()->history && strstr(story_state()->history, line);
}

/* An administrator approves. */
static inline enum reason story_approve(void)
{
    struct partner_entry *e = stage_partner(&s, "exch");
    const struct judge_approval by = {"uid 0", partners_others(s.partners)};
    struct judged j;
    judge_approve(&e->state, e->partner, &s.settings->identity, &by, s.wall, &j);
    partners_save(s.partners, e);
    return j.reason;
}

static inline void story_bar(int key, bool bar)
{
    struct partner_entry *e = stage_partner(&s, "exch");
    ck_assert(operators_bar(&e->state, story_key(key), bar, "uid 0", s.wall));
    partners_save(s.partners, e);
}
