# SPDX-License-Identifier: BSD-2-Clause
"""What faults.py and chaos.py share: the block of inject.h from the other
side, the table that they print, and when a demo has ended well."""

import concurrent.futures
import errno
import mmap
import os
import struct
import tempfile
import threading
import time

import script

SHORT = 4096
NAME_SIZE, CALLS_MAX = 24, 72
(CALL, ERROR, AT, TIMES, SEEN, FIRED, CLOCK, BESIDES, BESIDES_ERROR,
 USES) = range(10)
AT_ONCE = max(2, os.cpu_count() or 0)
DEMO = ("--shards", "2", "--workers", "2", "--admin", "127.0.0.1:0",
        "--access-log", "1")


def code_of(name):
    return SHORT if name == "SHORT" else getattr(errno, name)


class Faults:
    """The block of inject.h, from the other side."""

    def __init__(self):
        size = 8 * (USES + CALLS_MAX) + NAME_SIZE * CALLS_MAX
        self.file = tempfile.NamedTemporaryFile()
        self.file.truncate(size)
        self.memory = mmap.mmap(self.file.fileno(), size)
        self.env = {"SPATE_FAULTS": self.file.name}

    def __getitem__(self, index):
        return struct.unpack_from("q", self.memory, 8 * index)[0]

    def __setitem__(self, index, value):
        struct.pack_into("q", self.memory, 8 * index, value)

    def names(self):
        start = 8 * (USES + CALLS_MAX)
        return [self.memory[at:at + NAME_SIZE].rstrip(b"\0").decode()
                for at in range(start, start + NAME_SIZE * CALLS_MAX,
                                NAME_SIZE)]

    def arm(self, name, error, at, times=1, besides=None):
        """besides is another call, and the error that each use of it has."""
        self[TIMES] = 0
        self[CALL] = self.names().index(name)
        self[ERROR] = code_of(error)
        self[AT] = at
        self[SEEN] = 0
        if besides is not None:
            self[BESIDES_ERROR] = code_of(besides[1])
            self[BESIDES] = self.names().index(besides[0]) + 1
        self[TIMES] = times

    def disarm(self):
        self[TIMES] = 0
        self[BESIDES] = 0


def choose(short):
    """=> Yields each N; in short some, ever further apart."""
    at = 1
    while True:
        yield at
        at += 4 * at if short else 1


def in_turn(once, short):
    """Each N has a process of its own, so there are several at a time.

    once(N) => Returns what it has to say, the first of it how often the call
    has failed. => Yields N and that, until there was no Nth use.
    """
    numbers = choose(short)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        while True:
            some = [next(numbers) for _ in range(AT_ONCE)]
            outcomes = list(pool.map(once, some))
            yield from zip(some, outcomes)
            if any(fired == 0 for fired, *_ in outcomes):
                return


class Report:
    per_script = script.CLIENTS * script.EACH

    def __init__(self):
        self.lock = threading.Lock()
        self.bad = 0
        self.total = [0, 0, 0]
        print(f"{'fault':<41}{'runs':>6}{'clients':>9}{'requests':>10}"
              f"{'hit':>6}{'beyond':>8}", flush=True)

    def row(self, what, count, requests, hit, beyond, complaints):
        """A fault that never came is no proof of anything."""
        if hit == 0:
            complaints = [*complaints, "it never happened"]
        clients = max(requests * script.CLIENTS // self.per_script, 1)
        lines = [f"{what:<41}{count:>6}{clients:>9}{requests:>10}{hit:>6}"
                 f"{beyond:>8}", *(f"    {text}" for text in complaints[:5])]
        with self.lock:
            print("\n".join(lines), flush=True)
            self.bad += beyond + len(complaints)
            self.total = [self.total[0] + count, self.total[1] + requests,
                          self.total[2] + beyond]

    def complain(self, what, complaints):
        for complaint in complaints:
            print(f"{what}: {complaint}", flush=True)
        self.bad += len(complaints)


def judge(demo, failures, allowed):
    """=> Returns how many failed beyond the allowed, and complaints."""
    hung = [str(f) for f in failures if isinstance(f, script.Hung)]
    beyond = max(len(failures) - allowed, len(hung))
    complaints = [str(f) for f in failures] if beyond else []
    if demo.process.poll() is not None:
        raise SystemExit(f"the demo has ended:\n{demo.text()}")
    return beyond, complaints


def exit_complains(demo):
    """=> Yields complaints."""
    code, said = demo.end()
    yield from said[:5]
    if code != 0:
        yield f"exit code {code}"


def ends_well(demo, descriptors):
    """=> Yields complaints."""
    stats = demo.quiet_stats()
    yield from script.counters_complain(stats)
    # Those to the upstream are kept for a while, or until it ends.
    demo.upstream.end()
    end = time.monotonic() + script.PATIENCE
    while demo.descriptors() > descriptors:
        if time.monotonic() > end:
            yield f"{descriptors} descriptors, then {demo.descriptors()}"
            break
        time.sleep(0.05)
    yield from exit_complains(demo)
