/* SPDX-License-Identifier: Apache-2.0 */
#include "keys_requests.h"

#include "cleanup.h"
#include "file.h"
#include "log.h"

#include <errno.h>
#include <sys/stat.h>

#define PATH_TEXT_MAX 4200
#define FILE_PREFIX "request-"
#define FILE_NAME_LEN 64

static void folder_of(const char *state_dir, char out[PATH_TEXT_MAX])
{
    snprintf(out, PATH_TEXT_MAX, "%s/%s", state_dir, KEY_FILES_FOLDER);
}

static void name_of(const char *id, char out[FILE_NAME_LEN])
{
    snprintf(out, FILE_NAME_LEN, FILE_PREFIX "%s.pem", id);
}

static void path_of(const char *state_dir, const char *id, char out[PATH_TEXT_MAX])
{
    snprintf(out, PATH_TEXT_MAX, "%s/%s/" FILE_PREFIX "%s.pem", state_dir, KEY_FILES_FOLDER, id);
}

/* How many keys wait, or -errno. */
static int count(const char *folder)
{
    CLEANUP(closedirp) DIR *d = opendir(folder);
    int n = 0;
    if (!d)
        return -errno;
    for (const struct dirent *e = readdir(d); e; e = readdir(d))
        n += strncmp(e->d_name, FILE_PREFIX, sizeof(FILE_PREFIX) - 1) == 0;
    return n;
}

static int make_room(const char *folder, char why[KEYS_REQUESTS_WHY_MAX])
{
    int n = mkdir(folder, 0700) == 0 || errno == EEXIST ? count(folder) : -errno;
    if (n < 0)
        snprintf(
            why, KEYS_REQUESTS_WHY_MAX, "cannot use the folder %.512s: %s", folder, strerror(-n));
    if (n < KEYS_REQUESTS_MAX)
        return n < 0 ? n : 0;
    snprintf(why, KEYS_REQUESTS_WHY_MAX,
        "%d requests wait for their certificates already: remove those that will never get one "
        "(%.512s/" FILE_PREFIX "*.pem)",
        n, folder);
    return -EDQUOT;
}

static bool id_of(struct span pem, char out[SIGNKEY_REQUEST_ID_LEN])
{
    CLEANUP(pubkey_freep) struct pubkey *half = NULL;
    return signkey_public_half(pem, &half) == REASON_OK && signkey_request_id(half, out);
}

int keys_requests_add(const char *state_dir, struct span pem, char ret_id[SIGNKEY_REQUEST_ID_LEN],
    char why[KEYS_REQUESTS_WHY_MAX])
{
    char folder[PATH_TEXT_MAX], name[FILE_NAME_LEN], id[SIGNKEY_REQUEST_ID_LEN];
    folder_of(state_dir, folder);
    int r = make_room(folder, why);
    if (r < 0)
        return r;
    if (!id_of(pem, id)) {
        snprintf(why, KEYS_REQUESTS_WHY_MAX, "out of memory");
        return -ENOMEM;
    }
    name_of(id, name);
    r = file_replace(folder, name, pem, 0400);
    if (r < 0) {
        snprintf(
            why, KEYS_REQUESTS_WHY_MAX, "cannot write %.512s/%s: %s", folder, name, strerror(-r));
        return r;
    }
    memcpy(ret_id, id, sizeof(id));
    return 0;
}

bool keys_requests_find(const struct pubkey *key, struct buf *ret, void *state_dir)
{
    char path[PATH_TEXT_MAX], id[SIGNKEY_REQUEST_ID_LEN], why[KEYS_REQUESTS_WHY_MAX];
    if (!signkey_request_id(key, id))
        return false;
    path_of(state_dir, id, path);
    int r = file_read(path, FILE_KEY, SIGNKEY_FILE_MAX, ret, why, sizeof(why));
    if (r < 0 && r != -ENOENT)
        log_err("%s", why);
    return r == 0;
}

void keys_requests_drop(const char *state_dir, const struct pubkey *key)
{
    char folder[PATH_TEXT_MAX], name[FILE_NAME_LEN], id[SIGNKEY_REQUEST_ID_LEN];
    if (!signkey_request_id(key, id))
        return;
    folder_of(state_dir, folder);
    name_of(id, name);
    int r = file_wipe(folder, name);
    if (r < 0 && r != -ENOENT)
        log_warning("cannot remove %s/%s: %s", folder, name, strerror(-r));
}
