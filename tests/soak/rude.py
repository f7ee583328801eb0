#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Rude clients against the demo: churn, slow ones, and random closes.

    tests/soak/rude.py DEMO BENCH [SECONDS]

DEMO is a spate-demo, best one built with a sanitizer: build/dev/spate-demo
or build/tsan/spate-demo. BENCH is a spate-bench, or "-" for none.

wrk closes a connection after each request, spate-bench reads slowly and
leaves heads half sent, and this script connects, sends a part of something,
reads a part of the answer, and resets. Then the demo is stopped, and has to
have ended well, said nothing that a sanitizer would say, and closed whatever
it accepted.
"""

import random
import socket
import subprocess
import sys
import threading
import time

import demo

REQUESTS = [
    b"GET /plaintext HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /plaintext HTTP/1.1\r\nHost: a\r\n\r\n" * 20,
    b"GET /bytes/3000000 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\n"
    + b"x" * 50000,
    b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"1000\r\n" + b"y" * 4096 + b"\r\n" + b"0\r\n\r\n",
    b"GET /users/%41%42?x=1 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /burn?us=2000 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    b"PUT /json HTTP/1.1\r\nHost: a\r\n\r\n",
]


def be_rude(port, until, seed, done):
    rng = random.Random(seed)
    while time.monotonic() < until:
        try:
            client = socket.create_connection(("127.0.0.1", port), 5)
            request = rng.choice(REQUESTS)
            cut = len(request) if rng.random() < 0.5 else rng.randrange(
                len(request))
            client.sendall(request[:cut])
            client.settimeout(rng.choice([0.001, 0.01, 0.05]))
            for _ in range(rng.randrange(4)):
                client.recv(rng.choice([1, 1000, 65536]))
        except OSError:
            pass
        finally:
            (demo.reset if rng.random() < 0.5 else socket.socket.close)(client)
            done[0] += 1


def run_load(port, bench, seconds):
    url = f"http://127.0.0.1:{port}"
    children = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
        for command in (
            ["wrk", "-t1", "-c32", f"-d{seconds}", "-H", "Connection: close",
             f"{url}/plaintext"],
            ["wrk", "-t1", "-c16", f"-d{seconds}", f"{url}/json"],
            [bench, "-c", "4", "-d", str(seconds), "--slow", "8@2000",
             "--half-open", "16", f"{url}/bytes/20000"],
        ) if command[0] != "-"
    ]
    done = [0]
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=be_rude, args=(port, until, seed, done))
               for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for child in children:
        try:
            child.wait(30)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    return done[0]


COUNTERS = ("accepted", "closed", "connections", "requests", "aborted",
            "stale_events", "ready_published", "stolen", "fiber_waits")


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    program, bench = sys.argv[1:3]
    seconds = int(sys.argv[3]) if len(sys.argv) > 3 else 60
    server = demo.Demo(program, "rude", ["--shards", "2", "--workers", "2"])
    try:
        rude = run_load(server.port, bench, seconds)
        for _ in range(250):
            left = server.sums(*COUNTERS)
            if left["connections"] <= 1:
                break
            time.sleep(0.02)
        print(f"{seconds} s, {rude} rude clients:", left)
        problems = server.stop()
    finally:
        server.kill()
    if left["accepted"] != left["closed"] + left["connections"]:
        problems.append("accepted is not closed + open")
    if left["connections"] > 1:
        problems.append(f"{left['connections']} connections are left")
    demo.judge(problems)


if __name__ == "__main__":
    main()
