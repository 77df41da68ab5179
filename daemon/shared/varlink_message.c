/* SPDX-License-Identifier: Apache-2.0 */
#include "varlink_message.h"

static const struct json_field fields[] = {
    {"method", JSON_STRING, offsetof(struct varlink_message, method), JSON_MANDATORY},
    {"parameters", JSON_OBJECT, offsetof(struct varlink_message, parameters), JSON_OPTIONAL},
    {"oneway", JSON_BOOL, offsetof(struct varlink_message, oneway), JSON_OPTIONAL},
    {"more", JSON_BOOL, offsetof(struct varlink_message, more), JSON_OPTIONAL},
    {"upgrade", JSON_BOOL, offsetof(struct varlink_message, upgrade), JSON_OPTIONAL},
};

static void split(struct varlink_message *m)
{
    size_t n = m->method.n;
    while (n > 0 && m->method.p[n - 1] != '.')
        n--;
    m->interface = (struct span){m->method.p, n > 0 ? n - 1 : 0};
    m->name = span_skip(m->method, n);
}

bool varlink_message_read(
    struct json_doc *doc, struct span text, size_t max, struct varlink_message *ret)
{
    const struct json_limits limits = {.bytes = max, .members = VARLINK_MEMBERS_MAX};
    const struct json_value *top = NULL;
    struct varlink_message m = {0};
    struct span bad = {0};
    if (!doc || json_parse(doc, text, &limits, &top) != REASON_OK || top->type != JSON_OBJECT ||
        json_fields(top, fields, ARRAY_LEN(fields), true, &m, &bad) != REASON_OK)
        return false;
    split(&m);
    *ret = m;
    return true;
}

bool varlink_message_arguments(const struct varlink_message *m, const struct json_field *wanted,
    size_t n_wanted, void *args, struct span *ret_bad)
{
    static const struct json_value none = {.type = JSON_OBJECT};
    return json_fields(m->parameters ? m->parameters : &none, wanted, n_wanted, true, args,
               ret_bad) == REASON_OK;
}

void varlink_error_put(struct buf *out, const char *error, struct span parameters)
{
    struct json_out j;
    json_out_start(&j, out);
    json_out_object(&j, NULL);
    json_out_str(&j, "error", error);
    json_out_raw(&j, "parameters", parameters.n ? parameters : SPAN("{}"));
    json_out_object_end(&j);
}

void varlink_one_put(struct buf *out, const char *name, struct span value)
{
    struct json_out j;
    json_out_start(&j, out);
    json_out_object(&j, NULL);
    json_out_span(
        &j, name, value.n <= VARLINK_SHOWN_MAX ? value : (struct span){value.p, VARLINK_SHOWN_MAX});
    json_out_object_end(&j);
}

void varlink_info_put(struct buf *out, const char *const *interfaces, size_t n)
{
    struct json_out j;
    json_out_start(&j, out);
    json_out_object(&j, NULL);
    json_out_str(&j, "vendor", "s2sd");
    json_out_str(&j, "product", "s2sd");
    json_out_str(&j, "version", S2SD_VERSION);
    json_out_str(&j, "url", "");
    json_out_array(&j, "interfaces");
    for (size_t i = 0; i < n; i++)
        json_out_str(&j, NULL, interfaces[i]);
    json_out_str(&j, NULL, "org.varlink.service");
    json_out_array_end(&j);
    json_out_object_end(&j);
}
