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
line, or is done without, and then the whole script is served; while it ends,
whatever is under way is finished (turning_points.py).

Not failed, for the kernel does not either: recv() that leaves bytes behind
(epoll(7) promises that it does not; chaos.py sends single bytes), EAGAIN
with no edge to come, write() to an eventfd, EPOLL_CTL_DEL, FUTEX_WAKE,
timerfd_settime(), getpriority() of a thread that is there, close() other than
after it has closed.
"""

import argparse
import concurrent.futures
import os
import sys
import time

import control
import script
import turning_points

FIRED = control.FIRED
LONG, ALWAYS = 20000, 1 << 40

# Call, error, requests that it may fail, counter that tells of it; and what
# fails each time besides, so that the call is made at all.
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
    ("openat", "EMFILE", 1, None, ("openat2", "ENOSYS")),
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
    ("write_log", "SHORT", 0, None),
    ("write_log", "EINTR", 0, None),
    # The lines of one write at least.
    ("write_log", "ENOSPC", 0, "log_lost"),
    ("getrlimit", "EPERM", 0, None),
    ("realloc", "ENOMEM", 1, None),
    ("ioctl", "EINVAL", 0, None),
    ("memfd_create", "EMFILE", 1, None),
    ("clock_nanosleep", "EINTR", 0, None),
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
    ("opendir", "EMFILE", 0, None, ("stat", "EACCES")),
    # Stacks: huge pages, light guards, and guards where there are no such.
    ("madvise", "EINVAL", 0, None),
    ("mprotect", "ENOMEM", 1, None, ("madvise", "EINVAL")),
    ("munmap", "ENOMEM", 0, None),
    # Threads of the pool do without.
    ("prctl", "EINVAL", 0, None),
]

# At every use, LONG of them at most: still all are served.
ALL_ALONG = [
    ("send", "SHORT"), ("sendmsg", "SHORT"),
    ("sendfile", "SHORT"), ("pread", "SHORT"), ("epoll_pwait2", "SHORT"),
    ("futex", "EINTR"), ("futex", "EAGAIN"), ("close", "EINTR"),
    ("write_log", "ENOSPC"),
]

# At every use for as long as a script lasts; then all is well again.
STORMS = [
    ("malloc", "ENOMEM"), ("posix_memalign", "ENOMEM"),
    ("recv", "ECONNRESET"), ("send", "EPIPE"),
    ("sendmsg", "EPIPE"), ("epoll_ctl", "ENOMEM"), ("openat2", "EMFILE"),
    ("fstat", "EIO"), ("accept4", "ECONNABORTED"),
]


class Running:
    """A demo, and faults of one call after another in it."""

    def __init__(self, options, report):
        self.options, self.report = options, report
        self.faults = control.Faults()
        self.per_script = report.per_script

    def site(self):
        return script.site(self.options.demo, *control.DEMO,
                           upstream=self.options.upstream,
                           env=self.faults.env)

    def one_by_one(self, demo, call, error, allowed, counter, besides=None):
        runs = hit = beyond = 0
        complaints = []
        before = demo.quiet_stats()
        for at in control.choose(self.options.short):
            fired = self.faults[FIRED]
            self.faults.arm(call, error, at, besides=besides)
            failures = demo.run_script()
            self.faults.disarm()
            fired = self.faults[FIRED] - fired
            more, why = control.judge(demo, failures, allowed * fired)
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

    def once_cold(self, at, row):
        """=> Returns fired, failures beyond, and complaints."""
        call, error, allowed, counter, *besides = row
        faults = control.Faults()
        with script.site(self.options.demo, *control.DEMO,
                         upstream=self.options.upstream,
                         env=faults.env) as demo:
            demo.wait_ready()
            faults.arm(call, error, at, 1, *besides)
            failures = demo.run_script()
            faults.disarm()
            fired = faults[FIRED]
            beyond, why = control.judge(demo, failures, allowed * fired)
            stats = demo.quiet_stats()
            if counter and stats[counter] < fired:
                why.append(f"{counter} does not tell of it")
            why += script.counters_complain(stats)
            why += control.exit_complains(demo)
        return fired, beyond, why

    def cold(self, *row):
        """A process for each N."""
        runs = hit = beyond = 0
        complaints = []
        for at, (fired, more, why) in control.in_turn(
                lambda at: self.once_cold(at, row), self.options.short):
            beyond += more
            hit += fired
            runs += 1
            complaints += [f"N = {at}: {text}" for text in why]
        self.report.row(f"{row[0]} {row[1]}, cold", runs,
                        runs * self.per_script, hit, beyond, complaints)

    def all_along(self, demo, call, error):
        fired = self.faults[FIRED]
        self.faults.arm(call, error, 1, LONG)
        failures = demo.run_script()
        self.faults.disarm()
        beyond, complaints = control.judge(demo, failures, 0)
        complaints += script.counters_complain(demo.quiet_stats())
        self.report.row(f"{call} {error}, each", 1, self.per_script,
                        self.faults[FIRED] - fired, beyond, complaints)

    def storm(self, demo, call, error):
        fired = self.faults[FIRED]
        self.faults.arm(call, error, 1, ALWAYS)
        hung = [f for f in demo.run_script()
                if isinstance(f, script.Hung)]
        self.faults.disarm()
        fired = self.faults[FIRED] - fired
        failures = hung + demo.run_script()
        beyond, complaints = control.judge(demo, failures, 0)
        complaints += script.counters_complain(demo.quiet_stats())
        self.report.row(f"{call} {error}, storm", 1, 2 * self.per_script,
                        fired, beyond, complaints)

    def group(self, rows):
        """Each fault of these in the same process."""
        with self.site() as demo:
            if not demo.wait_ready():
                raise SystemExit(f"no start:\n{demo.text()}")
            before = demo.descriptors()
            demo.run_script()
            for run, arguments in rows:
                run(self, demo, *arguments)
            complaints = list(control.ends_well(demo, before))
            if complaints:
                self.report.complain("the process", complaints)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("demo")
    parser.add_argument("upstream")
    parser.add_argument("calls", nargs="*")
    options = parser.parse_args()
    os.environ["ASAN_OPTIONS"] = "detect_leaks=1:allocator_may_return_null=1"
    begin = time.monotonic()
    report = control.Report()

    def wanted(call):
        return not options.calls or call in options.calls

    rows = [(run, row) for run, rows in ((Running.one_by_one, RUNNING),
                                         (Running.all_along, ALL_ALONG),
                                         (Running.storm, STORMS))
            for row in rows if wanted(row[0])]
    # Each demo has the next row as it is done with one.
    shared = iter(rows)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        demos = [pool.submit(Running(options, report).group, shared)
                 for _ in range(min(control.AT_ONCE, len(rows)))]
        for done in demos:
            done.result()
    for row in COLD:
        if wanted(row[0]):
            Running(options, report).cold(*row)
    turning_points.run(options, report, wanted)
    print(f"{report.total[0]} faults, {report.total[1]} requests, "
          f"{report.total[2]} failures beyond the faulted; "
          f"{time.monotonic() - begin:.0f} s")
    sys.exit(report.bad != 0)


if __name__ == "__main__":
    main()
