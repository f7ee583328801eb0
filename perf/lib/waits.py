# SPDX-License-Identifier: BSD-2-Clause
"""Handlers that wait, compute or block: what it costs, and whom."""

import contextlib
import ctypes
import http.client
import json
import os
import pathlib
import platform
import re
import struct
import threading
import time

import bench
import load
import proc
import revisions
import servers
import table
import workloads

WITH, WITHOUT = "with", "without"
COST = 1.02

HEAVY, INLINE = "heavy", "inline"
INLINE_FLAGS = ["--workers", "1", "--spares", "0"]
BURN_MS, BURN_RATIO = 1.0, 1 / 3

SCHED_SETATTR = 314 if platform.machine() == "x86_64" else 274
SLICES = {"slice 100 us": (100, 0), "niceness 10": (0, 10),
          "both": (100, 10), "neither": (0, 0)}

BLOCK = "/block?ms=1000"
RATE, BLOCK_MS = 4000, 8.0

SLEEPERS, SLEEP_MS = 10000, 1000
SLEEP_SECONDS = 1.2
SLEEP_KEPT = 0.05  # of what they had taken
SETTLE_SECONDS = 12
SAMPLE_SECONDS = 0.02

FAN, FAN_MS = 100, 100
FAN_RATIO = 1.25


def many(name, values, unit="us"):
    """The median of rounds, with the least and the most, for a table."""
    of = table.summary(values)
    return [name, *(f"{of[which]:,.0f} {unit}"
                    for which in ("median", "min", "max"))]


def print_rounds(rows):
    print(table.render(["", "median", "least", "most"], rows))


# ---------------------------------------------------------------- fibers


def fibers(settings, description):
    """The same load on both, in turns: the ratio within each round."""
    bare = servers.load(str(revisions.describe(
        "without-fibers", ".", "-DSPATE_FIBERS=OFF")))
    usual = servers.load(str(revisions.describe("with-fibers", ".")))
    works = {key: workloads.WORKLOADS[key] for key in ("64", "pipelined")}
    try:
        started = {
            label: servers.Server(each, settings, settings.port + i).start()
            for i, (label, each) in enumerate(
                ((WITH, usual), (WITHOUT, bare)))}
        found = load.in_turns(settings, started, works,
                              settings.seconds_of(2, 1))
    finally:
        servers.stop_all()
    rows, made, result = [], [], {}
    for key in works:
        ours, other = ([run["cpu_us"] for run in found[key, label]]
                       for label in (WITH, WITHOUT))
        ratio = table.summary([a / b for a, b in zip(ours, other)])
        rows.append([key, f"{table.median(ours):.3f} us",
                     f"{table.median(other):.3f} us",
                     f"{ratio['median']:.3f}",
                     f"{ratio['min']:.2f}-{ratio['max']:.2f}"])
        made.append(table.Claim(
            f"CPU per request, {key}, fibers x none", ratio["median"], COST))
        result[key] = {WITH: ours, WITHOUT: other}
    print(table.render(["", WITH, WITHOUT, "ratio", "spread"], rows))
    return result, made


# ------------------------------------------------------------------ burn


def burn(settings, description):
    work = {"burn": workloads.WORKLOADS["burn 4000"]}
    try:
        started = {
            label: servers.Server(
                description, settings, settings.port + i, cpus=settings.cpus,
                threads=2, arguments=flags).start()
            for i, (label, flags) in enumerate(
                ((HEAVY, []), (INLINE, INLINE_FLAGS)))}
        found = load.in_turns(settings, started, work,
                              settings.seconds_of(3, 1.5))
    finally:
        servers.stop_all()
    ours, other = found["burn", HEAVY], found["burn", INLINE]
    print_rounds([
        many(f"{label}: {what}", [run[key] for run in runs])
        for label, runs in ((HEAVY, ours), (INLINE, other))
        for what, key in (("p99 of the others", "p99_us"),
                          ("p99.9", "p999_us"),
                          ("the client's own lateness, p99",
                           "behind_p99_us"))])
    return {HEAVY: ours, INLINE: other}, [
        table.Claim("p99 of the others beside 1 % that burn",
                    table.median([run["p99_us"] for run in ours]) / 1000,
                    BURN_MS, unit=" ms"),
        table.Claim("the same, x with one worker that runs all",
                    table.median([a["p99_us"] / b["p99_us"]
                                  for a, b in zip(ours, other)]),
                    BURN_RATIO)]


# ----------------------------------------------------------------- slice


