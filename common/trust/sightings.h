/* SPDX-License-Identifier: Apache-2.0 */
/* Which partner has seen which of our own keys, and how we know. Kept by the broker, pure: the time
 * is passed in, the file is a text. At most one piece of evidence for each partner and key: the
 * best. */
#pragma once

#include "keyring.h"
#include "settings.h"

/* What a piece of evidence is worth, the weakest first. */
enum sighting_how {
    /* Somebody at the address that the partner's own document comes from was given a document with
     * the key. Anybody behind the same address translation is that somebody: shown, never counted.
     */
    SIGHTING_ADDRESS,
    /* The partner was given the key and afterwards said, signed, which of our keys it believes:
     * this one was not among them. Never counted. */
    SIGHTING_DOUBTED,
    /* The partner, which said signed who it is, was given a document with the key. */
    SIGHTING_FETCHED,
    /* An administrator says that the partner has it. */
    SIGHTING_CONFIRMED,
    /* The partner says, signed, that it believes the key. */
    SIGHTING_ANNOUNCED
};
/* "address", "doubted", "fetched", "confirmed", "announced"; and back. */
const char *sighting_how_name(enum sighting_how h);
bool sighting_how_of(struct span name, enum sighting_how *ret) WARN_UNUSED;
/* Good enough to let a key sign. */
bool sighting_counts(enum sighting_how h);

struct sighting {
    uint8_t x5t_s256[X5T_S256_LEN];
    enum sighting_how how;
    int64_t at; /* when evidence of this kind came first, wall seconds */
};

/* A partner's word may be so far ahead of our clock; what was noted of a later one is of a time
 * when ours was wrong. */
#define SIGHTINGS_AHEAD_S 600
#define SIGHTINGS_NAME_MAX 65 /* of a section, with its NUL */
#define SIGHTINGS_TEXT_MAX ((size_t)16 * 1024 * 1024)

/* What one partner has seen. */
struct partner_sightings {
    char name[SIGHTINGS_NAME_MAX];
    int64_t announced_at; /* its newest announcement came, 0: none ever */
    int64_t issued_at;    /* ... and was signed; older ones are repetitions */
    struct sighting keys[KEYRING_MAX];
    size_t n;
};

/* Of all partners, sorted by name. Start with zeros. */
struct sightings {
    struct partner_sightings *list;
    size_t n, room;
};
void sightings_done(struct sightings *s);

/* NULL: nothing is known. Good until the next change. */
const struct partner_sightings *sightings_partner(const struct sightings *s, struct span partner);
const struct sighting *sightings_of(
    const struct sightings *s, struct span partner, const uint8_t x5t_s256[X5T_S256_LEN]);

/* Notes evidence of any kind but DOUBTED and ANNOUNCED. What is not better than what is known
 * changes nothing, and a doubt is settled by the partner or by an administrator, not by one more
 * fetch. REASON_OK; REASON_OUT_OF_MEMORY; REASON_TOO_LARGE: SETTINGS_PARTNERS_MAX partners or
 * KEYRING_MAX keys are known already. */
enum reason sightings_note(struct sightings *s, struct span partner,
    const uint8_t x5t_s256[X5T_S256_LEN], enum sighting_how how, int64_t at, bool *ret_changed)
    WARN_UNUSED;

/* A partner's word, judged by check_announce. */
struct sightings_word {
    struct span partner;
    int64_t issued_at, now;
    const uint8_t *x5ts; /* X5T_LEN bytes each: keys that it believes, ours or not */
    size_t n;
};
/* Takes the word about the keys of `ring`: believed ones are ANNOUNCED; what it had been given (or
 * had announced, or was confirmed for it) and does not believe is DOUBTED. *ret_news is false for a
 * word that is not newer than the last one: a repetition, which changes nothing. */
enum reason sightings_announce(struct sightings *s, const struct sightings_word *w,
    const struct keyring *ring, bool *ret_news, bool *ret_changed) WARN_UNUSED;

/* Forgets partners that are not configured, and keys that are not in the ring (NULL: keys stay).
 * True when something went. */
bool sightings_keep(
    struct sightings *s, const struct settings *settings, const struct keyring *ring);

/* The text of the file, and back: REASON_DOCUMENT_FORM when header, digest, order or a line is
 * wrong, REASON_OUT_OF_MEMORY. *ret (empty before) is written on success only. A failed print is
 * out->failed. */
void sightings_print(const struct sightings *s, struct buf *out);
enum reason sightings_scan(struct span text, struct sightings *ret) WARN_UNUSED;
