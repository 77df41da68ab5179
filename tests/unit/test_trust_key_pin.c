/* SPDX-License-Identifier: Apache-2.0 */
/* Pins against a certificate whose hashes OpenSSL's commands have made:
 *   openssl x509 -outform der | sha1sum, sha256sum
 *   openssl x509 -noout -pubkey | openssl pkey -pubin -outform der | openssl sha256 -binary |
 * base64
 */
#include "key_pin.h"

#include "fuzz/token_seeds.h"
#include "unit.h"

#include <stdio.h>

#define SHA1_TEXT "CB88BD591A3D5E456014D4B15AB9787A734C8FCD"
#define SHA256_TEXT "8C5DF127A96C4796B7F5FFA5616B9E45471C41630A5BDD7126E82C8059DEC501"
#define SPKI_TEXT "sha256//RCsW0zE1uC2Wh3XrLuVAxDoF+5HruwdetrehjKDmV8w="

static struct cert *c;

static bool is(const char *pin)
{
    return key_pin_is(pin, c->x5t, c->x5t_s256, c->key);
}

START_TEST(each_form_names_the_certificate)
{
    ck_assert(is(SHA1_TEXT));
    ck_assert(is(SHA256_TEXT));
    ck_assert(is(SPKI_TEXT));
}
END_TEST

/* One character that is another one, anywhere, names another certificate. */
START_TEST(no_other_text_does)
{
    static const char *const pins[] = {SHA1_TEXT, SHA256_TEXT, SPKI_TEXT};
    for (size_t i = 0; i < ARRAY_LEN(pins); i++) {
        char text[128];
        size_t n = strlen(pins[i]);
        for (size_t at = 0; at < n; at++) {
            snprintf(text, sizeof(text), "%s", pins[i]);
            text[at] = text[at] == '0' ? '1' : '0';
            ck_assert_msg(!is(text), "%s", text);
            snprintf(text, sizeof(text), "%.*s", (int)at, pins[i]);
            ck_assert_msg(!is(text), "%s", text);
        }
        snprintf(text, sizeof(text), "%s0", pins[i]);
        ck_assert(!is(text));
    }
}
END_TEST

START_TEST(a_list_is_any_of_it)
{
    char *pins[] = {(char[]){"0000000000000000000000000000000000000000"}, (char[]){SPKI_TEXT}};
    ck_assert(key_pin_in(&(struct names){pins, 2}, c->x5t, c->x5t_s256, c->key));
    ck_assert(!key_pin_in(&(struct names){pins, 1}, c->x5t, c->x5t_s256, c->key));
    ck_assert(!key_pin_in(&(struct names){NULL, 0}, c->x5t, c->x5t_s256, c->key));
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, each_form_names_the_certificate);
    tcase_add_test(tc, no_other_text_does);
    tcase_add_test(tc, a_list_is_any_of_it);
}

int main(void)
{
    if (cert_parse_pem(span_of(seed_certificate), &c) != REASON_OK)
        return EXIT_FAILURE;
    int r = unit_run("trust_key_pin", add);
    cert_free(c);
    return r;
}
