/* SPDX-License-Identifier: Apache-2.0 */
#include "rollout.h"

#include <stdio.h>

#define DAY_S 86400

bool rollout_takes_part(const struct partner *p)
{
    return p->enabled;
}

bool rollout_seen(const struct sightings *s, const struct partner *p,
    const uint8_t x5t_s256[X5T_S256_LEN], const struct sighting **ret_best)
{
    *ret_best = sightings_of(s, span_of(p->name), x5t_s256);
    return *ret_best && sighting_counts((*ret_best)->how);
}

char *rollout_how_to(const struct settings *s, const struct partner *p, char out[ROLLOUT_TEXT_MAX])
{
    const char *name = s->identity.name, *url = s->metadata.url;
    switch (p->product) {
    case PRODUCT_EXCHANGE:
        snprintf(out, ROLLOUT_TEXT_MAX, "Set-PartnerApplication \"%s\" -RefreshAuthMetadata", name);
        break;
    case PRODUCT_LYNC:
        snprintf(
            out, ROLLOUT_TEXT_MAX, "Set-CsPartnerApplication \"%s\" -MetadataUrl %s", name, url);
        break;
    case PRODUCT_SHAREPOINT:
        snprintf(out, ROLLOUT_TEXT_MAX, "Start-SPTimerJob RefreshMetadataFeed");
        break;
    case PRODUCT_S2SD:
        snprintf(out, ROLLOUT_TEXT_MAX, "s2sctl partners refresh");
        break;
    case PRODUCT_GENERIC:
        snprintf(out, ROLLOUT_TEXT_MAX, "let it read %s again", url);
        break;
    }
    return out;
}

static const char *known_of(const struct sighting *best)
{
    if (!best)
        return "nothing is known of it";
    return best->how == SIGHTING_DOUBTED
               ? "it was given the key and says that it does not believe it"
               : "somebody at its address was given the key, which proves nothing";
}

static void put_missing(const struct settings *s, const struct partner *p,
    const struct sighting *best, struct buf *lines)
{
    char how_to[ROLLOUT_TEXT_MAX];
    buf_printf(lines, "%s has not seen the key (%s): %s%s, then s2sctl partners confirm %s\n",
        p->name, known_of(best), p->product == PRODUCT_GENERIC ? "" : "there, run ",
        rollout_how_to(s, p, how_to), p->name);
}

size_t rollout_missing(const struct settings *s, const struct sightings *sightings,
    const uint8_t x5t_s256[X5T_S256_LEN], struct buf *lines)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n_partners; i++) {
        const struct partner *p = &s->partners[i];
        const struct sighting *best;
        if (!rollout_takes_part(p) || rollout_seen(sightings, p, x5t_s256, &best))
            continue;
        put_missing(s, p, best, lines);
        n++;
    }
    return n;
}

/* A partner that refreshes by itself is trusted to do so within the lead, unless it says
 * otherwise. */
static bool holds(const struct partner *p, const struct sighting *best)
{
    return !p->self_refresh || (best && best->how == SIGHTING_DOUBTED);
}

bool rollout_held(const struct settings *s, const struct sightings *sightings,
    const uint8_t x5t_s256[X5T_S256_LEN], char why[ROLLOUT_TEXT_MAX])
{
    for (size_t i = 0; i < s->n_partners; i++) {
        const struct partner *p = &s->partners[i];
        const struct sighting *best;
        char how_to[ROLLOUT_TEXT_MAX];
        if (!rollout_takes_part(p) || rollout_seen(sightings, p, x5t_s256, &best) ||
            !holds(p, best))
            continue;
        if (best && best->how == SIGHTING_DOUBTED)
            snprintf(why, ROLLOUT_TEXT_MAX, "%s says that it does not believe the key", p->name);
        else
            snprintf(why, ROLLOUT_TEXT_MAX,
                "%s does not refresh by itself: there, run %.256s, then s2sctl partners confirm %s",
                p->name, rollout_how_to(s, p, how_to), p->name);
        return true;
    }
    why[0] = '\0';
    return false;
}

const struct ring_slot *rollout_next(const struct keyring *r)
{
    return r ? keyring_next(r) : NULL;
}

static struct roll_terms terms_of(const struct keyring *r)
{
    return (struct roll_terms){.source = r->source, .lead_s = r->lead_s};
}

static int64_t or_never(int64_t at)
{
    return at == ROLLOVER_NEVER ? 0 : at;
}

int64_t rollout_activation(const struct keyring *r, bool held)
{
    if (!rollout_next(r))
        return 0;
    struct keyring what_if = *r; /* nothing is freed by it */
    struct roll_terms terms = terms_of(r);
    for (size_t i = 0; i < what_if.n; i++)
        what_if.slots[i].held = held && what_if.slots[i].state == KEY_NEXT;
    return or_never(rollover_activation(&what_if, &terms));
}

int64_t rollout_earliest(const struct keyring *r)
{
    if (!rollout_next(r))
        return 0;
    struct roll_terms terms = terms_of(r);
    return or_never(rollover_earliest(r, &terms));
}

bool rollout_reminder_due(int64_t effective_at, int64_t reminded_at, int64_t now)
{
    if (now < effective_at - ROLLOUT_REMIND_S)
        return false;
    /* A clock that went back must not silence it for long. */
    return reminded_at == 0 || now >= reminded_at + DAY_S || now < reminded_at;
}
