# SPDX-License-Identifier: BSD-2-Clause
"""Clients that are slow on purpose, and the others beside them.

slowhttptest opens its connections and sends heads, sends bodies, or reads
answers as slowly as it can. While all of the slow ones are there, other
clients ask at a constant rate, at the same time of the server that is attacked
and of a second one on the same CPU that is not: what slowhttptest takes of the
machine, both have to do without. It does nothing for a second or more, and
then something with all of its connections in ten milliseconds, which is more
than one request in a hundred. So asked in turns the one had such a moment and
the other had not, and by the clock always the same one. Which of the two is
asked first by a few milliseconds alternates, as the one whose clients leave
last has the CPU to itself at its end, and what is held against its limit is
the median of the ratios of those that were asked together. What they were
before the attack is printed as well. The server counts whom it cuts and over
which limit; that is asked for ten times a second, so the times here are good
to that.
"""

import concurrent.futures
import json
import shutil
import subprocess
import threading
import time

import bench
import proc
import servers
import table

CONNECTIONS = 1000
OPENED_EACH_SECOND = 1000
OTHERS = ["-c", 32, "-R", 2500, "-w", 0.2]
ROUND_SECONDS = 0.8
CALM_ROUNDS = 3
LOOK_SECONDS = 0.1
PATIENCE_SECONDS = 75
SAME = 1.25
IN_TIME_SECONDS = 1.0

# How to be slow, which counter tells, after how long a client of these is
# cut with the default limits, and how often it is tried, as some are not there
# for long. Heads have 10 s; bodies 5 s and a second for each 240 bytes, of
# which these send at most 20; answers 30 s for each 7,200 bytes that are
# taken.
ATTACKS = {
    "headers": (["-H", "-i", "3", "-x", "24"], "/plaintext", ["header"],
                10, 2),
    "body": (["-B", "-i", "1", "-x", "12", "-s", "65536"], "/upload",
             ["rate", "body"], 5.6, 4),
    "read": (["-X", "-w", "512", "-y", "1024", "-n", "5", "-z", "32"],
             "/bytes/10000000", ["write"], 30, 1),
}


class Watch(threading.Thread):
    """What the server counts, by the clock."""

    def __init__(self, server, kinds):
        super().__init__(daemon=True)
        self.server, self.kinds, self.before = server, kinds, 0
        self.samples, self.stop = [], threading.Event()
        self.before = self.look()[2]

    def look(self):
        shards = json.loads(self.server.get("/stats")[1])["shards"]
        return (time.monotonic(), sum(s["connections"] for s in shards),
                sum(s["timeouts"][kind] for s in shards
                    for kind in self.kinds) - self.before)

    def run(self):
        while not self.stop.wait(LOOK_SECONDS):
            self.samples.append(self.look())

    def first(self, condition):
        """When it was first so. => None: never."""
        return next((when for when, there, cut in list(self.samples)
                     if condition(there, cut)), None)


def ask(settings, server):
    found = bench.run(settings, server.url(), *OTHERS, "-d", ROUND_SECONDS)
    return {"p50_us": found["all"]["p50_us"], "p99_us": found["all"]["p99_us"],
            "errors": found["lost"] + found["all"]["not_2xx"]}


def ask_both(settings, both, turn):
    """=> Returns what `both` were, in their order; `turn` tells who is first.
    """
    order = (0, 1) if turn % 2 == 0 else (1, 0)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        found = dict(zip(order, pool.map(lambda i: ask(settings, both[i]),
                                         order)))
    return found[0], found[1]


def attack_argv(server, name, connections):
    options, path = ATTACKS[name][:2]
    return ["slowhttptest", *options, "-u", server.url(path),
            "-c", str(connections), "-r", str(OPENED_EACH_SECOND),
            "-l", str(PATIENCE_SECONDS), "-p", "5", "-v", "0"]


def wait_for(what, watch, condition):
    end = time.monotonic() + PATIENCE_SECONDS
    while watch.first(condition) is None:
        if time.monotonic() > end:
            raise servers.Unusable(f"{what}: {watch.samples[-1]}")
        time.sleep(LOOK_SECONDS)
    return watch.first(condition)


