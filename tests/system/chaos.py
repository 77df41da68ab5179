#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""chaos.py MINT_SOCKET VALIDATE_SOCKET RESOURCE FORGED STOP_FILE CLIENTS: programs that mint and validate in a loop until STOP_FILE is there. A
request ends with the right answer, with 503 and Retry-After, or with a closed connection; and it succeeds on retry within two
seconds. Anything else is counted as wrong and printed."""
import json
import os
import socket
import sys
import threading
import time
import urllib.parse

mint_socket, validate_socket, resource, forged, stop, clients = sys.argv[1:7]
forged = open(forged, encoding="ascii").read().strip()
RETRY_S = 2.0
counts = {"right": 0, "try_later": 0, "closed": 0, "slow": 0, "wrong": 0}
worst = 0.0
lock = threading.Lock()


def post(path, target, form):
    """(status, headers, body) or None for a connection that was closed."""
    body = urllib.parse.urlencode(form).encode()
    try:
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(path)
            s.sendall(b"POST %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                      b"Content-Length: %d\r\n\r\n" % (target.encode(), len(body)) + body)
            data = b""
            while True:
                piece = s.recv(65536)
                if not piece:
                    break
                data += piece
    except ConnectionError:
        return None
    head, _, rest = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    if len(lines) < 2:
        return None
    headers = {k.lower(): v.strip() for k, v in (x.split(":", 1) for x in lines[1:])}
    if len(rest) < int(headers.get("content-length", "0")):
        return None
    return int(lines[0].split()[1]), headers, json.loads(rest) if rest else {}


def note(what, text=""):
    with lock:
        counts[what] += 1
    if what == "wrong":
        print("wrong:", text[:300], flush=True)


def insist(path, target, form, is_right):
    """Asks until the right answer comes; says how it went. None when the loop should end."""
    global worst
    begun = time.monotonic()
    while True:
        got = post(path, target, form)
        if got is None:
            note("closed")
        elif got[0] == 200:
            if not is_right(got[2]):
                note("wrong", f"{target} {got[2]}")
                return None
            note("right")
            took = time.monotonic() - begun
            with lock:
                worst = max(worst, took)
            if took > RETRY_S:
                note("slow")
            return got[2]
        elif got[0] == 503 and "retry-after" in got[1]:
            note("try_later")
        else:
            note("wrong", f"{target} {got}")
            return None
        if os.path.exists(stop):
            return None
        time.sleep(0.02)


def client(number):
    turn = 0
    while not os.path.exists(stop):
        turn += 1
        minted = insist(mint_socket, "/token", {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "resource": resource,
            "subject_token": f"u{number}.{turn}@contoso.example",
            "subject_token_type": "urn:s2sd:params:oauth:token-type:upn"}, lambda a: a.get("access_token", "").endswith("."))
        if minted:
            user = f"u{number}.{turn}@contoso.example"
            insist(validate_socket, "/introspect", {"token": minted["access_token"]},
                   lambda a: a.get("active") is True and a["s2s_user"]["upn"] == user)
        insist(validate_socket, "/introspect", {"token": forged}, lambda a: a == {"active": False})


threads = [threading.Thread(target=client, args=(n,)) for n in range(int(clients))]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(f"chaos: {counts['right']} right answers, {counts['try_later']} times 503 with Retry-After, {counts['closed']} closed connections, "
      f"{counts['wrong']} wrong answers, {counts['slow']} slower than {RETRY_S} s, worst {worst:.3f} s")
sys.exit(counts["wrong"] > 0 or counts["slow"] > 0 or counts["right"] < 100)
