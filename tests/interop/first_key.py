#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""first_key.py MINT_SOCKET RESOURCE AUDIENCE DOCUMENT_URL CA_FILE STOP_FILE: a receiver as the products' samples have it. It believes
keys[0] of the document and no other, keeps it, and reads the document again when a signature does not fit. It asks for tokens and
judges them until STOP_FILE exists, then prints how many were right and wrong, and how often the key was another one."""
import base64
import http.client
import json
import os
import socket
import ssl
import sys
import urllib.parse
import urllib.request

import jwt
from cryptography import x509

mint_socket, resource, audience, url, ca_file, stop_file = sys.argv[1:7]
tls = ssl.create_default_context(cafile=ca_file)


resolve = socket.getaddrinfo
# names below .localhost are this machine (RFC 6761 6.3), whatever the resolver says
socket.getaddrinfo = lambda host, *rest, **more: resolve(
    "127.0.0.1" if str(host).endswith(".localhost") else host, *rest, **more)


def first_key():
    with urllib.request.urlopen(url, context=tls, timeout=10) as answer:
        document = json.load(answer)
    der = base64.b64decode(document["keys"][0]["keyvalue"]["value"])
    return x509.load_der_x509_certificate(der).public_key()


class Local(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(mint_socket)


def token():
    form = urllib.parse.urlencode({"grant_type": "client_credentials", "resource": resource, "lifetime": 10})
    door = Local("localhost")
    door.request("POST", "/token", form, {"Content-Type": "application/x-www-form-urlencoded"})
    answer = door.getresponse()
    body = json.load(answer)
    door.close()
    if answer.status != 200:
        raise RuntimeError(f"{answer.status} {body}")
    return body["access_token"]


def judge(text, key):
    jwt.decode(text, key, algorithms=["RS256"], audience=audience, leeway=300)


right = wrong = changes = 0
key = first_key()
while not os.path.exists(stop_file):
    text = token()
    try:
        judge(text, key)
    except jwt.InvalidSignatureError:
        key = first_key()
        changes += 1
        try:
            judge(text, key)
        except jwt.InvalidTokenError as refusal:
            wrong += 1
            print("refused:", refusal, file=sys.stderr)
            continue
    right += 1
print(f"{right} right, {wrong} wrong, {changes} key changes")
sys.exit(wrong > 0 or right == 0)
