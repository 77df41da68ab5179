#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Programs that validate tokens of keys that nobody has announced, over the HTTP door.

unknown_keys.py together SOCKET KEY.pem ISSUER AUDIENCE CLIENTS
    So many clients, each with a connection and a token of its own, ask at the same moment. All must be told that it is active.
unknown_keys.py flood SOCKET KEY.pem ISSUER AUDIENCE SECONDS PER_SECOND KIND
    Validates good tokens, with and without a flood of bad ones beside it in turn, for SECONDS each: KIND random-ids names keys by
    random thumbprints, forged puts random signatures under the good key's, good is the same load of good tokens, to compare with. Prints the latencies of the good ones, and one line
    'ratio R sent N slowest S': the 99th percentile with the flood over that without, how many bad ones were sent, and how many
    seconds the slowest of their answers took. A bad one that is believed, or a good one that is not, ends it."""
import base64
import hashlib
import json
import multiprocessing
import os
import random
import socket
import sys
import threading
import time

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

door, key_file, issuer, audience = sys.argv[2:6]
WINDOW_S = 0.5  # the flood is on for so long, then off for so long: both see the same machine
EDGE_S = 0.02   # what begins so near a change belongs to neither


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def make_tokens(n):
    with open(key_file, "rb") as f:
        pem = f.read()
    key = load_pem_private_key(pem, None)
    x5t = b64(hashlib.sha1(x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)).digest())
    now = int(time.time())
    claims = {"aud": audience, "iss": issuer, "nbf": str(now - 60), "nameid": issuer}
    return [jwt.encode({**claims, "exp": str(now + 3000 + i)}, key, algorithm="RS256", headers={"x5t": x5t}) for i in range(n)]


def bad_token(good, kind):
    head, claims, signature = good.split(".")
    if kind == "random-ids":
        head = b64(json.dumps({"typ": "JWT", "alg": "RS256", "x5t": b64(os.urandom(20))}).encode())
    return ".".join((head, claims, b64(os.urandom(256)) if kind == "forged" else signature))


class Client:
    """One connection that is kept."""

    def __init__(self):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(20)
        self.s.connect(door)

    def send(self, token):
        body = b"token=" + token.encode()
        self.s.sendall(b"POST /introspect HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                       b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def hear(self):
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.s.recv(65536)
            if not piece:
                raise SystemExit("the connection was closed")
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(int(x.split(b":")[1]) for x in head.split(b"\r\n") if x.lower().startswith(b"content-length:"))
        while len(body) < length:
            body += self.s.recv(65536)
        return int(head.split()[1]), json.loads(body)

    def ask(self, token):
        self.send(token)
        return self.hear()


def together(n):
    tokens = make_tokens(n)
    clients = [Client() for _ in range(n)]
    answers = [None] * n
    start = threading.Barrier(n)

    def run(i):
        start.wait()
        answers[i] = clients[i].ask(tokens[i])

    threads = [threading.Thread(target=run, args=(i,)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    active = sum(1 for a in answers if a and a[0] == 200 and a[1].get("active") is True)
    others = [a for a in answers if not (a and a[0] == 200 and a[1].get("active") is True)]
    print(f"{active} of {n} accepted", others[:3])
    return active == n


def is_on(begun, now):
    """Is the flood on, off, or None near a change?"""
    window, within = divmod(now - begun, WINDOW_S)
    return None if within < EDGE_S or within > WINDOW_S - EDGE_S else bool(int(window) % 2)


def flooder(begun, until, good, rate, kind, results):
    clients = [Client() for _ in range(4)]
    sent, slowest = 0, 0.0
    due = time.monotonic()
    while time.monotonic() < until:
        now = time.monotonic()
        if not is_on(begun, now):
            time.sleep(0.005)
            due = time.monotonic()
            continue
        status, answer = clients[sent % len(clients)].ask(bad_token(good, kind))
        slowest = max(slowest, time.monotonic() - now)
        if status != 200 or answer.get("active") is not (kind == "good"):
            raise SystemExit(f"a token of the flood was answered {status} {answer}")
        sent += 1
        due += 1 / rate
        time.sleep(max(0.0, due - time.monotonic()))
    results.put((sent, slowest))


def percentile(values, p):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * p))]


def flood(seconds, rate, kind):
    tokens = make_tokens(50)
    client = Client()
    begun = time.monotonic() + 0.5
    until = begun + 2 * seconds
    results = multiprocessing.Queue()
    other = multiprocessing.Process(target=flooder, args=(begun, until, tokens[0], rate, kind, results))
    other.start()
    took = {False: [], True: [], None: []}
    while time.monotonic() < until:
        now = time.monotonic()
        status, answer = client.ask(random.choice(tokens))
        took[is_on(begun, now)].append(time.monotonic() - now)
        if status != 200 or answer.get("active") is not True:
            raise SystemExit(f"a good token was answered {status} {answer}")
        time.sleep(0.001)
    other.join()
    if other.exitcode != 0:
        return False
    sent, slowest = results.get()
    for on, name in ((False, "without"), (True, "with")):
        print(f"{name} the flood: {len(took[on])} validations, median {percentile(took[on], 0.5) * 1e6:.0f} us, "
              f"p99 {percentile(took[on], 0.99) * 1e6:.0f} us")
    print(f"ratio {percentile(took[True], 0.99) / percentile(took[False], 0.99):.2f} sent {sent} slowest {slowest:.3f}")
    return True


if sys.argv[1] == "together":
    sys.exit(not together(int(sys.argv[6])))
sys.exit(not flood(float(sys.argv[6]), float(sys.argv[7]), sys.argv[8]))
