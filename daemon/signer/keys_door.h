/* SPDX-License-Identifier: Apache-2.0 */
/* The door of the signer that administrators use: io.s2sd.keys, Varlink on a stream socket whose
 * messages may bring descriptors. One call at a time, answered at once. A reader of its own,
 * because libevent's buffers lose descriptors. */
#pragma once

#include "json.h"
#include "signer.h"

#define KEYS_PEERS_MAX 8
#define KEYS_FDS_MAX 2
#define KEYS_MESSAGE_MAX ((size_t)16 * 1024) /* of one message, its NUL not counted */
#define KEYS_ANSWER_MAX ((size_t)64 * 1024)
#define KEYS_DEADLINE_MS 30000 /* for a peer to say something whole */

struct keys_door;

/* Takes over `listener`. `own_user`: our own uid may call, not only root. NULL: out of memory,
 * listener closed. */
struct keys_door *keys_door_new(struct signer *s, int listener, bool own_user) WARN_UNUSED;
/* Ends every connection. NULL is fine. */
void keys_door_free(struct keys_door *d);

/* One call; lives until its method returns. */
struct keys_call {
    struct signer *signer;
    unsigned uid;
    int pid;
    const int *fds; /* that came with it; closed afterwards */
    size_t n_fds;
    struct buf answer; /* the whole message; filled by keys_reply or keys_error */
};

/* keys_methods.c */
struct keys_method {
    const char *name;
    const struct json_field *fields;
    size_t n_fields;
    size_t size;         /* of the struct the fields go into, at most KEYS_ARGS_MAX */
    const void *initial; /* the struct before */
    void (*run)(struct keys_call *call, const void *args);
};
#define KEYS_ARGS_MAX 128
extern const struct keys_method keys_methods[];
extern const size_t keys_methods_n;

/* Each call is answered by exactly one of these. `parameters`: a JSON object. */
void keys_reply(struct keys_call *call, struct span parameters);
void keys_error(struct keys_call *call, const char *error, struct span parameters);
/* org.varlink.service.InvalidParameter */
void keys_invalid(struct keys_call *call, struct span parameter);
