# SPDX-License-Identifier: BSD-2-Clause
"""What a request and a server cost as something grows.

For each size of each kind: user instructions per request by callgrind, which
repeat; CPU time per request, user and system; and resident memory. Nothing
here is compared with other servers: a line should be flat, or rise as a
logarithm does, and docs/scaling.md says of each why it is as it is.
"""

import shutil

import bench
import idle
import instructions
import proc
import servers
import table

ABOUT = {
    "connections": "connections, all of them in use",
    "shards": "shards, on the CPUs there are",
    "workers": "workers of one shard",
    "routes": "routes, half of them with a parameter",
    "fields": "header fields of a request, besides the usual three",
}
SIZES = {
    "connections": (10, 100, 1000, 10000, 19000),
    "shards": (1, 2, 4, 8, 16),
    "workers": (1, 2, 4, 8, 16),
    "routes": (10, 100, 1000, 10000),
    "fields": (0, 10, 20, 40, 80),
}
CONNECTIONS = 64
MEASURED = 16000  # requests under callgrind, beyond the first
UNDER_VALGRIND = 15000  # connections: it keeps descriptors for itself
PER_SOURCE = 10000
BACKLOG = 4000  # of more at once some have to try again, a second later


def description(kind, size):
    """=> Returns a server of that size, as servers.py has them."""
    made = servers.load("spate")
    argv = [part for part in made["argv"] if part not in (
        "--shards", "{threads}")]
    count = {"shards": 1, "workers": 1}
    if kind in count:
        count[kind] = size
    made["argv"] = [*argv, "--shards", str(count["shards"]),
                    "--workers", str(count["workers"])]
    if kind == "routes":
        made["argv"][0] = "{build}/perf/spate-routes"
        made["env"] = {"ROUTES": str(size)}
    made["name"] = f"spate.{kind}{size}"
    return made


def paths(kind, size):
    """What is asked for, as --mix has it."""
    if kind != "routes":
        return "/plaintext=1"
    return ",".join(f"/api/thing-{at}/{'list' if at % 2 == 0 else 'an-id'}=1"
                    for at in (0, 1, size // 2, size // 2 + 1))


def load(kind, size):
    """=> Returns the options of spate-bench, and the connections in them."""
    connections = size if kind == "connections" else CONNECTIONS
    options = ["-c", connections, "--mix", paths(kind, size)]
    if connections > PER_SOURCE:
        options += ["--sources", -(-connections // PER_SOURCE)]
    if kind == "fields":
        options += ["--fields", size]
    return options, connections


def counted(settings, kind, size):
    """=> Returns instructions per request, or None: too many descriptors."""
    options, connections = load(kind, size)
    if connections > UNDER_VALGRIND:
        return None
    few = max(3200, connections)
    total = {}
    for requests in (few, few + max(MEASURED, 2 * connections)):
        total[requests], _ = instructions.count(
            settings, description(kind, size), requests, 1, options)
    (less, first), (more, second) = total.items()
    return (second - first) / (more - less)


def cpu_us(settings, server, options, warmup):
    """=> Returns CPU time per request in us, or None: nothing was measured.

    A client that has no CPU when it is due misses the end of its window.
    """
    found = bench.run(
        settings, server.url(), *options, "-w", warmup, "-d",
        settings.seconds_of(0.4, 0.2), "--watch",
        ",".join(map(str, proc.tree(server.pid()))))
    if "watch" not in found or not found["all"]["answered"]:
        return None
    return found["watch"]["server_ns"] / 1000 / found["all"]["answered"]


def timed(settings, kind, size):
    """=> Returns CPU time per request in us, of each round, and memory."""
    options, connections = load(kind, size)
    cpus = settings.cpus if kind == "shards" else settings.server_cpus
    warmup = 5 if connections > BACKLOG else 0.2
    with servers.Server(description(kind, size), settings, settings.port,
                        cpus=cpus) as server:
        rounds = [cpu_us(settings, server, options, warmup)
                  for _ in range(settings.rounds)]
        idle.settle()
        resident = proc.resident_bytes(server.pid())
    rounds = [each for each in rounds if each is not None]
    if not rounds:
        raise servers.Unusable(f"{kind}, {size}: nothing was measured")
    return rounds, resident


def show(kind, found):
    rows = [[of["size"],
             f"{of['instructions']:,.0f}" if of["instructions"] else "-",
             f"{of['cpu_us']['median']:.3f} us",
             f"{of['cpu_us']['min']:.2f}-{of['cpu_us']['max']:.2f}",
             f"{of['bytes'] / 1024:,.0f} KiB"] for of in found]
    print(f"{kind}: {ABOUT[kind]}")
    print(table.render(["", "instructions", "CPU", "spread", "resident"],
                       rows) + "\n", flush=True)


def run(settings, kinds=None):
    if not shutil.which("valgrind"):
        raise servers.Unusable("valgrind is not installed: "
                               "apt-get install valgrind")
    chosen = kinds.split(",") if kinds else list(SIZES)
    unknown = set(chosen) - set(SIZES)
    if unknown:
        raise servers.Unusable(f"nothing grows by: {', '.join(unknown)}")
    descriptors = servers.raise_descriptor_limit()
    result = {}
    for kind in chosen:
        result[kind] = []
        for size in SIZES[kind]:
            if kind == "connections" and size + 64 > descriptors:
                print(f"{size} connections need more than the {descriptors} "
                      "descriptors there are")
                continue
            rounds, resident = timed(settings, kind, size)
            result[kind].append({
                "size": size, "instructions": counted(settings, kind, size),
                "cpu_us": table.summary(rounds), "bytes": resident})
        show(kind, result[kind])
    return {"kinds": result, "about": {kind: ABOUT[kind]
                                       for kind in result}}, []
