/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate of the public door: what is taken, what is refused and why. */
#include "tls.h"

#include "settings_of.h"
#include "signkey.h"
#include "temp_dir.h"
#include "unit.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

static struct temp_dir dir;
static struct buf pem[2]; /* key and certificate of two pairs, each one text */

static void set_up(void)
{
    temp_dir_make(&dir);
}

static void tear_down(void)
{
    temp_dir_remove(&dir);
}

/* The part of a text from `begin` to the end of its block. */
static struct span block(struct span text, const char *label)
{
    char begin[64], end[64];
    snprintf(begin, sizeof(begin), "-----BEGIN %s-----", label);
    snprintf(end, sizeof(end), "-----END %s-----\n", label);
    const char *from = memmem(text.p, text.n, begin, strlen(begin));
    ck_assert(from != NULL);
    const char *to = from ? memmem(from, (size_t)(text.p + text.n - from), end, strlen(end)) : NULL;
    ck_assert(to != NULL);
    return (struct span){from, (size_t)(to - from) + strlen(end)};
}

static struct span certificate_of(int pair)
{
    return block(buf_span(&pem[pair]), "CERTIFICATE");
}

static struct span key_of(int pair)
{
    return block(buf_span(&pem[pair]), "PRIVATE KEY");
}

static struct settings *settings_for_files(void)
{
    char conf[1024];
    snprintf(conf, sizeof(conf),
        "[Identity]\nApplicationId=00000004-0000-0ff1-ce00-000000000000\n"
        "Realm=contoso.example\nHosts=lync.contoso.example\n"
        "[TLS]\nCertificate=%s/tls.pem\nPrivateKey=%s/tls.key\n",
        dir.path, dir.path);
    return settings_of(conf);
}

/* 0, or -errno; `why` is then a sentence that names a file. */
static int try_files(char why[TLS_WHY_MAX])
{
    CLEANUP(settings_freep) struct settings *s = settings_for_files();
    CLEANUP(tls_freep) SSL_CTX *ctx = NULL;
    why[0] = '\0';
    int r = tls_new(s, &ctx, why);
    ck_assert_int_eq(r == 0, ctx != NULL);
    ck_assert_int_eq(ERR_peek_error(), 0); /* nothing is left for the next caller to trip over */
    return r;
}

START_TEST(a_pair_is_taken_with_the_policy_of_the_door)
{
    char why[TLS_WHY_MAX];
    temp_dir_write(&dir, "tls.pem", certificate_of(0), 0644);
    temp_dir_write(&dir, "tls.key", key_of(0), 0600);
    CLEANUP(settings_freep) struct settings *s = settings_for_files();
    CLEANUP(tls_freep) SSL_CTX *ctx = NULL;
    ck_assert_int_eq(tls_new(s, &ctx, why), 0);
    ck_assert_int_eq(SSL_CTX_get_min_proto_version(ctx), TLS1_2_VERSION);
    ck_assert_uint_eq(SSL_CTX_get_num_tickets(ctx), 0);
    ck_assert_int_eq(SSL_CTX_get_session_cache_mode(ctx), SSL_SESS_CACHE_OFF);
    uint64_t options = SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET;
    ck_assert_uint_eq(SSL_CTX_get_options(ctx) & options, options);
    ck_assert(SSL_CTX_get_mode(ctx) & SSL_MODE_RELEASE_BUFFERS);
    STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(ctx);
    ck_assert_int_gt(sk_SSL_CIPHER_num(ciphers), 0);
    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
        const SSL_CIPHER *c = sk_SSL_CIPHER_value(ciphers, i);
        ck_assert_msg(SSL_CIPHER_is_aead(c), "%s", SSL_CIPHER_get_name(c));
        ck_assert_msg(
            SSL_CIPHER_get_kx_nid(c) == NID_kx_ecdhe || SSL_CIPHER_get_kx_nid(c) == NID_kx_any,
            "%s", SSL_CIPHER_get_name(c));
    }
}
END_TEST

