# SPDX-License-Identifier: BSD-2-Clause
"""System calls per request, counted by the kernel's tracepoints.

Two numbers of requests are asked for, and the difference is what requests
cost, without the connections. The client has a thread on the server's CPU as
well as on its own, so it is the server that has too much to do: the figure is
that of full load. With more of them the server would have its CPU so seldom
that Spate's watcher takes the shard for stuck, and calls a spare.

perf counts in passing. strace stops the thread at each call, so that a
request takes fifty microseconds and not four: a shard then thinks that its
handlers are slow, shares its work with others and wakes them, which is the
right thing to do and not what it does without strace. It is the fallback
where perf is missing or may not count, and the result says so.

Threads that make next to no calls serve nobody: the watcher of Spate or that
of Go, which wake by the clock. They are counted by themselves.
"""

import pathlib
import re
import shutil
import subprocess
import tempfile
import time

import bench
import proc
import servers
import table

CONNECTIONS = 64
FEW, MANY = 4000, 24000  # under strace
PERF_FEW, PERF_MANY = 20000, 120000
LIMIT = 2.05
ALLOWED = {"send", "sendto", "sendmsg", "recv", "recvfrom", "epoll_wait",
           "epoll_pwait", "epoll_pwait2"}
DEEP = ("floor", "spate")  # whose pipelined requests are counted too
REPORT_SECONDS = 10

ALL = "raw_syscalls:sys_enter"
EACH = "syscalls:sys_enter_"
# Counted one by one; the others together.
COUNTED = ("sendto", "sendmsg", "sendfile64", "write", "writev", "recvfrom",
           "recvmsg", "read", "readv", "epoll_wait", "epoll_pwait",
           "epoll_pwait2", "epoll_ctl", "poll", "futex", "accept4", "close",
           "nanosleep", "clock_nanosleep", "setsockopt", "getsockopt",
           "timerfd_settime", "shutdown", "rt_sigprocmask", "sched_yield",
           "getpid", "madvise")
SERVES = 0.01  # of all calls that a thread makes which serves
CLIENTS = 1  # threads on each CPU
LATE = "new threads"


def parse(text):
    """The table of strace -c as {name: calls}."""
    counts = {}
    for line in text.splitlines():
        found = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?"
                         r"([a-z_]\w*)$", line)
        if found and found[2] != "total":
            counts[found[2]] = int(found[1])
    return counts


def wait_for_report(path):
    """strace writes it when the last traced thread is gone."""
    end = time.monotonic() + REPORT_SECONDS
    while time.monotonic() < end:
        text = path.read_text()
        if re.search(r"\stotal$", text, re.M):
            return parse(text)
        time.sleep(0.05)
    raise servers.Unusable("strace has written no report")


def count(settings, description, requests, depth):
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "strace"
        report.touch()
        # -D: the server is our child and strace is not, so its pid is known.
        with servers.Server(description, settings, settings.port, prefix=[
                "strace", "-D", "-f", "-c", "-o", str(report)]) as server:
            bench.requests(settings, server.url(), requests,
                           connections=CONNECTIONS, depth=depth)
        return wait_for_report(report)


def strace_per_request(settings, description, depth):
    few = count(settings, description, FEW, depth)
    many = count(settings, description, MANY, depth)
    return {name: (calls - few.get(name, 0)) / (MANY - FEW)
            for name, calls in many.items()
            if abs(calls - few.get(name, 0)) / (MANY - FEW) >= 0.0005}


def parse_perf(text):
    """perf stat -x, --per-thread as {thread: {name: calls}}."""
    threads = {}
    for line in text.splitlines():
        cells = line.split(",")
        if len(cells) < 4 or not cells[1].isdigit():
            continue
        name = cells[3].removeprefix(EACH)
        calls = threads.setdefault(cells[0], {})
        calls["all" if name == ALL else name] = int(cells[1])
    return threads


def known_events():
    """=> Returns what perf can count here; empty if nothing."""
    if not shutil.which("perf"):
        return []
    listed = subprocess.run(["perf", "list", "--no-desc", "tracepoint"],
                            capture_output=True, text=True, check=False)
    known = set(re.findall(r"\S+:sys_enter\S*", listed.stdout))
    events = [ALL, *(EACH + name for name in COUNTED if EACH + name in known)]
    tried = subprocess.run(["perf", "stat", "-e", ALL, "true"],
                           capture_output=True, check=False)
    return events if tried.returncode == 0 else []


