# SPDX-License-Identifier: BSD-2-Clause
"""What an idle connection costs in user memory, and the active ones.

Each connection asks once and then keeps still. The growth of the server's
resident memory, divided by their number, is the figure; at the end every one
of them must still answer. With active connections beside them their speed is
compared, in turn, with that of active ones on a second server that has no
others.
"""

import socket
import time

import bench
import proc
import servers
import table
import wrk

CONNECTIONS = 10000
ACTIVE = 64
LIMIT = 192
KEPT = 0.95
PER_SOURCE = 2500  # connections from one address, so that ports do not end
SETTLE_SECONDS = 1.5
REQUEST = (b"GET /plaintext HTTP/1.1\r\nHost: localhost\r\n"
           b"Connection: keep-alive\r\n\r\n")


def ask(link):
    link.sendall(REQUEST)
    return link.recv(4096).startswith(b"HTTP/1.1 200")


def connect(port, number):
    link = socket.socket()
    link.settimeout(10)
    try:
        link.bind((f"127.0.0.{2 + number // PER_SOURCE}", 0))
        link.connect(("127.0.0.1", port))
        if not ask(link):
            raise servers.Unusable(f"connection {number} got no answer")
    except BaseException:
        link.close()
        raise
    return link


def close(links):
    while links:
        links.pop().close()


def speed(settings, server, active):
    """=> Returns requests per second, and CPU time for each."""
    found = bench.watched(settings, server.url(), "-c", active, "-w", 0.1,
                          "-d", settings.seconds_of(0.3, 0.2),
                          pids=proc.tree(server.pid()))
    if not found["all"]["answered"]:
        raise wrk.Failed(f"{server.name}: active connections got no answers")
    return (found["all"]["rps"],
            found["watch"]["server_ns"] / 1000 / found["all"]["answered"])


def warm(settings, server):
    """What the first connections allocate for all is not counted."""
    bench.requests(settings, server.url(), 20000)
    settle()


def settle():
    time.sleep(SETTLE_SECONDS)


def compare(settings, server, description, active):
    """Active connections beside the idle ones, and on a server without."""
    with servers.Server(description, settings, server.port + 1) as empty:
        pairs = [(speed(settings, server, active),
                  speed(settings, empty, active))
                 for _ in range(settings.rounds)]
    return {"active": active, "rounds": pairs,
            "kept": table.median([ours[0] / alone[0]
                                  for ours, alone in pairs]),
            "cpu_ratio": table.median([ours[1] / alone[1]
                                       for ours, alone in pairs])}


def measure(settings, description, connections, active):
    links = []
    try:
        with servers.Server(description, settings, settings.port) as server:
            warm(settings, server)
            before = proc.resident_bytes(server.pid())
            for number in range(connections):
                links.append(connect(server.port, number))
            settle()
            after = proc.resident_bytes(server.pid())
            result = {"connections": connections, "before_bytes": before,
                      "after_bytes": after,
                      "bytes_each": (after - before) / connections}
            if active:
                result.update(
                    compare(settings, server, description, active))
            result["alive"] = sum(1 for link in links if ask(link))
            # Some stop only when nobody is there any more.
            close(links)
    finally:
        close(links)
    return result


def run(settings, connections=None, active=ACTIVE):
    connections = connections or (3000 if settings.quick else CONNECTIONS)
    descriptors = servers.raise_descriptor_limit()
    if connections + 64 > descriptors:
        raise servers.Unusable(f"{connections} connections need more than "
                               f"the {descriptors} descriptors there are")
    result, rows, made = {}, [], []
    names = settings.few() if settings.quick else settings.servers
    for description in servers.present(settings, names):
        label = description["name"]
        try:
            found = measure(settings, description, connections, active)
        except (wrk.Failed, OSError) as error:
            # One peer that breaks does not cost all the others.
            if label == "spate":
                raise
            print(f"{label}: not measured: {error}")
            continue
        result[label] = found
        rows.append([label, connections, found["alive"],
                     f"{found['bytes_each']:,.0f} B",
                     f"{found['before_bytes'] / 1024:,.0f} KiB",
                     *(f"{found[name]:.3f}" if active else "-"
                       for name in ("kept", "cpu_ratio"))])
        if label == "spate":
            made += claims(found)
            if found["alive"] != connections:
                raise servers.Unusable(
                    f"{connections - found['alive']} of {connections} "
                    "idle connections did not answer again")
    print(table.render(["server", "idle", "answer again", "memory each",
                        "before", "speed kept", "CPU x"], rows))
    return {"servers": result}, made


def claims(found):
    made = [table.Claim(
        f"user memory of an idle connection, of {found['connections']:,}",
        found["bytes_each"], LIMIT, unit=" B")]
    if "kept" in found:
        made.append(table.Claim(
            f"speed of {found['active']} active ones beside them",
            found["kept"], KEPT, least=True))
    return made