def threads_of(server):
    """=> Returns the ids of its threads that poll, and of heavy ones."""
    pollers, heavy = [], []
    for task in pathlib.Path(f"/proc/{server.pid()}/task").iterdir():
        name = (task / "comm").read_text().strip()
        if re.fullmatch(r"spate/\d+\.0", name):
            pollers.append(int(task.name))
        elif re.fullmatch(r"spate/\d+\.1", name):
            heavy.append(int(task.name))
    return pollers, heavy


def set_slice(thread, us, nice):
    """sched_setattr(2); 0 us: the kernel's own."""
    asked = struct.pack("=IIQiIQQQ", 48, 0, 0, nice, 0, us * 1000, 0, 0)
    if ctypes.CDLL(None, use_errno=True).syscall(
            SCHED_SETATTR, thread, asked, 0) != 0:
        raise servers.Unusable(os.strerror(ctypes.get_errno()))


def slices(settings, description):
    """What makes the light ones go first: each way, on one server each."""
    work = {"burn": workloads.WORKLOADS["burn 4000"]}
    started = {}
    try:
        for port, (label, (us, nice)) in enumerate(
                SLICES.items(), settings.port):
            started[label] = servers.Server(
                description, settings, port, cpus=settings.cpus,
                threads=2).start()
            pollers, heavy = threads_of(started[label])
            for thread in pollers:
                set_slice(thread, us, 0)
            for thread in heavy:
                set_slice(thread, 0, nice)
        found = load.in_turns(settings, started, work,
                              settings.seconds_of(3, 1.5))
    finally:
        servers.stop_all()
    print_rounds([
        many(f"{label}: {what}", [run[key] for run in found["burn", label]])
        for what, key in (("p99", "p99_us"), ("p99.9", "p999_us"),
                          ("burning ones, p99", "burn_p99_us"))
        for label in started])
    return {label: found["burn", label] for label in started}, []


# ----------------------------------------------------------------- block


def connect_to(server, shard):
    """=> Returns a connection that lies on that shard."""
    def there():
        _, body = server.get("/stats")
        return [each["connections"] for each in json.loads(body)["shards"]]

    others = []
    try:
        for _ in range(64):
            before = there()
            link = http.client.HTTPConnection("127.0.0.1", server.port)
            link.request("GET", "/plaintext")
            link.getresponse().read()
            if there()[shard] > before[shard]:
                return link
            others.append(link)
    finally:
        for link in others:
            link.close()
    raise servers.Unusable(f"no connection came to shard {shard}")


@contextlib.contextmanager
def hogs(server, shards):
    """A request for BLOCK in each shard, at all times."""
    ended, answered, threads = threading.Event(), [], []

    def hog(link):
        while not ended.is_set():
            link.request("GET", BLOCK)
            link.getresponse().read()
            answered.append(link)
        link.close()

    for shard in range(shards):
        threads.append(threading.Thread(
            target=hog, args=(connect_to(server, shard),)))
    for thread in threads:
        thread.start()
    try:
        yield answered
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def block(settings, description):
    found = []
    with servers.Server(description, settings, settings.port,
                        cpus=settings.cpus, threads=2).start() as server:
        for number in range(settings.rounds):
            load.tell(f"round {number + 1}: {BLOCK}")
            with hogs(server, 2) as answered:
                found.append(bench.run(
                    settings, server.url(), "-c", 64, "-R", RATE,
                    "--poisson", "-t", len(settings.cpus), "-w", 0.5, "-d",
                    settings.seconds_of(4, 3), cpus=settings.cpus))
                found[-1]["blocked"] = len(answered)
        stalls = json.loads(server.get("/stats")[1])
    load.tell("")
    print_rounds([
        *(many(f"{name} of the others", [
            run["all"][f"{name}_us"] for run in found])
          for name in ("p50", "p99", "p99.9", "max")),
        many("the client's own lateness, p99", [
            run["behind"]["p99_us"] for run in found]),
        many(f"{BLOCK} answered", [run["blocked"] for run in found], "")])
    lost = sum(run["lost"] + run["all"]["not_2xx"] + run["late"]
               for run in found)
    return {"rounds": found, "stats": stalls}, [
        table.Claim("p99 of the others beside a hog in each shard",
                    table.median([run["all"]["p99_us"] for run in found])
                    / 1000, BLOCK_MS, unit=" ms"),
        table.Claim("and not answered at all", lost, 0)]


# ----------------------------------------------------------------- sleep