START_TEST(a_chain_follows_the_leaf)
{
    char why[TLS_WHY_MAX];
    CLEANUP(buf_done) struct buf chain = BUF_INIT(65536);
    buf_put_span(&chain, certificate_of(0));
    buf_put_span(&chain, certificate_of(1));
    buf_put_str(&chain, "\nThese lines are for people.\n");
    temp_dir_write(&dir, "tls.pem", buf_span(&chain), 0644);
    temp_dir_write(&dir, "tls.key", key_of(0), 0600);
    CLEANUP(settings_freep) struct settings *s = settings_for_files();
    CLEANUP(tls_freep) SSL_CTX *ctx = NULL;
    ck_assert_msg(tls_new(s, &ctx, why) == 0, "%s", why);
    STACK_OF(X509) *extra = NULL;
    SSL_CTX_get0_chain_certs(ctx, &extra);
    ck_assert_int_eq(sk_X509_num(extra), 1);
}
END_TEST

enum file { NOTHING, GOOD, OTHER, GARBAGE, TORN };

static const struct {
    enum file certificate, key;
    mode_t key_mode;
    const char *says;
} rows[] = {
    {NOTHING, GOOD, 0600, "tls.pem"},
    {GOOD, NOTHING, 0600, "tls.key"},
    {GARBAGE, GOOD, 0600, "tls.pem: no certificate"},
    {GOOD, GARBAGE, 0600, "tls.key: no unencrypted private key"},
    {GOOD, OTHER, 0600, "does not belong to the certificate"},
    {OTHER, GOOD, 0600, "does not belong to the certificate"},
    {TORN, GOOD, 0600, "of the chain cannot be read"},
    {GOOD, GOOD, 0644, "tls.key"},
    {GOOD, GOOD, 0660, "tls.key"},
};

static void put_file(
    const char *name, enum file what, struct span good, struct span other, mode_t mode)
{
    CLEANUP(buf_done) struct buf torn = BUF_INIT(65536);
    switch (what) {
    case NOTHING:
        return;
    case GOOD:
        temp_dir_write(&dir, name, good, mode);
        return;
    case OTHER:
        temp_dir_write(&dir, name, other, mode);
        return;
    case GARBAGE:
        temp_dir_write(&dir, name, SPAN("not a PEM text\n"), mode);
        return;
    case TORN:
        buf_put_span(&torn, good);
        buf_put(&torn, good.p, good.n / 2);
        temp_dir_write(&dir, name, buf_span(&torn), mode);
        return;
    }
}

START_TEST(whatever_cannot_serve_is_refused_with_its_file)
{
    char why[TLS_WHY_MAX];
    put_file("tls.pem", rows[_i].certificate, certificate_of(0), certificate_of(1), 0644);
    put_file("tls.key", rows[_i].key, key_of(0), key_of(1), rows[_i].key_mode);
    ck_assert_int_lt(try_files(why), 0);
    ck_assert_msg(strstr(why, rows[_i].says) != NULL, "%s", why);
    ck_assert_ptr_null(strstr(why, "-----"));
}
END_TEST

/* The layout of certbot: live/ holds links to the newest files of archive/. */
static void lay_out(const char *number, int pair, mode_t key_mode)
{
    char name[64], target[64];
    static const char *const names[] = {"tls.pem", "tls.key"};
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof(name), "archive/%s%s", names[i], number);
        temp_dir_write(
            &dir, name, i ? key_of(pair) : certificate_of(pair), i ? key_mode : (mode_t)0644);
        snprintf(target, sizeof(target), "../archive/%s%s", names[i], number);
        snprintf(name, sizeof(name), "live/%s", names[i]);
        unlink(temp_dir_at(&dir, name));
        ck_assert_int_eq(symlink(target, temp_dir_at(&dir, name)), 0);
        unlink(temp_dir_at(&dir, names[i]));
        ck_assert_int_eq(symlink(name, temp_dir_at(&dir, names[i])), 0);
    }
}

