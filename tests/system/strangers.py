#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""strangers.py WHAT ARGUMENTS: peers that come in numbers and mean no good. Prints what became of them."""
import os
import socket
import ssl
import sys
import time

what, arguments = sys.argv[1], sys.argv[2:]


def become(user):
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)


def dial(path):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(5)
    s.connect(path)
    return s


def call(path, message):
    """One connection, one call, one answer."""
    with dial(path) as s:
        s.sendall(message + b"\0")
        answer = b""
        while not answer.endswith(b"\0"):
            piece = s.recv(65536)
            if not piece:
                break
            answer += piece
        return answer


def refused():
    """SOCKET TIMES MESSAGE [USER]: calls that are refused; how many, and in how many seconds. Root may control whatever the rules
    say, so it asks as that user."""
    path, times, message = arguments[0], int(arguments[1]), arguments[2].encode()
    if arguments[3:] and os.getuid() == 0:
        become(int(arguments[3]))
    begun = time.monotonic()
    count = sum(b'"error"' in call(path, message) for _ in range(times))
    print(count, int(time.monotonic() - begun) + 1)


def storm():
    """SOCKET CONNECTIONS STOP_FILE USER: takes all places that the user gets and knocks for more until the file is there."""
    become(int(arguments[3]))
    places = [dial(arguments[0]) for _ in range(int(arguments[1]))]
    more = []
    print(len(places), flush=True)
    while not os.path.exists(arguments[2]):
        try:
            more.append(dial(arguments[0]))
        except OSError:
            pass
        if len(more) > 500:
            for s in more[:250]:
                s.close()
            more = more[250:]
        time.sleep(0.002)


def stay():
    """PORT HOST CA SILENT IDLE STOP_FILE: so many connections that say nothing, and so many that stay after an answer."""
    port, host, ca, silent, idle, stop = arguments
    held = [socket.create_connection(("127.0.0.1", int(port))) for _ in range(int(silent))]
    context = ssl.create_default_context(cafile=ca)
    for _ in range(int(idle)):
        s = context.wrap_socket(socket.create_connection(("127.0.0.1", int(port))), server_hostname=host)
        s.sendall(b"HEAD /metadata/json/1 HTTP/1.1\r\nHost: %s\r\n\r\n" % host.encode())
        s.recv(4096)
        held.append(s)
    print(len(held), flush=True)
    while not os.path.exists(stop):
        time.sleep(0.05)


{"refused": refused, "storm": storm, "stay": stay}[what]()
