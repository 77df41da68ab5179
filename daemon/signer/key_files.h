/* SPDX-License-Identifier: Apache-2.0 */
/* The files of our own private keys: STATE/keys/THUMBPRINT.pem, key and certificate, mode 0400, in
 * a folder of mode 0700. What else lies there (a root, requests that wait for their certificate) is
 * not touched. Every call returns 0 or -errno with a sentence in `why` (KEY_FILES_WHY_MAX). */
#pragma once

#include "cert.h"
#include "signkey.h"

#define KEY_FILES_FOLDER "keys"
#define KEY_FILES_OLD "current.pem" /* in STATE itself: the only key of the first edition */
#define KEY_FILES_ROOT "root.pem"
#define KEY_FILES_WHY_MAX 768
#define KEY_FILES_PATH_MAX 4200
#define KEY_FILE_TEXT_MAX 65536

/* The folder below `state_dir`; made when it is not there, swept of what a killed writer left. */
int key_files_open(const char *state_dir, char why[KEY_FILES_WHY_MAX]) WARN_UNUSED;
/* Any key file, with all the care of rule R43. -ENOENT: there is none. */
int key_files_read(const char *path, struct signkey **ret, char why[KEY_FILES_WHY_MAX]) WARN_UNUSED;
/* The key of that thumbprint, and nothing else under its name: -EINVAL for another one. */
int key_files_load(const char *state_dir, const struct cert *cert, struct signkey **ret,
    char why[KEY_FILES_WHY_MAX]) WARN_UNUSED;
/* The file is gone for certain: a disk that cannot be read now has lost nothing. */
bool key_files_lost(const char *state_dir, const struct cert *cert);
/* Down to the disk before it returns. */
int key_files_store(const char *state_dir, const struct signkey *key, char why[KEY_FILES_WHY_MAX])
    WARN_UNUSED;
int key_files_wipe(const char *state_dir, const struct cert *cert) WARN_UNUSED; /* no sentence */
/* Calls `visit` with the thumbprint of each key file, upper-case hexadecimal. */
void key_files_each(
    const char *state_dir, void (*visit)(const char *thumbprint, void *arg), void *arg);

/* The root that issues our leaves: read, or made on the first call (20 years). It is not kept in
 * memory: the caller frees it when it has issued. */
int key_files_root(const char *state_dir, const char *name, int64_t now, struct signkey **ret,
    char why[KEY_FILES_WHY_MAX]) WARN_UNUSED;