START_TEST(a_link_leads_to_the_newest_pair)
{
    char why[TLS_WHY_MAX];
    ck_assert_int_eq(mkdir(temp_dir_at(&dir, "live"), 0755), 0);
    ck_assert_int_eq(mkdir(temp_dir_at(&dir, "archive"), 0700), 0);
    lay_out("1", 0, 0600);
    ck_assert_msg(try_files(why) == 0, "%s", why);
    lay_out("2", 1, 0640);
    ck_assert_msg(try_files(why) == 0, "%s", why);
    /* The file at the end is judged, not the link, and it is the one that is named. */
    lay_out("3", 0, 0644);
    ck_assert_int_eq(try_files(why), -EPERM);
    ck_assert_msg(strstr(why, "archive/tls.key3: mode 0644") != NULL, "%s", why);
    ck_assert_int_eq(unlink(temp_dir_at(&dir, "archive/tls.key3")), 0);
    ck_assert_int_eq(try_files(why), -ENOENT);
    ck_assert_msg(strstr(why, "tls.key: cannot find") != NULL, "%s", why);
    lay_out("4", 0, 0600);
    ck_assert_int_eq(chmod(temp_dir_at(&dir, "archive"), 0777), 0);
    ck_assert_int_eq(try_files(why), -EPERM);
    ck_assert_msg(strstr(why, "archive: the folder is writable") != NULL, "%s", why);
}
END_TEST

START_TEST(a_key_out_of_reach_comes_with_advice)
{
    char why[TLS_WHY_MAX], uid[64];
    bool root = geteuid() == 0;
    temp_dir_write(&dir, "tls.pem", certificate_of(0), 0644);
    temp_dir_write(&dir, "tls.key", key_of(0), root ? 0600 : 0);
    ck_assert_int_eq(chmod(dir.path, 0755), 0);
    if (root)
        ck_assert_int_eq(seteuid(65534), 0);
    snprintf(uid, sizeof(uid), "s2sd runs as uid %u here", (unsigned)geteuid());
    int r = try_files(why);
    if (root)
        ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(r, -EACCES);
    ck_assert_msg(strstr(why, "tls.key: cannot open") != NULL, "%s", why);
    ck_assert_msg(strstr(why, uid) != NULL, "%s", why);
}
END_TEST

START_TEST(without_the_settings_there_is_a_sentence)
{
    CLEANUP(settings_freep)
    struct settings *s =
        settings_of("[Identity]\nApplicationId=00000004-0000-0ff1-ce00-000000000000\n"
                    "Realm=contoso.example\nHosts=lync.contoso.example\n");
    CLEANUP(tls_freep) SSL_CTX *ctx = NULL;
    char why[TLS_WHY_MAX];
    if (s->tls.certificate && s->tls.private_key) /* defaults point at files that are not here */
        ck_assert_int_lt(tls_new(s, &ctx, why), 0);
    else
        ck_assert_int_eq(tls_new(s, &ctx, why), -EINVAL);
    ck_assert_str_ne(why, "");
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, a_pair_is_taken_with_the_policy_of_the_door);
    tcase_add_test(tc, a_chain_follows_the_leaf);
    tcase_add_loop_test(
        tc, whatever_cannot_serve_is_refused_with_its_file, 0, (int)ARRAY_LEN(rows));
    tcase_add_test(tc, a_link_leads_to_the_newest_pair);
    tcase_add_test(tc, a_key_out_of_reach_comes_with_advice);
    tcase_add_test(tc, without_the_settings_there_is_a_sentence);
}

int main(void)
{
    for (int i = 0; i < 2; i++) {
        CLEANUP(signkey_freep) struct signkey *key = NULL;
        pem[i] = BUF_INIT(65536);
        pem[i].secret = true;
        if (signkey_generate("tls", 1700000000, 1900000000, &key) != REASON_OK ||
            signkey_to_pem(key, &pem[i]) != REASON_OK)
            return EXIT_FAILURE;
    }
    int status = unit_run("tls", fill);
    buf_done(&pem[0]);
    buf_done(&pem[1]);
    return status;
}
