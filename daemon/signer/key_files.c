/* SPDX-License-Identifier: Apache-2.0 */
#include "key_files.h"

#include "cleanup.h"
#include "file.h"
#include "log.h"

#include <errno.h>
#include <sys/stat.h>

#define ROOT_LIFE_S (INT64_C(20) * 31557600)
#define FILE_NAME_MAX (THUMBPRINT_TEXT_LEN + 8)

static const char *folder(const char *state_dir, char out[KEY_FILES_PATH_MAX])
{
    snprintf(out, KEY_FILES_PATH_MAX, "%s/" KEY_FILES_FOLDER, state_dir);
    return out;
}

static const char *file_name(const struct cert *cert, char out[FILE_NAME_MAX])
{
    char thumbprint[THUMBPRINT_TEXT_LEN];
    snprintf(out, FILE_NAME_MAX, "%s.pem", thumbprint_text(cert->x5t, thumbprint));
    return out;
}

static int explain(int r, const char *dir, const char *name, char why[KEY_FILES_WHY_MAX])
{
    if (r < 0)
        snprintf(why, KEY_FILES_WHY_MAX, "cannot write %.512s/%s: %s", dir, name, strerror(-r));
    return r;
}

int key_files_open(const char *state_dir, char why[KEY_FILES_WHY_MAX])
{
    char dir[KEY_FILES_PATH_MAX];
    int r = file_make_dir(folder(state_dir, dir));
    if (r < 0) {
        snprintf(why, KEY_FILES_WHY_MAX, "cannot make the folder %.512s: %s", dir, strerror(-r));
        return r;
    }
    file_sweep_dir(dir);
    return 0;
}

int key_files_read(const char *path, struct signkey **ret, char why[KEY_FILES_WHY_MAX])
{
    CLEANUP(buf_done) struct buf pem = {.max = KEY_FILE_TEXT_MAX, .secret = true};
    int r = file_read(path, FILE_KEY, KEY_FILE_TEXT_MAX, &pem, why, KEY_FILES_WHY_MAX);
    if (r < 0)
        return r;
    enum reason reason = signkey_from_pem(buf_span(&pem), ret);
    if (reason == REASON_OK)
        return 0;
    snprintf(why, KEY_FILES_WHY_MAX, "%.512s: %s. %s", path, reason_sentence(reason),
        reason_advice(reason));
    return reason == REASON_OUT_OF_MEMORY ? -ENOMEM : -EINVAL;
}

static const char *key_path(
    const char *state_dir, const struct cert *cert, char out[KEY_FILES_PATH_MAX])
{
    char name[FILE_NAME_MAX];
    snprintf(
        out, KEY_FILES_PATH_MAX, "%s/" KEY_FILES_FOLDER "/%s", state_dir, file_name(cert, name));
    return out;
}

int key_files_load(const char *state_dir, const struct cert *cert, struct signkey **ret,
    char why[KEY_FILES_WHY_MAX])
{
    char path[KEY_FILES_PATH_MAX];
    CLEANUP(signkey_freep) struct signkey *key = NULL;
    int r = key_files_read(key_path(state_dir, cert, path), &key, why);
    if (r < 0)
        return r;
    if (memcmp(signkey_cert(key)->x5t_s256, cert->x5t_s256, X5T_S256_LEN) != 0) {
        snprintf(why, KEY_FILES_WHY_MAX, "%.512s holds another key than its name says", path);
        return -EINVAL;
    }
    *ret = TAKE(key);
    return 0;
}

bool key_files_lost(const char *state_dir, const struct cert *cert)
{
    char path[KEY_FILES_PATH_MAX];
    struct stat st;
    if (lstat(key_path(state_dir, cert, path), &st) < 0)
        return errno == ENOENT;
    return !S_ISREG(st.st_mode);
}

static int store_as(
    const char *state_dir, const char *name, const struct signkey *key, char why[KEY_FILES_WHY_MAX])
{
    char dir[KEY_FILES_PATH_MAX];
    CLEANUP(buf_done) struct buf pem = {.max = KEY_FILE_TEXT_MAX, .secret = true};
    int r = signkey_to_pem(key, &pem) == REASON_OK
                ? file_replace(folder(state_dir, dir), name, buf_span(&pem), 0400)
                : -ENOMEM;
    return explain(r, folder(state_dir, dir), name, why);
}

int key_files_store(const char *state_dir, const struct signkey *key, char why[KEY_FILES_WHY_MAX])
{
    char name[FILE_NAME_MAX];
    return store_as(state_dir, file_name(signkey_cert(key), name), key, why);
}

int key_files_wipe(const char *state_dir, const struct cert *cert)
{
    char dir[KEY_FILES_PATH_MAX], name[FILE_NAME_MAX];
    return file_wipe(folder(state_dir, dir), file_name(cert, name));
}

/* Forty digits and ".pem": those are ours. */
static bool is_key_file(const char *name, char thumbprint[THUMBPRINT_TEXT_LEN])
{
    const size_t n = THUMBPRINT_TEXT_LEN - 1;
    if (strspn(name, "0123456789ABCDEF") != n || strcmp(name + n, ".pem") != 0)
        return false;
    memcpy(thumbprint, name, n);
    thumbprint[n] = '\0';
    return true;
}

void key_files_each(
    const char *state_dir, void (*visit)(const char *thumbprint, void *arg), void *arg)
{
    char dir[KEY_FILES_PATH_MAX], thumbprint[THUMBPRINT_TEXT_LEN];
    CLEANUP(closedirp) DIR *d = opendir(folder(state_dir, dir));
    for (const struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
        if (is_key_file(e->d_name, thumbprint))
            visit(thumbprint, arg);
}

static int make_root(const char *state_dir, const char *name, int64_t now, struct signkey **ret,
    char why[KEY_FILES_WHY_MAX])
{
    CLEANUP(signkey_freep) struct signkey *root = NULL;
    char thumbprint[THUMBPRINT_TEXT_LEN], cn[300]; /* cut to 64 bytes by whoever uses it */
    snprintf(cn, sizeof(cn), "Root of %s", name);
    enum reason reason = signkey_generate_root(cn, now, now + ROOT_LIFE_S, &root);
    if (reason != REASON_OK) {
        snprintf(why, KEY_FILES_WHY_MAX, "cannot make a root: %s", reason_sentence(reason));
        return -EIO;
    }
    int r = store_as(state_dir, KEY_FILES_ROOT, root, why);
    if (r < 0)
        return r;
    log_notice("made a new root certificate %s: partners that trust roots import it once",
        thumbprint_text(signkey_cert(root)->x5t, thumbprint));
    *ret = TAKE(root);
    return 0;
}

int key_files_root(const char *state_dir, const char *name, int64_t now, struct signkey **ret,
    char why[KEY_FILES_WHY_MAX])
{
    char path[KEY_FILES_PATH_MAX];
    snprintf(path, sizeof(path), "%s/" KEY_FILES_FOLDER "/" KEY_FILES_ROOT, state_dir);
    int r = key_files_read(path, ret, why);
    return r == -ENOENT ? make_root(state_dir, name, now, ret, why) : r;
}
