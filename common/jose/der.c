/* SPDX-License-Identifier: Apache-2.0 */
#include "der.h"

#include "clock.h"

#define TAG_NUMBER_MASK 0x1F /* all ones: the tag goes on in more bytes */
#define LENGTH_LONG 0x80
#define LENGTH_BYTES_MAX 3

/* Length bytes at `*at`; advances it. The long form must not say what a shorter form could. */
static bool read_length(struct span in, size_t *at, size_t *ret)
{
    if (*at >= in.n)
        return false;
    uint8_t first = (uint8_t)in.p[(*at)++];
    if (first < LENGTH_LONG) {
        *ret = first;
        return true;
    }
    size_t bytes = first & 0x7F;
    if (bytes == 0 || bytes > LENGTH_BYTES_MAX || bytes > in.n - *at)
        return false;
    size_t v = 0;
    for (size_t i = 0; i < bytes; i++)
        v = v << 8 | (uint8_t)in.p[(*at)++];
    if (v < LENGTH_LONG || v >> (8 * (bytes - 1)) == 0)
        return false;
    *ret = v;
    return true;
}

bool der_next(struct span *in, uint8_t *ret_tag, struct span *ret_content, struct span *ret_whole)
{
    if (in->n == 0)
        return false;
    uint8_t tag = (uint8_t)in->p[0];
    size_t at = 1, len = 0;
    if ((tag & TAG_NUMBER_MASK) == TAG_NUMBER_MASK || !read_length(*in, &at, &len) ||
        len > in->n - at)
        return false;
    if (ret_whole)
        *ret_whole = (struct span){in->p, at + len};
    *ret_tag = tag;
    *ret_content = (struct span){in->p + at, len};
    *in = span_skip(*in, at + len);
    return true;
}

bool der_take(struct span *in, uint8_t tag, struct span *ret_content)
{
    uint8_t found;
    return der_peek(*in, tag) && der_next(in, &found, ret_content, NULL);
}

bool der_peek(struct span in, uint8_t tag)
{
    return in.n && (uint8_t)in.p[0] == tag;
}

bool der_integer(struct span *in, struct span *ret)
{
    struct span rest = *in, v;
    if (!der_take(&rest, DER_INTEGER, &v) || v.n == 0)
        return false;
    if (v.n > 1) {
        bool next_high = (uint8_t)v.p[1] & 0x80;
        uint8_t first = (uint8_t)v.p[0];
        if ((first == 0x00 && !next_high) || (first == 0xFF && next_high))
            return false;
    }
    *in = rest;
    *ret = v;
    return true;
}

bool der_positive(struct span *in, struct span *ret)
{
    struct span rest = *in, v;
    if (!der_integer(&rest, &v) || (uint8_t)v.p[0] & 0x80)
        return false;
    if (v.p[0] == 0)
        v = span_skip(v, 1);
    if (v.n == 0)
        return false;
    *in = rest;
    *ret = v;
    return true;
}

bool der_bits(struct span *in, struct span *ret)
{
    struct span rest = *in, v;
    if (!der_take(&rest, DER_BIT_STRING, &v) || v.n == 0 || v.p[0] != 0)
        return false;
    *in = rest;
    *ret = span_skip(v, 1);
    return true;
}

/* Two decimal digits, or -1. */
static int two_digits(const char *p)
{
    if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
        return -1;
    return (p[0] - '0') * 10 + (p[1] - '0');
}

static int days_of_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

/* "MMDDHHMMSSZ" of that year. */
static bool date_of_year(int year, const char *p, int64_t *ret)
{
    int month = two_digits(p), day = two_digits(p + 2), hour = two_digits(p + 4);
    int minute = two_digits(p + 6), second = two_digits(p + 8);
    if (month < 1 || month > 12 || day < 1 || day > days_of_month(year, month))
        return false;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
        return false;
    if (p[10] != 'Z')
        return false;
    *ret = clock_from_civil(year, month, day, hour, minute, second);
    return true;
}

bool der_time(struct span *in, int64_t *ret)
{
    struct span rest = *in, v;
    uint8_t tag;
    if (!der_next(&rest, &tag, &v, NULL))
        return false;
    int year = -1;
    if (tag == DER_UTC_TIME && v.n == sizeof("YYMMDDHHMMSSZ") - 1) {
        int short_year = two_digits(v.p);
        year = short_year < 0 ? -1 : short_year + (short_year < 50 ? 2000 : 1900);
        v = span_skip(v, 2);
    } else if (tag == DER_GENERALIZED_TIME && v.n == sizeof("YYYYMMDDHHMMSSZ") - 1) {
        int high = two_digits(v.p), low = two_digits(v.p + 2);
        year = high < 0 || low < 0 ? -1 : high * 100 + low;
        v = span_skip(v, 4);
    }
    if (year < 0 || !date_of_year(year, v.p, ret))
        return false;
    *in = rest;
    return true;
}

enum reason der_rsa_algorithm(struct span *in)
{
    /* 1.2.840.113549.1.1.1 */
    static const struct span rsa_encryption = {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", 9};
    struct span rest = *in, algorithm, oid, null;
    if (!der_take(&rest, DER_SEQUENCE, &algorithm) || !der_take(&algorithm, DER_OID, &oid))
        return REASON_KEY_FORM;
    if (!span_eq(oid, rsa_encryption))
        return REASON_KEY_TYPE;
    if (!der_take(&algorithm, DER_NULL, &null) || null.n || algorithm.n)
        return REASON_KEY_FORM;
    *in = rest;
    return REASON_OK;
}
