#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The demo under all kinds of load at once, for hours.

    tests/soak/soak.py [--rate N] DEMO BENCH [SECONDS]

DEMO is a spate-demo, BENCH a spate-bench. SECONDS are two hours by default;
with --rate each of the kinds below comes N times a second at most, and
others have room on the machine.

    checked   clients that know each answer to the byte, on connections that
              are kept for a while, also to what the demo asks an upstream
    load      as much of everything as goes, new connections, slow readers
              and half requests: spate-bench
    rude      begin something and break off, by a reset or an end: rude.py
    upstream  is ended or killed every few seconds, and comes back

Only while the upstream is away, or has just been, may what goes there fail.
At the end nobody is left, descriptors are as many as before, memory is no
more than it was when the load had settled, and the counters agree with each
other. The table that it prints tells of all that.
"""

import argparse
import collections
import os
import random
import signal
import statistics
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "fault"))

import rude  # noqa: E402
import script  # noqa: E402

CHECKED, RUDE = 4, 4
UPSTREAM_SECONDS = 3
# A request that was under way as the upstream went, until it is known.
GRACE = 2.0
MIX = ("/plaintext=40,/json=20,/users/1=10,/bytes/20000=10,POST:/echo=10,"
       "/sleep?ms=2=2,/burn?us=500=2,/nowhere=2,/chunks/20=2,"
       "POST:/discard=2")
# Beyond the pages that an allocator moves between its classes.
RSS_FACTOR, RSS_KIB = 1.05, 2048

COUNTERS = ("accepted", "closed", "connections", "requests", "answered",
            "unanswered", "aborted", "parse_errors", "accept_errors",
            "stale_events", "upstream_errors", "stolen", "fiber_waits")

REQUESTS = [*script.REQUESTS, script.get("/burn?us=100", body=None),
            script.get("/bytes/1", body=b"a")]


class Upstream:
    """Behind /proxy and /fanout, and away now and then."""

    def __init__(self, program):
        self.program, self.port, self.demo = program, 0, None
        self.away = []  # [from, until or None]
        self.ends = 0

    def start(self):
        self.demo = script.Demo(self.program, "--shards", "1",
                                env={"SPATE_ADMIN": "none"}, port=self.port)
        if not self.demo.wait_ready():
            raise RuntimeError("the upstream does not start again")
        self.port = self.demo.port
        if self.away:
            self.away[-1][1] = time.monotonic()

    def end(self):
        how = signal.SIGKILL if self.ends % 2 else signal.SIGTERM
        self.away.append([time.monotonic(), None])
        self.ends += 1
        self.demo.end(how)

    def excuses(self, begun, ended):
        return any(begun < (until or ended) + GRACE and ended > since
                   for since, until in self.away)


class Checked(threading.Thread):
    """Asks one thing after the other, and counts by kind what it got."""

    def __init__(self, soak, seed):
        super().__init__()
        self.soak, self.random = soak, random.Random(seed)
        self.kinds, self.bad = collections.Counter(), []

    def ask(self, client, request):
        begun = time.monotonic()
        try:
            client.ask(request)
        except script.Failed as error:
            status = getattr(error, "status", None)
            there = any(f" /{path}".encode() in request[0]
                        for path in ("proxy", "fanout"))
            if there and self.soak.upstream.excuses(begun, time.monotonic()):
                self.kinds[f"{status or 'cut'}, no upstream"] += 1
                return
            self.kinds["unexplained"] += 1
            self.bad.append(str(error))
        else:
            self.kinds["right"] += 1

    def run(self):
        client = script.Client(self.soak.demo.port)
        while not self.soak.is_over():
            for _ in range(self.random.randrange(1, 40)):
                self.ask(client, self.random.choice(REQUESTS))
                time.sleep(self.soak.pause)
            client.close()


class Soak:
    def __init__(self, options):
        self.options = options
        self.upstream = Upstream(options.demo)
        self.demo = None
        self.pause = CHECKED / options.rate if options.rate else 0
        self.until = 0.0
        self.samples = []  # of RSS in KiB

    def is_over(self):
        return time.monotonic() > self.until

    def load(self):
        pace = ["-R", str(self.options.rate)] if self.options.rate else []
        url = f"http://127.0.0.1:{self.demo.port}"
        common = [self.options.bench, "-d", str(self.options.seconds)]
        for flags in (["-c", "24", "--mix", MIX, "--slow", "8@20000",
                       "--half-open", "16", *pace, url],
                      ["-c", "8", "--close", *pace, f"{url}/plaintext"]):
            yield subprocess.Popen([*common, *flags],
                                   stdout=subprocess.DEVNULL)

    def watch(self):
        """Samples, and restarts, until the time is over."""
        next_end = time.monotonic() + UPSTREAM_SECONDS
        while not self.is_over():
            time.sleep(0.5)
            self.samples.append(self.demo.rss_kib())
            if self.demo.process.poll() is not None:
                return
            if time.monotonic() > next_end:
                self.upstream.end()
                time.sleep(0.3)
                self.upstream.start()
                next_end = time.monotonic() + UPSTREAM_SECONDS

    def run(self):
        """=> Returns the checked clients, and how many rude ones came."""
        self.until = time.monotonic() + self.options.seconds
        done = [0]
        threads = [Checked(self, seed) for seed in range(CHECKED)]
        checked = list(threads)
        threads += [threading.Thread(target=rude.be_rude, args=(
            self.demo.port, self.until, seed, done)) for seed in range(RUDE)]
        children = list(self.load())
        for thread in threads:
            thread.start()
        self.watch()
        for thread in threads:
            thread.join()
        for child in children:
            child.wait(60)
        return checked, done[0], [child.returncode for child in children]

    def settled(self):
        """RSS when the load had settled, and at its end: medians."""
        part = max(len(self.samples) // 6, 1)
        return (statistics.median(self.samples[2 * part:3 * part]),
                statistics.median(self.samples[-part:]))


def descriptors(demo):
    """Whoever asked for the counters may be there for a moment yet."""
    few = demo.descriptors()
    for _ in range(20):
        time.sleep(0.02)
        few = min(few, demo.descriptors())
    return few


def figures(demo):
    return demo.quiet_stats(), demo.rss_kib(), descriptors(demo)


def counters_complain(stats):
    """Nothing is made to fail here, so that routes tell of all requests."""
    yield from script.counters_complain(stats)
    if stats["requests"] - 1 != stats["answered"] + stats["unanswered"]:
        yield "requests are not those answered and those not"


def report(soak, start, end, outcome):
    checked, guests, codes = outcome
    stats, rss, fds = end
    kinds = sum((one.kinds for one in checked), collections.Counter())
    early, late = soak.settled()
    rows = [("seconds", soak.options.seconds),
            *((f"checked, {kind}", count)
              for kind, count in sorted(kinds.items())),
            ("rude clients", guests),
            ("upstream restarts", soak.upstream.ends),
            *((key, stats[key]) for key in COUNTERS),
            ("RSS at start and end, KiB", f"{start[1]} {rss}"),
            ("RSS under load, early and late", f"{early:.0f} {late:.0f}"),
            ("fds at start and end", f"{start[2]} {fds}")]
    for name, value in rows:
        print(f"{name:32} {value}")
    problems = [text for one in checked for text in one.bad][:10]
    problems += counters_complain(stats)
    if kinds["right"] == 0 or any(codes):
        problems.append(f"the load itself failed: {codes}")
    if stats["connections"] > 1 or fds != start[2]:
        problems.append("somebody or something is left")
    if late > early * RSS_FACTOR + RSS_KIB:
        problems.append("memory grows")
    return problems


def soak(options):
    one = Soak(options)
    one.upstream.start()
    # A flight recorder that is soon full does not grow meanwhile: of the usual
    # size, six workers' take 3 MiB, as fast as there is something to record.
    with script.site(options.demo, "--shards", "2", "--workers", "2",
                     "--record-events", "1024",
                     behind=f"127.0.0.1:{one.upstream.port}") as demo:
        one.demo = demo
        demo.wait_ready()
        script.run_script(demo.port)
        one.upstream.end()
        start = figures(demo)
        one.upstream.start()
        try:
            outcome = one.run()
        finally:
            one.upstream.end()
        problems = report(one, start, figures(demo), outcome)
        code, said = demo.end()
        if code != 0:
            problems.append(f"the demo ended with {code}")
        return problems + said[:10]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=int)
    parser.add_argument("demo")
    parser.add_argument("bench")
    parser.add_argument("seconds", type=int, nargs="?", default=7200)
    problems = soak(parser.parse_args())
    print("\n".join(problems) or "nothing to complain of")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
