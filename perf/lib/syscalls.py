# SPDX-License-Identifier: BSD-2-Clause
"""System calls per request, counted by strace.

The server is started under strace twice and gets two numbers of requests;
the difference is what requests cost, without the start and the end. strace
slows the server down, not the client, so the server is the one that is
saturated: the figure is that of full load.
"""

import pathlib
import re
import shutil
import tempfile
import time

import bench
import servers
import table

CONNECTIONS = 64
FEW, MANY = 4000, 24000
LIMIT = 2.05
ALLOWED = {"send", "sendto", "sendmsg", "recv", "recvfrom", "epoll_wait",
           "epoll_pwait", "epoll_pwait2"}
DEEP = ("floor", "spate")  # whose pipelined requests are counted too
REPORT_SECONDS = 10


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


def per_request(settings, description, depth):
    few = count(settings, description, FEW, depth)
    many = count(settings, description, MANY, depth)
    return {name: (calls - few.get(name, 0)) / (MANY - FEW)
            for name, calls in many.items()
            if abs(calls - few.get(name, 0)) / (MANY - FEW) >= 0.0005}


def run(settings):
    if not shutil.which("strace"):
        raise servers.Unusable("strace is not installed: "
                               "apt-get install strace")
    result, rows, made = {}, [], []
    names = settings.few() if settings.quick else settings.servers
    for description in servers.present(settings, names):
        label = description["name"]
        result[label] = {}
        for depth in (1, 16) if label in DEEP else (1,):
            calls = per_request(settings, description, depth)
            total = sum(calls.values())
            result[label][depth] = {"total": total, "calls": calls}
            most = sorted(calls.items(), key=lambda call: -call[1])
            rows.append([f"{label}, depth {depth}", f"{total:.3f}", "  ".join(
                f"{call} {each:.3f}" for call, each in most)])
            if label == "spate" and depth == 1:
                made += claims(total, calls)
    print(table.render(["server", "calls", "of which"], rows))
    return {"connections": CONNECTIONS, "servers": result}, made


def claims(total, calls):
    others = sum(each for name, each in calls.items() if name not in ALLOWED)
    return [table.Claim("system calls per request at saturation", total,
                        LIMIT),
            table.Claim("of which neither send nor recv nor epoll", others,
                        0.001)]
