# SPDX-License-Identifier: BSD-2-Clause
"""User instructions per request, counted by valgrind's callgrind.

The one figure that does not change from run to run by more than a few in a
hundred, whatever else the machine does. As with system calls it is the
difference between two numbers of requests. The profile of the longer run
stays in build/perf/ for callgrind_annotate.
"""

import re
import shutil

import bench
import servers
import table
import wrk

CONNECTIONS = 64
FEW, MANY = 3200, 35200
READY_SECONDS = 60
TRIES = 2
LIMITS = {1: 800, 16: 600}


def count(settings, description, requests, depth, options=()):
    label = description["name"]
    settings.out.mkdir(parents=True, exist_ok=True)
    profile = settings.out / f"callgrind.{label}.depth{depth}.out"
    server = servers.Server(
        description, settings, settings.port, prefix=[
            "valgrind", "--tool=callgrind", "--fair-sched=yes",
            f"--callgrind-out-file={profile}"])
    with server.start(READY_SECONDS):
        bench.requests(settings, server.url(), requests, *options,
                       connections=CONNECTIONS, depth=depth)
    found = re.search(r"Collected\s*:\s*(\d+)", server.said())
    if not found:
        raise servers.Unusable(f"{label}: callgrind has counted nothing:\n"
                               f"{server.said()}")
    return int(found[1]), profile


def per_request(settings, description, depth):
    few, _ = count(settings, description, FEW, depth)
    many, profile = count(settings, description, MANY, depth)
    return (many - few) / (MANY - FEW), profile


def least(settings, description, depth, tries):
    """Of so many counts the least, and its profile.

    Where others use the machine, fewer requests come at a time: lists are
    shorter, and what is done once for a list is divided by fewer.
    """
    return min((per_request(settings, description, depth)
                for _ in range(tries)), key=lambda found: found[0])


def run(settings):
    if not shutil.which("valgrind"):
        raise servers.Unusable("valgrind is not installed: "
                               "apt-get install valgrind")
    result, rows, made = {}, [], []
    for description in servers.present(settings, settings.few()):
        label = description["name"]
        try:
            found = {depth: least(settings, description, depth,
                                  1 if settings.quick else TRIES)
                     for depth in (1, 16)}
        except (servers.Unusable, wrk.Failed) as error:
            # valgrind cannot run all: Go is one.
            if label == "spate":
                raise
            print(f"{label}: not counted: {str(error).splitlines()[0]}")
            continue
        result[label] = {depth: each for depth, (each, _) in found.items()}
        for depth, (each, profile) in found.items():
            rows.append([f"{label}, depth {depth}", f"{each:,.0f}",
                         profile.name])
            if label == "spate":
                made.append(table.Claim(
                    f"user instructions per request, depth {depth}", each,
                    LIMITS[depth]))
    print(table.render(["server", "instructions", "profile"], rows))
    return {"connections": CONNECTIONS, "servers": result}, made
