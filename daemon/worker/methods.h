/* SPDX-License-Identifier: Apache-2.0 */
/* The one method table under both doors: what can be asked, by whom, and what became of it. A door
 * turns bytes into a struct request and an answer into bytes; nothing here knows about HTTP or
 * Varlink. */
#pragma once

#include "check.h"
#include "policy.h"
#include "state.h"

#include <sys/queue.h>

/* The most bytes that a resource, user or host may have; longer ones name nothing. */
#define WISH_TEXT_MAX 1024

struct mint_wish {
    struct span resource;
    enum user_kind user_kind;
    struct span user;
    bool has_lifetime, has_min_valid;
    int64_t lifetime_s;
    int64_t min_valid_s; /* default: half of the life */
};

struct validate_wish {
    struct span token;
    struct span audience; /* empty: any of our hosts */
    bool explain;
};

/* What became of a request. Everything in it lives until the answer function returns. */
struct outcome {
    enum reason reason;     /* REASON_OK: done. For Validate also when the token is refused */
    unsigned retry_after_s; /* with ANSWER_NOT_READY, at least 1 */
    const char *detail;     /* further words, safe for the caller; "" when there are none */
    /* Mint */
    struct span token;
    int64_t expires_at;
    const char *partner;
    /* Validate */
    const struct token_checked *verdict;
};

struct request;
typedef void request_answer_fn(struct request *r, const struct outcome *o);

/* One thing asked. Owned by the door's connection; its spans live until the answer. */
struct request {
    const struct peer *peer;
    union {
        struct mint_wish mint;
        struct validate_wish validate;
    } wish;
    request_answer_fn *answer; /* called exactly once, now or later */
    TAILQ_ENTRY(request) next; /* the method's, while the request waits */
    void *waits_in;            /* the method's: NULL when it does not wait */
};
TAILQ_HEAD(requests, request);

struct method {
    enum worker_kind kind; /* of the workers that have it */
    const char *name;
    void (*run)(struct worker *w, struct request *r);
    /* The peer is gone: forget a request that waits. */
    void (*cancel)(struct worker *w, struct request *r);
};
/* The method of this kind of worker. */
const struct method *method_of(enum worker_kind kind);

/* What kind of answer a reason is: the doors' statuses and errors follow from this alone. */
enum answer_class {
    ANSWER_DONE,
    ANSWER_NOT_PERMITTED,  /* HTTP 403, Varlink NotPermitted */
    ANSWER_INVALID_TARGET, /* HTTP 400 invalid_target, Varlink InvalidTarget */
    ANSWER_REFUSED,        /* HTTP 400 invalid_request, Varlink Refused */
    ANSWER_NOT_READY       /* HTTP 503 or 429 with Retry-After, Varlink NotReady */
};
enum answer_class answer_class_of(enum reason r);

/* Answers with a reason other than REASON_OK. */
void request_refuse(
    struct request *r, enum reason reason, unsigned retry_after_s, const char *detail);

/* What keeps this worker from its work: writes up to `max` reasons, returns how many (0: ready). */
size_t methods_not_ready(const struct worker *w, enum reason *out, size_t max);
