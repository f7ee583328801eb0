#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A storm of clients that leave while their handler waits.

    tests/soak/cancel.py DEMO [CLIENTS]

DEMO is a spate-demo, best one built with a sanitizer. 100,000 clients take
some minutes:

    tests/soak/cancel.py build/dev/spate-demo 100000
    tests/soak/cancel.py build/tsan/spate-demo 100000

Two demos run, one of which asks the other. Each client asks for something
that waits: a sleep, room to send, the rest of a body, another server, a
thread of the pool, a blocking route, the heavy worker. It leaves at some
moment, by an end or a reset, and reads nothing or a little. Afterwards no
handler, task or call may wait in either demo, stacks have to be back at what
is kept, all connections closed, and each kind of wait must have been met.
"""

import random
import socket
import sys
import threading
import time

import demo

THREADS, BATCH = 4, 250
SETTLE_SECONDS = 90
STAYS = 5
KEPT = 32  # spare fibers of a worker, and as many stacks; one fiber polls


def get(target):
    return f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode()


def post_a_part(target, size=50000, part=5000):
    return (f"POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: {size}"
            "\r\n\r\n" + "x" * part).encode()


# What is asked for, by the route that it comes to, and which of the numbers
# of numbers_of() shows that the storm has met it.
KINDS = {
    "/sleep": ("cut", [get("/sleep?ms=60000"),
                       get("/sleep?ms=60000") + get("/offload?ms=300")]),
    "/bytes/:n": ("cut", [get("/bytes/9000000")]),
    "/slow-body": ("parked", [get("/slow-body?ms=20&n=3000")]),
    "/echo": ("cut", [post_a_part("/echo")]),
    "/proxy/*path": ("cut", [get("/proxy/sleep?ms=60000"),
                             get("/proxy/bytes/9000000"),
                             post_a_part("/proxy/echo"),
                             post_a_part("/proxy/echo", 9000000, 200000)]),
    "/fanout": ("parked", [get("/fanout?n=5&ms=60000")]),
    "/offload": ("cut", [get("/offload?ms=300")]),
    "/blocking": ("requests", [get("/blocking?ms=300")]),
    "/burn": ("requests", [get("/burn?us=300")]),
    "/events": ("cut", [get("/events?ms=50")]),
}
REQUESTS = [request for _, some in KINDS.values() for request in some]


def come(port, request, rng):
    client = socket.create_connection(("127.0.0.1", port), 30)
    try:
        client.sendall(request)
        if rng.random() < 0.2:
            client.settimeout(0.002)
            client.recv(rng.choice([1, 4096]))
    except OSError:
        pass
    return client


def storm(port, count, seed, done):
    """Clients in batches, so that many wait at a time."""
    rng = random.Random(seed)
    while done[seed] < count:
        clients = []
        for _ in range(min(BATCH, count - done[seed])):
            clients.append(come(port, rng.choice(REQUESTS), rng))
        time.sleep(rng.choice([0, 0.02, 0.1, 0.3]))
        rng.shuffle(clients)
        for client in clients:
            (demo.reset if rng.random() < 0.5 else socket.socket.close)(
                client)
        done[seed] += len(clients)


def what_is_left(server):
    """=> Returns what the demo still has of the storm, as text, or None."""
    stats, left = server.stats(), []
    for shard in stats["shards"]:
        fibers, workers = shard["fibers"], shard["workers"]
        for name, most in (("waiting", 0),
                           ("stacks", workers * (KEPT + 1)),
                           ("stacks_kept", workers * KEPT)):
            if fibers[name] > most:
                left.append(f"shard {shard['id']}: {name} {fibers[name]}")
    connections = sum(shard["connections"] for shard in stats["shards"])
    if connections > 1:  # ours
        left.append(f"connections {connections}")
    if stats["tasks"]["running"]:
        left.append(f"tasks {stats['tasks']['running']}")
    if stats["offload"]["queued"]:
        left.append(f"offload {stats['offload']['queued']}")
    if stats["blocking"]["queued"]:
        left.append(f"blocking {stats['blocking']['queued']}")
    return ", ".join(left) or None


def settle(server):
    end = time.monotonic() + SETTLE_SECONDS
    left = what_is_left(server)
    while left and time.monotonic() < end:
        time.sleep(0.1)
        left = what_is_left(server)
    return [f"{server.process.args[-1]}: left behind: {left}"] if left else []


def numbers_of(route):
    return {"requests": route["requests"],
            "cut": route["requests"] - route["latency"]["count"],
            "parked": route["phases_ns"]["parked"]}


def what_was_missed(server):
    """The routes of which the storm has not met what it is for."""
    found = {route["route"]: numbers_of(route)
             for route in server.stats()["routes"]}
    return [route for route, (name, _) in KINDS.items()
            if not found[route][name]]


def meet(server, routes):
    """Clients that stay: on a slow machine the others leave too soon."""
    rng = random.Random(0)
    clients = [come(server.port, request, rng)
               for route in routes for request in KINDS[route][1]]
    time.sleep(1)
    for client in clients:
        demo.reset(client)
    return settle(server)


def judge(server):
    """A storm that has missed something shows nothing."""
    problems = settle(server)
    for _ in range(STAYS):
        missed = what_was_missed(server)
        if missed:
            problems += meet(server, missed)
    found = server.stats()
    print("; ".join(f"{route['route']}: " + ", ".join(
        f"{name} {number}" for name, number in numbers_of(route).items())
                    for route in found["routes"] if route["route"] in KINDS))
    problems += [f"{route}: nothing {KINDS[route][0]}"
                 for route in what_was_missed(server)]
    if not found["offload"]["let_go"]:
        problems.append("no call of the pool was let go")
    return problems


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    program = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 100000
    shape = ["--shards", "2", "--workers", "2"]
    upstream = demo.Demo(program, "cancel-upstream", shape)
    server = None
    try:
        server = demo.Demo(program, "cancel", [
            *shape, "--upstream", f"127.0.0.1:{upstream.port}"])
        began, done = time.monotonic(), [0] * THREADS
        threads = [threading.Thread(target=storm, args=(
            server.port, count // THREADS, seed, done))
            for seed in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(f"{sum(done)} clients in {time.monotonic() - began:.1f} s:",
              server.sums("accepted", "closed", "fiber_waits", "aborted",
                          "upstream_connects", "upstream_errors"))
        problems = judge(server) + settle(upstream)
        problems += server.stop() + upstream.stop()
    finally:
        upstream.kill()
        if server:
            server.kill()
    demo.judge(problems)


if __name__ == "__main__":
    main()
