#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every call of a 200-request script fails at its Nth use, for each N.

    tests/fault/faults.py [--short] DEMO UPSTREAM [CALL...]

DEMO is a spate-demo-faults, built with the address sanitizer; UPSTREAM is a
spate-demo, for what stands behind /proxy. With --short a few N of each.

A fault that an honest kernel follows with service, such as EINTR or one byte
instead of many, fails no request. Any other may fail one: that which it hit.
Everybody else's are answered to the byte, nobody waits forever, the counters
add up, no descriptor is left, and at the end the sanitizer finds no leak.

While it starts, a call that fails ends the program with an exit code and one
line, or is done without, and then the whole script is served.

Not failed, for the kernel does not either: recv() that leaves bytes behind
(epoll(7) promises that it does not; chaos.py sends single bytes), EAGAIN
with no edge to come, write() to an eventfd, EPOLL_CTL_DEL, FUTEX_WAKE,
timerfd_settime(), close() other than after it has closed.
"""

import argparse
import errno
import mmap
import os
import struct
import sys
import tempfile
import time

import script

SHORT = 4096
NAME_SIZE, CALLS_MAX = 24, 64
CALL, ERROR, AT, TIMES, SEEN, FIRED, CLOCK, USES = range(8)
LONG, ALWAYS = 20000, 1 << 40

# Call, error, requests that it may fail, counter that tells of it.
RUNNING = [
    ("malloc", "ENOMEM", 1, None),
    ("posix_memalign", "ENOMEM", 1, None),
    # The descriptor in reserve takes the first that waits, to close it; and a
    # shard that accepts at this moment may not keep what it has got.
    ("accept4", "EMFILE", 2, "accept_errors_emfile"),
    ("accept4", "ENFILE", 2, "accept_errors_enfile"),
    ("accept4", "ENOMEM", 0, "accept_errors_enomem"),
    ("accept4", "ENOBUFS", 0, "accept_errors_enobufs"),
    ("accept4", "ECONNABORTED", 1, None),
    ("accept4", "EINTR", 0, None),
    ("accept4", "EPROTO", 0, None),
    ("recv", "EINTR", 0, None),
    ("recv", "ECONNRESET", 1, None),
    ("recv", "ENOMEM", 1, None),
    ("send", "SHORT", 0, None),
    ("send", "EINTR", 0, None),
    ("send", "EPIPE", 1, None),
    ("send", "ENOBUFS", 1, None),
    ("sendmsg", "SHORT", 0, None),
    ("sendmsg", "EINTR", 0, None),
    ("sendmsg", "EPIPE", 1, None),
    ("sendfile", "SHORT", 0, None),
    ("sendfile", "EINTR", 0, None),
    ("sendfile", "EIO", 1, None),
    ("pread", "SHORT", 0, None),
    ("pread", "EINTR", 0, None),
    ("pread", "EIO", 1, None),
    ("openat2", "EMFILE", 1, None),
    ("openat2", "ENOSYS", 0, None),
    ("openat2", "ENOMEM", 1, None),
    ("fstat", "EIO", 1, None),
    ("close", "EINTR", 0, None),
    ("close", "EIO", 0, None),
    ("getsockopt", "ENOBUFS", 1, None),
    ("epoll_ctl", "ENOMEM", 1, None),
    ("epoll_ctl", "ENOSPC", 1, None),
    ("epoll_pwait", "EINTR", 0, None),
    ("epoll_pwait2", "EINTR", 0, None),
    ("epoll_pwait2", "SHORT", 0, None),
    ("futex", "EINTR", 0, None),
    ("futex", "EAGAIN", 0, None),
    ("poll", "EINTR", 0, None),
    ("shutdown", "ENOTCONN", 1, None),
    ("getrlimit", "EPERM", 0, None),
    ("realloc", "ENOMEM", 1, None),
]

# In a process of its own for each N, that has not served anything yet.
COLD = [
    ("malloc", "ENOMEM", 1, None),
    ("calloc", "ENOMEM", 1, None),
    ("aligned_alloc", "ENOMEM", 1, None),
    ("mmap", "ENOMEM", 1, None),
    ("epoll_ctl", "ENOMEM", 1, None),
    ("socket", "EMFILE", 1, "upstream_errors"),
    ("connect", "ECONNREFUSED", 1, "upstream_errors"),
    ("connect", "EADDRNOTAVAIL", 1, "upstream_errors"),
    ("setsockopt", "ENOMEM", 1, None),
    ("getsockopt", "ENOBUFS", 1, None),
    ("getpeername", "ENOTCONN", 1, None),
    # Threads of the pool, and spares, are made when they are needed.
    ("pthread_create", "EAGAIN", 1, None),
    # What the server tells of itself then lacks something, for a while.
    ("open", "EMFILE", 0, None),
    ("read", "EIO", 0, None),
    ("stat", "EACCES", 0, None),
    # Stacks: huge pages, light guards.
    ("madvise", "EINVAL", 0, None),
]

# At every use, LONG of them at most: still all are served.
ALL_ALONG = [
    ("send", "SHORT"), ("sendmsg", "SHORT"),
    ("sendfile", "SHORT"), ("pread", "SHORT"), ("epoll_pwait2", "SHORT"),
    ("futex", "EINTR"), ("futex", "EAGAIN"), ("close", "EINTR"),
]

# At every use for as long as a script lasts; then all is well again.
STORMS = [
    ("malloc", "ENOMEM"), ("posix_memalign", "ENOMEM"),
    ("recv", "ECONNRESET"), ("send", "EPIPE"),
    ("sendmsg", "EPIPE"), ("epoll_ctl", "ENOMEM"), ("openat2", "EMFILE"),
    ("fstat", "EIO"), ("accept4", "ECONNABORTED"),
]

STARTING = {
    "malloc": "ENOMEM", "calloc": "ENOMEM", "realloc": "ENOMEM",
    "posix_memalign": "ENOMEM", "mmap": "ENOMEM", "open": "EMFILE",
    "read": "EIO",
    "socket": "EMFILE", "bind": "EADDRINUSE", "listen": "EADDRINUSE",
    "setsockopt": "ENOMEM", "getsockname": "ENOBUFS",
    "epoll_create1": "EMFILE", "epoll_ctl": "ENOMEM", "eventfd": "EMFILE",
    "timerfd_create": "EMFILE", "pthread_create": "EAGAIN",
    "getrandom": "ENOSYS", "getrlimit": "EPERM", "setrlimit": "EPERM",
    "sched_getaffinity": "EINVAL", "sched_setaffinity": "EINVAL",
    "sched_setattr": "EPERM", "prctl": "EINVAL", "epoll_pwait": "EINTR",
    "fcntl": "EMFILE", "strdup": "ENOMEM", "write": "EINTR", "poll": "EINTR",
    "close": "EINTR", "futex": "EINTR", "clock_nanosleep": "EINTR",
    "madvise": "EINVAL",
}


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

    def arm(self, name, error, at, times=1):
        self[TIMES] = 0
        self[CALL] = self.names().index(name)
        self[ERROR] = code_of(error)
        self[AT] = at
        self[SEEN] = 0
        self[TIMES] = times

    def disarm(self):
        self[TIMES] = 0


def choose(short):
    """=> Yields each N; in short some, ever further apart."""
    at = 1
    while True:
        yield at
        at += 4 * at if short else 1


class Report:
    per_script = script.CLIENTS * script.EACH

    def __init__(self):
        self.bad = 0
        self.total = [0, 0, 0]
        print(f"{'fault':<28}{'runs':>6}{'clients':>9}{'requests':>10}"
              f"{'hit':>6}{'beyond':>8}", flush=True)

    def row(self, what, count, requests, hit, beyond, complaints):
        """A fault that never came is no proof of anything."""
        if hit == 0:
            complaints = [*complaints, "it never happened"]
        clients = max(requests * script.CLIENTS // self.per_script, 1)
        print(f"{what:<28}{count:>6}{clients:>9}{requests:>10}{hit:>6}"
              f"{beyond:>8}", flush=True)
        for complaint in complaints[:5]:
            print(f"    {complaint}", flush=True)
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
    code, said = demo.end()
    yield from said[:5]
    if code != 0:
        yield f"exit code {code}"


class Running:
    """One demo after another, each with faults of one call."""

    def __init__(self, options, report):
        self.options, self.report = options, report
        self.faults = Faults()
        self.per_script = report.per_script

    def site(self):
        return script.site(self.options.demo, "--shards", "2", "--workers",
                           "2", upstream=self.options.upstream,
                           env=self.faults.env)

    def one_by_one(self, demo, call, error, allowed, counter):
        runs = hit = beyond = 0
        complaints = []
        before = demo.quiet_stats()
        for at in choose(self.options.short):
            fired = self.faults[FIRED]
            self.faults.arm(call, error, at)
            failures = script.run_script(demo.port)
            self.faults.disarm()
            fired = self.faults[FIRED] - fired
            more, why = judge(demo, failures, allowed * fired)
            beyond += more
            complaints += [f"N = {at}: {text}" for text in why]
            hit += fired
            runs += 1
            # The next run with the next N: calls come in no fixed number.
            if fired == 0:
                break
        stats = demo.quiet_stats()
        complaints += script.counters_complain(stats)
        if counter and stats[counter] - before[counter] < hit:
            complaints.append(f"{counter} tells of "
                              f"{stats[counter] - before[counter]}")
        self.report.row(f"{call} {error}", runs, runs * self.per_script,
                        hit, beyond, complaints)

    def cold(self, call, error, allowed, counter):
        """A process for each N."""
        runs = hit = beyond = 0
        complaints = []
        for at in choose(self.options.short):
            with self.site() as demo:
                demo.wait_ready()
                before = self.faults[FIRED]
                self.faults.arm(call, error, at)
                failures = script.run_script(demo.port)
                self.faults.disarm()
                fired = self.faults[FIRED] - before
                more, why = judge(demo, failures, allowed * fired)
                stats = demo.quiet_stats()
                if counter and stats[counter] < fired:
                    why.append(f"{counter} does not tell of it")
                why += script.counters_complain(stats)
                code, said = demo.end()
                why += said[:5]
                if code != 0:
                    why.append(f"exit code {code}")
            beyond += more
            hit += fired
            runs += 1
            complaints += [f"N = {at}: {text}" for text in why]
            if fired == 0:
                break
        self.report.row(f"{call} {error}, cold", runs,
                        runs * self.per_script, hit, beyond, complaints)

    def all_along(self, demo, call, error):
        fired = self.faults[FIRED]
        self.faults.arm(call, error, 1, LONG)
        failures = script.run_script(demo.port)
        self.faults.disarm()
        beyond, complaints = judge(demo, failures, 0)
        complaints += script.counters_complain(demo.quiet_stats())
        self.report.row(f"{call} {error}, each", 1, self.per_script,
                        self.faults[FIRED] - fired, beyond, complaints)

    def storm(self, demo, call, error):
        fired = self.faults[FIRED]
        self.faults.arm(call, error, 1, ALWAYS)
        hung = [f for f in script.run_script(demo.port)
                if isinstance(f, script.Hung)]
        self.faults.disarm()
        fired = self.faults[FIRED] - fired
        failures = hung + script.run_script(demo.port)
        beyond, complaints = judge(demo, failures, 0)
        complaints += script.counters_complain(demo.quiet_stats())
        self.report.row(f"{call} {error}, storm", 1, 2 * self.per_script,
                        fired, beyond, complaints)

    def group(self, what, rows):
        """Each fault of these in the same process."""
        with self.site() as demo:
            if not demo.wait_ready():
                raise SystemExit(f"no start:\n{demo.text()}")
            before = demo.descriptors()
            script.run_script(demo.port)
            for run, arguments in rows:
                run(demo, *arguments)
            complaints = list(ends_well(demo, before))
            if complaints:
                self.report.complain(f"{what}: the process", complaints)


class Starting:
    """A process for each N, until one has no failure."""

    def __init__(self, options, report, behind):
        self.options, self.report = options, report
        self.behind = behind
        self.requests = 0

    def once(self, call, error, at, faults):
        """=> Returns complaints."""
        env = {**faults.env, "SPATE_FAULT":
               f"{call}:{code_of(error)}:{at}:1"}
        for index in range(TIMES, FIRED + 1):
            faults[index] = 0
        with script.site(self.options.demo, "--shards", "2", "--workers", "2",
                         behind=self.behind, env=env) as demo:
            if demo.wait_ready():
                faults.disarm()
                clients = 1 if self.options.short else script.CLIENTS
                why = [str(f)
                       for f in script.run_script(demo.port, clients)]
                self.requests += clients * script.EACH
                code, said = demo.end()
                return why + said + ([f"exit code {code}"] if code else [])
            text = demo.text()
            code, said = demo.end()
            if not 64 <= code <= 78:
                said.append(f"exit code {code}: {text}")
            if len(text.splitlines()) != 1:
                said.append(f"instead of one line: {text}")
            return said

    def run(self, call, error):
        faults = Faults()
        complaints = []
        runs = hit = self.requests = 0
        for at in choose(self.options.short):
            runs += 1
            try:
                why = self.once(call, error, at, faults)
            except script.Failed as failure:
                why = [str(failure)]
            complaints += [f"N = {at}: {text}" for text in why]
            if faults[FIRED] == 0:
                break
            hit += 1
        self.report.row(f"{call} {error}, starting", runs, self.requests, hit,
                        0, complaints)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("demo")
    parser.add_argument("upstream")
    parser.add_argument("calls", nargs="*")
    options = parser.parse_args()
    os.environ["ASAN_OPTIONS"] = "detect_leaks=1:allocator_may_return_null=1"
    begin = time.monotonic()
    report = Report()

    def wanted(call):
        return not options.calls or call in options.calls

    running = Running(options, report)
    for what, run, rows in (("one", running.one_by_one, RUNNING),
                            ("always", running.all_along, ALL_ALONG),
                            ("storm", running.storm, STORMS)):
        some = [(run, row) for row in rows if wanted(row[0])]
        if some:
            running.group(what, some)
    for row in COLD:
        if wanted(row[0]):
            running.cold(*row)
    with script.site(options.upstream) as other:
        other.wait_ready()
        starting = Starting(options, report, f"127.0.0.1:{other.port}")
        for call, error in STARTING.items():
            if wanted(call):
                starting.run(call, error)
    print(f"{report.total[0]} faults, {report.total[1]} requests, "
          f"{report.total[2]} failures beyond the faulted; "
          f"{time.monotonic() - begin:.0f} s")
    sys.exit(report.bad != 0)


if __name__ == "__main__":
    main()
