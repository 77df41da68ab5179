#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""partner.py PORT CERT KEY FOLDER: a partner's web server in trouble. Each request is answered as FOLDER/mode says; the good document is
FOLDER/document; every request line goes to FOLDER/requests."""
import socket
import ssl
import sys
import threading
import time
from email.utils import formatdate

port, cert, key, folder = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]


def read(name):
    with open(f"{folder}/{name}", "rb") as f:
        return f.read()


def ok(body, extra=b""):
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + extra + b"Content-Length: %d\r\n\r\n" % len(body) + body


def answer(conn, mode):
    document = read("document")
    other = document.replace(b"00000004-0000-0ff1-ce00-000000000000", b"00000003-0000-0ff1-ce00-000000000000")
    answers = {
        "good": ok(document, b'ETag: "one"\r\n'),
        "ahead": ok(document, b"Date: %s\r\n" % formatdate(time.time() + 212, usegmt=True).encode()),
        "late": ok(document, b'ETag: "one"\r\n'),
        "redirect": b"HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n",
        "error": b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 600\r\nContent-Length: 0\r\n\r\n",
        "not-json": ok(b"<html>It works!</html>"),
        "other-application": ok(other),
        "no-keys": ok(document[:document.index(b'"keys"')] + b'"keys":[]}'),
        "compressed": ok(b"\x1f\x8b\x08\x00 not really", b"Content-Encoding: gzip\r\n"),
        "not-http": b"SSH-2.0-OpenSSH_9.2\r\n",
        "cut": ok(document)[:-100],
    }
    if mode == "huge":
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(160):
            conn.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")
        conn.sendall(b"0\r\n\r\n")
    elif mode == "slow":
        waits = threading.Event()
        for byte in ok(document):
            conn.sendall(bytes([byte]))
            waits.wait(0.5)
    else:
        if mode == "late":  # time enough for everybody to be waiting
            threading.Event().wait(0.7)
        conn.sendall(answers[mode])


def serve(raw, context):
    try:
        with context.wrap_socket(raw, server_side=True) as conn:
            head = b""
            while b"\r\n\r\n" not in head:
                piece = conn.recv(4096)
                if not piece:
                    return
                head += piece
            with open(f"{folder}/requests", "ab") as f:
                f.write(head.split(b"\r\n")[0] + b"\n")
            answer(conn, read("mode").decode().strip())
    except OSError:
        pass  # the peer gave up, which is what most of these are about


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
listener = socket.create_server(("127.0.0.1", port))
while True:
    peer, _ = listener.accept()
    threading.Thread(target=serve, args=(peer, context), daemon=True).start()