def perf_count(settings, server, events, requests, depth):
    """=> Returns the calls of each thread, and the seconds it took.

    Those of threads that begin meanwhile are known together, without names.
    """
    cpus = sorted({*settings.server_cpus, *settings.client_cpus})
    client = bench.command(
        settings, server.url(), "-c", CONNECTIONS, "-p", depth, "-n",
        requests, "-t", CLIENTS * len(cpus), "--cpus",
        ",".join(map(str, cpus)), cpus=cpus)
    watch = ["perf", "stat", "-x,", "-p",
             ",".join(map(str, proc.tree(server.pid())))]
    begin = time.monotonic()
    with tempfile.NamedTemporaryFile("r") as whole:
        done = subprocess.run(
            [*watch, "-o", whole.name, "-e", ALL, "--", *watch,
             "--per-thread", "-e", ",".join(events), "--", *client],
            capture_output=True, text=True, check=False)
        total = re.search(rf"^(\d+),,{ALL}", whole.read(), re.M)
    if done.returncode != 0 or not total:
        raise servers.Unusable(f"perf stat: {done.stderr}")
    threads = parse_perf(done.stderr)
    late = int(total[1]) - sum(calls.get("all", 0)
                               for calls in threads.values())
    threads[LATE] = {"all": late, LATE: late}
    return threads, time.monotonic() - begin


def difference(few, many, requests):
    """=> Returns the calls of a request by name, and those beside them."""
    total = sum(calls.get("all", 0) for calls in many.values())
    serving = {thread for thread, calls in many.items()
               if calls.get("all", 0) > SERVES * total}
    sums, beside = {}, 0
    for thread, calls in many.items():
        if thread not in serving:
            beside += calls.get("all", 0)
            continue
        for name, number in calls.items():
            before = few.get(thread, {}).get(name, 0)
            sums[name] = sums.get(name, 0) + (number - before) / requests
    sums["other"] = sums.pop("all", 0) - sum(sums.values())
    return {name: each for name, each in sums.items()
            if abs(each) >= 0.0005}, beside


def perf_per_request(settings, description, events, depth):
    with servers.Server(description, settings, settings.port) as server:
        # Threads that are made under load are made in the first.
        for _ in range(2):
            few, _ = perf_count(settings, server, events, PERF_FEW, depth)
        many, seconds = perf_count(settings, server, events, PERF_MANY, depth)
    calls, beside = difference(few, many, PERF_MANY - PERF_FEW)
    return calls, beside / seconds


def run(settings):
    events = known_events()
    if not events and not shutil.which("strace"):
        raise servers.Unusable("neither perf nor strace can count here: "
                               "apt-get install linux-perf strace")
    result, rows, made = {}, [], []
    names = settings.few() if settings.quick else settings.servers
    for description in servers.present(settings, names):
        label = description["name"]
        result[label] = {}
        for depth in (1, 16) if label in DEEP else (1,):
            if events:
                calls, beside = perf_per_request(
                    settings, description, events, depth)
            else:
                calls = strace_per_request(settings, description, depth)
                beside = 0.0
            total = sum(calls.values())
            result[label][depth] = {"total": total, "calls": calls,
                                    "beside_per_second": beside}
            most = sorted(calls.items(), key=lambda call: -call[1])
            rows.append([f"{label}, depth {depth}", f"{total:.3f}",
                         f"{beside:,.0f}/s", "  ".join(
                             f"{call} {each:.3f}" for call, each in most)])
            if label == "spate" and depth == 1:
                made += claims(total, calls)
    print(table.render(["server", "calls", "beside", "of which"], rows))
    if not events:
        print("by strace, which changes what it counts: see linux-perf")
    return {"connections": CONNECTIONS, "servers": result,
            "by": "perf" if events else "strace"}, made


def claims(total, calls):
    others = sum(each for name, each in calls.items() if name not in ALLOWED)
    return [table.Claim("system calls per request at saturation", total,
                        LIMIT),
            table.Claim("of which neither send nor recv nor epoll", others,
                        0.001)]
