/* SPDX-License-Identifier: Apache-2.0 */
/* One text -> entries. */
#include "conf.h"

#include "conf_internal.h"
#include "utf8.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define LINE_MAX_BYTES 4096
#define ERRORS_MAX ((size_t)262144) /* bytes of collected messages; more are counted only */

void conf_error(struct conf_errors *e, struct conf_where where, const char *fmt, ...)
{
    char message[1024], line[PATH_MAX + sizeof message + 16];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    if (where.file && where.line)
        snprintf(line, sizeof line, "%s:%u: %s\n", where.file, where.line, message);
    else if (where.file)
        snprintf(line, sizeof line, "%s: %s\n", where.file, message);
    else
        snprintf(line, sizeof line, "%s\n", message);
    e->count++;
    if (e->text.max == 0)
        e->text.max = ERRORS_MAX;
    if (e->text.n + strlen(line) <= e->text.max)
        buf_put_str(&e->text, line);
}

void conf_errors_done(struct conf_errors *e)
{
    buf_done(&e->text);
    e->count = 0;
}

void conf_set_done(struct conf_set *set)
{
    for (size_t i = 0; i < set->n_files; i++) {
        free(set->files[i].path);
        free(set->files[i].text);
    }
    free(set->files);
    free(set->entries);
    *set = (struct conf_set){0};
}

/* Where the parser stands in one text. */
struct lines {
    struct conf_set *set;
    struct conf_errors *errors;
    struct conf_where where;
    const char *section, *name; /* NULL: no section yet, or one whose line was wrong */
    bool broken;                /* the last section line was wrong: its keys belong nowhere */
};

static bool grow(struct conf_set *set)
{
    if (set->n & (set->n - 1)) /* doubled whenever n is a power of two */
        return true;
    size_t n = set->n ? set->n * 2 : 1;
    struct conf_entry *p = reallocarray(set->entries, n, sizeof *p);
    if (p)
        set->entries = p;
    return p != NULL;
}

static int add_entry(struct lines *l, const char *key, const char *value)
{
    if (!grow(l->set))
        return -ENOMEM;
    l->set->entries[l->set->n++] = (struct conf_entry){l->where, l->section, l->name, key, value};
    return 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Cuts the blanks off both ends, in place. */
static char *trim(char *s)
{
    while (is_blank(*s))
        s++;
    size_t n = strlen(s);
    while (n > 0 && is_blank(s[n - 1]))
        n--;
    s[n] = '\0';
    return s;
}

/* A word of letters, digits and '-' that begins with a letter: sections and keys. */
static bool is_word(const char *s)
{
    for (const char *p = s; *p; p++)
        if (!ascii_is_letter(*p) && (p == s || (!ascii_is_digit(*p) && *p != '-')))
            return false;
    return *s != '\0';
}

static void section_error(struct lines *l, const char *what)
{
    l->section = NULL;
    l->broken = true;
    conf_error(l->errors, l->where, "%s", what);
}

/* "[Section]" or "[Section name]"; s is writable and starts with '['. */
static int parse_section(struct lines *l, char *s)
{
    size_t n = strlen(s);
    if (s[n - 1] != ']') {
        section_error(l, "a section line must end with ']'");
        return 0;
    }
    s[n - 1] = '\0';
    char *word = trim(s + 1);
    char *name = word + strcspn(word, " \t");
    if (*name)
        *name++ = '\0';
    name = trim(name);
    if (!is_word(word) || strpbrk(name, " \t[]")) {
        section_error(
            l, "a section is [Section] or [Section name], the name without blanks or brackets");
        return 0;
    }
    l->broken = false;
    l->section = word;
    l->name = name;
    return add_entry(l, NULL, "");
}

static int parse_key(struct lines *l, char *s)
{
    char *equals = strchr(s, '=');
    if (!equals) {
        conf_error(l->errors, l->where, "not a section, a comment or Key=value");
        return 0;
    }
    *equals = '\0';
    char *key = trim(s);
    if (!is_word(key))
        conf_error(l->errors, l->where, "the part before '=' is not a key");
    else if (!l->section && !l->broken)
        conf_error(l->errors, l->where, "%s= stands before the first section", key);
    else if (l->section)
        return add_entry(l, key, trim(equals + 1));
    return 0;
}

/* A sentence on what is wrong with the bytes of line `number`, or NULL. */
static const char *bad_bytes(struct span line, unsigned number)
{
    if (line.n > LINE_MAX_BYTES)
        return "the line is longer than 4096 bytes";
    if (!utf8_valid(line))
        return "the line is not UTF-8";
    if (number == 1 && span_starts(line, SPAN("\xef\xbb\xbf")))
        return "the file starts with a byte order mark; save it without one";
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        return "the line ends with a carriage return; save the file with plain line feeds";
    for (size_t i = 0; i < line.n; i++)
        if (((unsigned char)line.p[i] < 0x20 && line.p[i] != '\t') || line.p[i] == 0x7f)
            return "the line holds a control character";
    return NULL;
}

/* `line` is writable, NUL-terminated and n bytes long. */
static int parse_line(struct lines *l, char *line, size_t n)
{
    const char *bad = bad_bytes(span_bytes(line, n), l->where.line);
    if (bad) {
        /* a section line among the bad ones must not leave its keys to the section before it */
        if (line[strspn(line, " \t\xef\xbb\xbf")] == '[')
            section_error(l, bad);
        else
            conf_error(l->errors, l->where, "%s", bad);
        return 0;
    }
    char *s = trim(line);
    switch (*s) {
    case '\0':
    case '#':
    case ';':
        return 0;
    case '[':
        return parse_section(l, s);
    default:
        return parse_key(l, s);
    }
}

/* Takes a copy of path and text into the set; NULL: out of memory. */
static struct conf_file *add_file(struct conf_set *set, const char *path, struct span text)
{
    struct conf_file *files = reallocarray(set->files, set->n_files + 1, sizeof *files);
    if (!files)
        return NULL;
    set->files = files;
    struct conf_file f = {.path = strdup(path), .text = malloc(text.n + 1)};
    if (!f.path || !f.text) {
        free(f.path);
        free(f.text);
        return NULL;
    }
    if (text.n)
        memcpy(f.text, text.p, text.n);
    f.text[text.n] = '\0';
    files[set->n_files] = f;
    return &files[set->n_files++];
}

int conf_parse(struct conf_set *set, const char *path, struct span text, struct conf_errors *errors)
{
    const struct conf_file *f = add_file(set, path, text);
    if (!f)
        return -ENOMEM;
    struct lines l = {.set = set, .errors = errors, .where = {.file = f->path}};
    char *p = f->text, *end = p + text.n;
    while (p < end) {
        size_t n = span_find(span_bytes(p, (size_t)(end - p)), '\n');
        p[n] = '\0';
        l.where.line++;
        int e = parse_line(&l, p, n);
        if (e < 0)
            return e;
        p += n + 1;
    }
    return 0;
}
