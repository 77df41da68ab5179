/* SPDX-License-Identifier: Apache-2.0 */
#include "refresher_tell.h"

#include "clock.h"
#include "log.h"

#include <stdio.h>
#include <stdlib.h>

/* Each change of a partner's keys, old and new thumbprints side by side. */
void refresher_tell_keys(const struct partner_entry *e, const char *before, const struct judged *j)
{
    char after[1024];
    judge_thumbprints(&e->state.trust, after, sizeof(after));
    struct log_field fields[] = {
        {"TRUST_PARTNER", e->partner->name}, {"TRUST_KEYS_OLD", before}, {"TRUST_KEYS_NEW", after}};
    bool alarm = j->changes.all_replaced;
    (void)log_record(alarm ? LOG_L_ERR : LOG_L_NOTICE, NULL, fields, ARRAY_LEN(fields),
        "partner %s: keys changed: %s -> %s%s", e->partner->name, before, after,
        alarm ? " (all were replaced at once)" : "");
}

/* Keys that are seen and not believed: nothing else of the log would tell why. */
static void tell_waiting(const struct partner_entry *e, const struct judged *j)
{
    char thumb[THUMBPRINT_TEXT_LEN];
    for (size_t i = 0; i < j->changes.n; i++) {
        const struct update_change *c = &j->changes.list[i];
        if (c->kind == UPDATE_NEW || c->kind == UPDATE_WITHHELD || c->kind == UPDATE_DROPPED)
            log_notice("partner %s: key %s %s", e->partner->name, thumbprint_text(c->x5t, thumb),
                c->kind == UPDATE_NEW        ? "is new and held down (HoldDown=)"
                : c->kind == UPDATE_WITHHELD ? "was withdrawn before and is withheld"
                                             : "has left the document before it was believed");
    }
}

void refresher_before(struct refresher_before *before, const struct partner_state *s)
{
    before->reason = s->last_reason;
    before->failures = s->failures;
    memcpy(before->detail, s->last_detail, sizeof(before->detail));
    judge_thumbprints(&s->trust, before->keys, sizeof(before->keys));
}

static void tell_current(const struct partner_entry *e, const struct refresher_before *before)
{
    struct log_field fields[] = {
        {"TRUST_PARTNER", e->partner->name}, {"TRUST_REASON", reason_code(REASON_OK)}};
    char after[64] = "";
    if (before->failures > 0)
        snprintf(after, sizeof(after), " again, after %u attempt%s that failed", before->failures,
            before->failures == 1 ? "" : "s");
    (void)log_record(LOG_L_NOTICE, NULL, fields, ARRAY_LEN(fields),
        "partner %s: document is current%s", e->partner->name, after);
}

/* An attempt that ends in another way than the one before is told; a row of equal failures once. */
static void tell_ending(
    const struct partner_entry *e, const struct refresher_before *before, const struct judged *j)
{
    if (j->reason == before->reason && strcmp(j->detail, before->detail) == 0)
        return;
    if (j->reason == REASON_OK) {
        if (before->reason != REASON_OK)
            tell_current(e, before);
        return;
    }
    struct log_field fields[] = {
        {"TRUST_PARTNER", e->partner->name}, {"TRUST_REASON", reason_code(j->reason)}};
    (void)log_record(j->newly_refused ? LOG_L_ERR : LOG_L_WARNING, NULL, fields, ARRAY_LEN(fields),
        "partner %s: %s%s%s%s; %s", e->partner->name, reason_sentence(j->reason),
        j->detail[0] ? " (" : "", j->detail, j->detail[0] ? ")" : "",
        e->state.trust.good_at ? "the last good document stays in force"
                               : "there is no document yet");
}

void refresher_tell_attempt(
    const struct partner_entry *e, const struct refresher_before *before, const struct judged *j)
{
    tell_ending(e, before, j);
    tell_waiting(e, j);
    if (j->keys_changed)
        refresher_tell_keys(e, before->keys, j);
}

void refresher_tell_freshness(
    const struct partner_entry *e, enum freshness f, int64_t stale_after_s)
{
    int64_t good_at = e->state.trust.good_at;
    char end[CLOCK_TEXT_LEN];
    if (f == FRESH_WARN || f == FRESH_STALE)
        log_msg(f == FRESH_STALE ? LOG_L_ERR : LOG_L_WARNING,
            "partner %s: %s -> %s: last good document is %lld h old; its tokens are refused %s %s",
            e->partner->name, freshness_name(e->freshness), freshness_name(f),
            (long long)((clock_wall_s() - good_at) / 3600), f == FRESH_STALE ? "since" : "from",
            clock_text(good_at + stale_after_s, end));
    else
        log_info("partner %s: %s -> %s", e->partner->name, freshness_name(e->freshness),
            freshness_name(f));
}

void refresher_tell_clock(const struct clock_change *c)
{
    char was[32], is[32];
    snprintf(
        was, sizeof(was), "%lld.%03d", (long long)(c->old_ms / 1000), abs((int)(c->old_ms % 1000)));
    snprintf(
        is, sizeof(is), "%lld.%03d", (long long)(c->new_ms / 1000), abs((int)(c->new_ms % 1000)));
    struct log_field fields[] = {{"TRUST_CLOCK_OLD", was}, {"TRUST_CLOCK_NEW", is}};
    (void)log_record(LOG_L_WARNING, NULL, fields, ARRAY_LEN(fields),
        "the wall clock was set %lld s %s: it was %s s ahead of the monotonic clock and is %s s; "
        "plans and ages of documents and keys go on as if it had not been",
        (long long)(c->by_s < 0 ? -c->by_s : c->by_s), c->by_s < 0 ? "back" : "forward", was, is);
}