class Memory(threading.Thread):
    """The most that a server has in RAM from now on."""

    def __init__(self, pid):
        super().__init__()
        self.pid, self.most, self.ended = pid, 0, threading.Event()
        self.start()

    def run(self):
        while not self.ended.wait(SAMPLE_SECONDS):
            self.most = max(self.most, proc.resident_bytes(self.pid))

    def end(self):
        self.ended.set()
        self.join()
        return self.most


def asleep_at_once(settings, server):
    before = proc.resident_bytes(server.pid())
    memory = Memory(server.pid())
    found = bench.run(
        settings, server.url(f"/sleep?ms={SLEEP_MS}"), "-c", SLEEPERS, "-n",
        SLEEPERS, "-t", len(settings.cpus), "--sources", 8,
        cpus=settings.cpus)
    most, end = memory.end(), time.monotonic() + SETTLE_SECONDS
    while (proc.resident_bytes(server.pid()) - before
           > SLEEP_KEPT * (most - before) and time.monotonic() < end):
        time.sleep(0.5)
    after = proc.resident_bytes(server.pid())
    if found["all"]["answered"] != SLEEPERS or found["all"]["not_2xx"]:
        raise servers.Unusable(f"{found['all']} of {SLEEPERS} were answered")
    return {"seconds": found["seconds"], "max_us": found["all"]["max_us"],
            "p50_us": found["all"]["p50_us"],
            "bytes_each": (most - before) / SLEEPERS,
            "kept": (after - before) / (most - before),
            "kept_bytes": after - before,
            "settled_seconds": SETTLE_SECONDS - (end - time.monotonic())}


def sleep(settings, description):
    if SLEEPERS + 64 > servers.raise_descriptor_limit():
        raise servers.Unusable(f"too few descriptors for {SLEEPERS} sleepers")
    with servers.Server(description, settings, settings.port,
                        cpus=settings.cpus, threads=2).start() as server:
        # Descriptors stay, so that those of the first round are not counted.
        asleep_at_once(settings, server)
        found = [asleep_at_once(settings, server)
                 for _ in range(settings.rounds)]
        waits = server.stats("fiber_waits")
    print_rounds([
        many("from the first request to the last answer",
             [run["seconds"] * 1000 for run in found], "ms"),
        many("one request, median",
             [run["p50_us"] / 1000 for run in found], "ms"),
        many("memory of a sleeper", [run["bytes_each"] for run in found], "B"),
        many("memory kept afterwards, in all",
             [run["kept_bytes"] / 1024 for run in found], "KiB")])
    return {"rounds": found, "fiber_waits": waits}, [
        table.Claim(f"{SLEEPERS:,} asleep at once: all answered after",
                    table.median([run["seconds"] for run in found]),
                    SLEEP_SECONDS, unit=" s"),
        table.Claim("their memory that is kept, as a part",
                    max(run["kept"] for run in found), SLEEP_KEPT)]


# ---------------------------------------------------------------- fanout


def fan_seconds(server, count):
    began = time.monotonic()
    status, body = server.get(f"/fanout?n={count}&ms={FAN_MS}")
    if status != 200:
        raise servers.Unusable(f"/fanout answers {status}: {body!r}")
    return time.monotonic() - began


def fanout(settings, description):
    with servers.Server(description, settings, settings.port,
                        cpus=settings.cpus).start() as upstream, \
            servers.Server(
                description, settings, settings.port + 1, cpus=settings.cpus,
                env={"SPATE_UPSTREAM": f"127.0.0.1:{upstream.port}"}
            ).start() as server:
        rounds = [[fan_seconds(server, count) * 1e6 for count in (1, FAN)]
                  for _ in range(2 * settings.rounds)]
    print_rounds([
        many(f"{count} of {FAN_MS} ms", [each[i] for each in rounds])
        for i, count in enumerate((1, FAN))])
    return {"rounds": rounds}, [table.Claim(
        f"{FAN} upstream calls at once, x one of them",
        table.median([many / one for one, many in rounds]), FAN_RATIO)]


PARTS = {"fibers": fibers, "burn": burn, "block": block, "sleep": sleep,
         "fanout": fanout}
MORE = {"slice": slices}  # when it is named


def run(settings, only):
    chosen = only.split(",")
    parts = PARTS | MORE
    unknown = set(chosen) - set(parts)
    if unknown:
        raise servers.Unusable(f"no such part: {', '.join(sorted(unknown))}")
    result, made = {}, []
    for name in chosen:
        print(f"\n{name}:", flush=True)
        result[name], claims = parts[name](settings, servers.load("spate"))
        made += claims
    return result, made
