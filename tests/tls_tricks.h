/* SPDX-License-Identifier: Apache-2.0 */
/* Tests: everything that a web server can do wrong with one document, and what is right. */
#pragma once

#include "tls_peer.h"

#define DOCUMENT "{\"id\":\"a document\"}"

static inline void say_ok(struct tls_talk *t)
{
    tls_say_text(t, "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nCache-Control: max-age=600\r\n"
                    "Last-Modified: Tue, 24 Nov 2026 12:00:00 GMT\r\n"
                    "Date: Wed, 01 Jan 2025 02:53:20 GMT\r\nContent-Length: 19\r\n\r\n" DOCUMENT);
}

static inline void say_not_modified(struct tls_talk *t)
{
    bool asked = strstr(t->request, "If-None-Match: \"v1\"\r\n") &&
                 strstr(t->request, "If-Modified-Since: Tue, 24 Nov 2026 12:00:00 GMT\r\n");
    tls_say_text(t, asked ? "HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n\r\n"
                          : "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
}

static inline void say_304_unasked(struct tls_talk *t)
{
    tls_say_text(t, "HTTP/1.1 304 Not Modified\r\n\r\n");
}

static inline void say_redirect(struct tls_talk *t)
{
    tls_say_text(
        t, "HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1/x\r\nContent-Length: 0\r\n\r\n");
}

static inline void say_zeros(struct tls_talk *t, size_t n)
{
    static const char zeros[65536];
    for (; n >= sizeof(zeros); n -= sizeof(zeros))
        if (!tls_say(t, zeros, sizeof(zeros)))
            return;
    tls_say(t, zeros, n);
}

static inline void say_10_mib(struct tls_talk *t)
{
    tls_say_text(t, "HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\n\r\n");
    say_zeros(t, 10485760);
}

static inline void say_chunks_without_end(struct tls_talk *t)
{
    tls_say_text(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 160; i++) {
        tls_say_text(t, "10000\r\n");
        say_zeros(t, 65536);
        if (!tls_say_text(t, "\r\n"))
            return;
    }
}

/* Without a length the end of the connection would be the end of the document, whoever ended it. */
static inline void say_until_close(struct tls_talk *t)
{
    tls_say_text(t, "HTTP/1.1 200 OK\r\n\r\n" DOCUMENT);
}

static inline void say_in_chunks(struct tls_talk *t)
{
    tls_say_text(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "5\r\n{\"id\"\r\ne\r\n:\"a document\"}\r\n0\r\nETag: \"trailer\"\r\n\r\n");
}

static inline void say_slowly(struct tls_talk *t)
{
    tls_say_text(t, "HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n");
    for (const char *p = DOCUMENT; *p; p++) {
        if (!tls_say(t, p, 1))
            return;
        usleep(200000);
    }
}

static inline void say_nothing(struct tls_talk *t)
{
    (void)t;
    sleep(20);
}

static inline void close_at_once(struct tls_talk *t)
{
    (void)t;
}

static inline void say_half(struct tls_talk *t)
{
    tls_say_text(t, "HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n{\"id\"");
}

static inline void say_half_chunks(struct tls_talk *t)
{
    tls_say_text(t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"id\"\r\n");
}

/* The connection is cut without TLS saying so. */
static inline void cut_without_close_notify(struct tls_talk *t)
{
    tls_say_text(t, "HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n{\"id\"");
    shutdown(t->fd, SHUT_RDWR);
    _exit(0);
}

static inline void say_half_a_head(struct tls_talk *t)
{
    tls_say_text(t, "HTTP/1.1 200 OK\r\nContent-Le");
}

static inline void say_gzip(struct tls_talk *t)
{
    bool asked = strstr(t->request, "Accept-Encoding") != NULL;
    tls_say_text(
        t, asked ? "HTTP/1.1 500 Asked\r\n\r\n"
                 : "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nxxxxx");
}

static inline void say_transfer_gzip(struct tls_talk *t)
{
    tls_say_text(
        t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n5\r\nxxxxx\r\n0\r\n\r\n");
}

static inline void say_503(struct tls_talk *t)
{
    tls_say_text(t, "HTTP/1.1 503 Busy\r\nRetry-After: 120\r\nContent-Length: 4\r\n\r\nbusy");
}

static inline void say_404_and_10_mib(struct tls_talk *t)
{
    tls_say_text(t, "HTTP/1.1 404 Gone\r\nContent-Length: 10485760\r\n\r\n");
    say_zeros(t, 10485760);
}

static inline void say_204(struct tls_talk *t)
{
    tls_say_text(t, "HTTP/1.1 204 No Content\r\n\r\n");
}

static inline void say_206(struct tls_talk *t)
{
    tls_say_text(
        t, "HTTP/1.1 206 Part\r\nContent-Range: bytes 0-4/19\r\nContent-Length: 5\r\n\r\n{\"id\"");
}

static inline void say_junk(struct tls_talk *t)
{
    tls_say_text(t, "SSH-2.0-OpenSSH_9.2\r\n\r\n");
}

static inline void say_two_lengths(struct tls_talk *t)
{
    tls_say_text(t, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 19\r\n\r\n" DOCUMENT);
}

static inline void say_many_headers(struct tls_talk *t)
{
    tls_say_text(t, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 10000; i++)
        if (!tls_say_text(t, "X: y\r\n"))
            return;
}

static inline void say_a_large_header(struct tls_talk *t)
{
    static char line[65536];
    memset(line, 'y', sizeof(line));
    memcpy(line, "X: ", 3);
    tls_say_text(t, "HTTP/1.1 200 OK\r\n");
    tls_say(t, line, sizeof(line));
    tls_say_text(t, "\r\nContent-Length: 19\r\n\r\n" DOCUMENT);
}

static inline void say_interim_for_ever(struct tls_talk *t)
{
    for (int i = 0; i < 100000; i++)
        if (!tls_say_text(t, "HTTP/1.1 103 Early Hints\r\n\r\n"))
            return;
}

static inline void say_interim_once(struct tls_talk *t)
{
    tls_say_text(t, "HTTP/1.1 103 Early Hints\r\nETag: \"early\"\r\n\r\n");
    say_ok(t);
}

/* Says back what it was asked. */
static inline void say_request(struct tls_talk *t)
{
    char head[128];
    snprintf(
        head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", strlen(t->request));
    tls_say_text(t, head);
    tls_say_text(t, t->request);
}
