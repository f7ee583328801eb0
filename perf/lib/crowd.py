# SPDX-License-Identifier: BSD-2-Clause
"""More idle connections than one process may have descriptors for.

So many are spread over as many servers as they need, each with a client
process of its own. When all are there, active connections ask the first server
and one that has none; at the end every connection must still answer.
"""

import contextlib
import pathlib
import subprocess
import sys

import idle
import proc
import servers
import table

TOTAL = 200000
EACH = 18000  # of one process; it needs some descriptors for itself
SCRIPT = pathlib.Path(__file__).resolve().parent.parent / "crowd"


def client(port, first, count):
    """A process of its own: holds its connections until it is told."""
    servers.raise_descriptor_limit()
    links = [idle.connect(port, first + number) for number in range(count)]
    print(len(links), flush=True)
    sys.stdin.readline()
    print(sum(1 for link in links if idle.ask(link)), flush=True)
    sys.stdin.readline()


class Client:
    def __init__(self, server, first, count):
        self.process = subprocess.Popen(
            [sys.executable, str(SCRIPT), "--client",
             f"{server.port},{first},{count}"], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def number(self):
        """What it says next, or 0: it has ended."""
        return int(self.process.stdout.readline() or 0)

    def go_on(self):
        with contextlib.suppress(OSError):
            self.process.stdin.write("\n")
            self.process.stdin.flush()

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def begin(settings, description, total, stack):
    """=> Returns (server, its memory, connections it is to have) of each."""
    made = []
    for first in range(0, total, EACH):
        server = stack.enter_context(servers.Server(
            description, settings, settings.port + 2 * len(made)))
        idle.warm(settings, server)
        made.append((server, proc.resident_bytes(server.pid()),
                     min(EACH, total - first)))
    print(f"{len(made)} servers", flush=True)
    return made


def fill(made, stack):
    """All at once, as the first would else be idle for too long.

    => Returns their clients.
    """
    clients = []
    for number, (server, _, count) in enumerate(made):
        clients.append(Client(server, number * EACH, count))
        stack.callback(clients[-1].end)
    there = sum(client.number() for client in clients)
    print(f"{there:,} connections", flush=True)
    if there != sum(count for _, _, count in made):
        raise servers.Unusable("some could not be made")
    idle.settle()
    return clients


def run(settings, total=TOTAL):
    (description,) = servers.present(settings, ["spate"])
    with contextlib.ExitStack() as stack:
        made = begin(settings, description, total, stack)
        clients = fill(made, stack)
        each = sum(proc.resident_bytes(server.pid()) - before
                   for server, before, _ in made) / total
        found = idle.compare(settings, made[0][0], description, idle.ACTIVE)
        for client in clients:
            client.go_on()
        alive = sum(client.number() for client in clients)
    print(table.render(
        ["idle", "servers", "answer again", "memory each", "speed kept",
         "CPU x"],
        [[f"{total:,}", len(made), f"{alive:,}", f"{each:,.0f} B",
          f"{found['kept']:.3f}", f"{found['cpu_ratio']:.3f}"]]))
    if alive != total:
        raise servers.Unusable(f"{total - alive} connections did not answer "
                               "again")
    return {"connections": total, "servers": len(made), "bytes_each": each,
            "kept": found["kept"], "cpu_ratio": found["cpu_ratio"]
            }, idle.claims(
                {"connections": total, "bytes_each": each, **found})