def besiege(settings, server, bystander, name, connections):
    watch = Watch(server, ATTACKS[name][2])
    before = proc.resident_bytes(server.pid())
    pairs, process = [], None
    watch.start()
    try:
        process = subprocess.Popen(
            ["nice", "-n", "19", "taskset", "-c",
             ",".join(map(str, settings.client_cpus)),
             *attack_argv(server, name, connections)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        opened = wait_for("they do not come", watch,
                          lambda there, cut: there >= connections)
        memory = proc.resident_bytes(server.pid()) - before
        # For as long as all of them are there.
        while watch.first(lambda there, cut: cut > 0) is None:
            pairs.append(ask_both(settings, (server, bystander), len(pairs)))
        gone = wait_for("they are not cut", watch,
                        lambda there, cut: cut >= connections)
    finally:
        watch.stop.set()
        if process:
            process.terminate()
            process.wait()
    watch.join()
    began = watch.first(lambda there, cut: there > 1)
    cut = watch.first(lambda there, cut: cut > 0)
    return {"pairs": pairs, "bytes_each": memory / connections,
            "first_cut_s": cut - began, "last_cut_s": gone - opened,
            "cut": watch.samples[-1][2]}


def measure(settings, description, name, connections):
    with servers.Server(description, settings, settings.port) as server, \
            servers.Server(
                description, settings, settings.port + 1) as bystander:
        calm = [ask_both(settings, (server, bystander), turn)
                for turn in range(CALM_ROUNDS)]
        return calm, [
            besiege(settings, server, bystander, name, connections)
            for _ in range(ATTACKS[name][4])]


def p99_us(pairs, which):
    return table.median([pair[which]["p99_us"] for pair in pairs])


def p99_ratio(pairs):
    return table.median([pair[0]["p99_us"] / pair[1]["p99_us"]
                         for pair in pairs])


def all_of(calm, sieges):
    """Several as one: the worst of each, and all rounds of the others."""
    pairs = [pair for siege in sieges for pair in siege["pairs"]]
    return {"p99_us": p99_us(pairs, 0), "p99_alone_us": p99_us(pairs, 1),
            "p99_before_us": p99_us(calm, 0), "p99_ratio": p99_ratio(pairs),
            "errors": sum(pair[0]["errors"] for pair in pairs),
            "cut": min(siege["cut"] for siege in sieges),
            "first_cut_s": min(siege["first_cut_s"] for siege in sieges),
            "last_cut_s": max(siege["last_cut_s"] for siege in sieges),
            "bytes_each": max(siege["bytes_each"] for siege in sieges)}


def claims(kind, found, connections):
    return [
        table.Claim(f"slow {kind}: others' p99, x without them",
                    found["p99_ratio"], SAME),
        table.Claim(f"slow {kind}: others' errors", found["errors"], 0),
        table.Claim(f"slow {kind}: cut, of {connections}", found["cut"],
                    connections, least=True),
        table.Claim(f"slow {kind}: the last of them cut after",
                    found["last_cut_s"], ATTACKS[kind][3] + IN_TIME_SECONDS,
                    unit=" s")]


def run(settings, name="spate", attack="all", connections=CONNECTIONS):
    if not shutil.which("slowhttptest"):
        raise servers.Unusable("slowhttptest is not installed: "
                               "apt-get install slowhttptest")
    description, result, rows, made = servers.load(name), {}, [], []
    for kind in ATTACKS if attack == "all" else [attack]:
        calm, sieges = measure(settings, description, kind, connections)
        found = all_of(calm, sieges)
        result[kind] = found | {"calm": calm, "sieges": sieges}
        rows.append([f"slow {kind}", connections, found["cut"],
                     f"{found['first_cut_s']:.1f} s",
                     f"{found['last_cut_s']:.1f} s",
                     table.duration(found["p99_us"]),
                     table.duration(found["p99_alone_us"]),
                     table.duration(found["p99_before_us"]), found["errors"],
                     f"{found['bytes_each']:,.0f} B"])
        made += claims(kind, found, connections)
    print(table.render(
        ["", "there", "cut", "first after", "last after", "others' p99",
         "unattacked", "before", "errors", "memory each"], rows))
    return {"connections": connections, "attacks": result}, made
