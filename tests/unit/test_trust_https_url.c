/* SPDX-License-Identifier: Apache-2.0 */
/* https URLs: what is one, and where its host ends. */
#include "https_url.h"
#include "unit.h"

static const struct {
    const char *text;
    const char *authority, *host, *path; /* authority NULL: refused */
    unsigned port;
} urls[] = {
    {"https://a.example/x", "a.example", "a.example", "/x", 443},
    {"https://a.example", "a.example", "a.example", "", 443},
    {"HTTPS://A.example/x?y=1&z=%20", "A.example", "A.example", "/x?y=1&z=%20", 443},
    {"https://a.example:8443/", "a.example:8443", "a.example", "/", 8443},
    {"https://a.example:65535/", "a.example:65535", "a.example", "/", 65535},
    {"https://10.0.0.1:1/x", "10.0.0.1:1", "10.0.0.1", "/x", 1},
    {"https://a.example:65536/", NULL, NULL, NULL, 0},
    {"https://a.example:0/", NULL, NULL, NULL, 0},
    {"https://a.example:080/", NULL, NULL, NULL, 0},
    {"https://a.example:/", NULL, NULL, NULL, 0},
    {"https://a.example:8 443/", NULL, NULL, NULL, 0},
    {"https://a.example:1:2/", NULL, NULL, NULL, 0},
    {"https://user@a.example/", NULL, NULL, NULL, 0},
    {"https://user:pw@a.example/", NULL, NULL, NULL, 0},
    {"https://a.example/#f", NULL, NULL, NULL, 0},
    {"https://a.example?x", NULL, NULL, NULL, 0},
    {"https://a.example\\@b.example/", NULL, NULL, NULL, 0},
    {"https://a.example/\x7f", NULL, NULL, NULL, 0},
    {"https://a.example/\xc3\xa4", NULL, NULL, NULL, 0},
    {"https:///x", NULL, NULL, NULL, 0},
    {"https://[::1]/x", NULL, NULL, NULL, 0},
    {"http://a.example/", NULL, NULL, NULL, 0},
    {"https:/a.example/", NULL, NULL, NULL, 0},
    {"//a.example/", NULL, NULL, NULL, 0},
    {"https://", NULL, NULL, NULL, 0},
    {"", NULL, NULL, NULL, 0},
};

START_TEST(test_url)
{
    struct https_url url = {.port = 7};
    bool ok = https_url_parse(span_of(urls[_i].text), &url);
    ck_assert_int_eq(ok, urls[_i].authority != NULL);
    ck_assert_uint_eq(url.port, ok ? urls[_i].port : 7);
    if (!ok)
        return;
    ck_assert(span_eq_str(url.authority, urls[_i].authority));
    ck_assert(span_eq_str(url.host, urls[_i].host));
    ck_assert(span_eq_str(url.path, urls[_i].path));
}
END_TEST

START_TEST(test_longest)
{
    char text[HTTPS_URL_MAX + 1];
    struct https_url url;
    memset(text, 'a', sizeof(text));
    memcpy(text, "https://h/", 10);
    ck_assert(https_url_parse(span_bytes(text, HTTPS_URL_MAX), &url));
    ck_assert(!https_url_parse(span_bytes(text, HTTPS_URL_MAX + 1), &url));
}
END_TEST

static void fill(TCase *t)
{
    tcase_add_loop_test(t, test_url, 0, (int)ARRAY_LEN(urls));
    tcase_add_test(t, test_longest);
}

int main(void)
{
    return unit_run("https_url", fill);
}
