#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds several connections to the validate door, so that every validator has some, and asks the same question over all
of them: `operators.py SOCKET TOKENFILE COUNT`. Each line on standard input asks once more; the answer is one line: the
different verdicts, "active" or the reason, with how often each was given."""
import collections
import http.client
import json
import socket
import sys
import urllib.parse


class Door(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(20)
        self.sock.connect(self.path)


def ask(door, body):
    door.request("POST", "/introspect", body, {"Content-Type": "application/x-www-form-urlencoded"})
    answer = json.loads(door.getresponse().read())
    return "active" if answer.get("active") else answer.get("reason", "no reason")


def main():
    path, token_file, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with open(token_file) as f:
        body = urllib.parse.urlencode({"token": f.read().strip(), "explain": "1"})
    doors = [Door(path) for _ in range(count)]
    for door in doors:
        door.connect()
    for _ in sys.stdin:
        said = collections.Counter(ask(door, body) for door in doors)
        print(" ".join(f"{what} x{n}" for what, n in sorted(said.items())), flush=True)


main()
