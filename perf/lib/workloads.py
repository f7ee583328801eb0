# SPDX-License-Identifier: BSD-2-Clause
"""What is asked of every server, and how.

Of each workload:
    about      in a table
    path       what is asked for, "/plaintext" unless said
    connections, depth, close, post, slow, rate, agents
    key        of "variants" and "cannot" in a server's description
    cpus       "one": server and client have one CPU each; "both": all CPUs
               are for both of them
    quick      whether PERF=quick has it too
    seconds    how many times as long as the others it takes
    unit       whether a CPU time for each request means something
"""

BURN = "/burn?us=5000"
SLOW_BYTES = 50000  # a second
SLOW_PATH = "/bytes/1048576"
BODY = 16384


def one(about, connections=64, **more):
    return {"about": about, "connections": connections, "path": "/plaintext",
            "cpus": "one", "quick": False, "seconds": 1, "unit": True, **more}


def both(about, **more):
    return one(about, cpus="both", **more)


WORKLOADS = {
    "1": one("plaintext, 1 connection", 1),
    "16": one("plaintext, 16 connections", 16),
    "64": one("plaintext, 64 connections", quick=True),
    "512": one("plaintext, 512 connections", 512, key="512", quick=True),
    "unlike": one("plaintext, 64 connections, each with a head of its own",
                  agents=64),
    "pipelined": one("plaintext, 64 connections, 16 at a time", depth=16,
                     quick=True),
    "json": one("JSON, 64 connections", path="/json", key="json", quick=True),
    "1k": one("1 KiB, 64 connections", path="/bytes/1024", key="1k"),
    "64k": one("64 KiB, 64 connections", path="/bytes/65536", key="64k",
               quick=True),
    "1m": one("1 MiB, 16 connections", 16, path="/bytes/1048576", key="1m"),
    "post": one("16 KiB POST, 64 connections", path="POST:/discard",
                key="post", quick=True),
    "churn": one("plaintext, 64 connections, each for one request",
                 close=True, key="churn", quick=True),
    "slow": one("plaintext, 64 connections, beside 100 slow readers of 1 MiB",
                slow=100, key="slow", quick=True),
    "64 both": both("plaintext, 64 connections, all on both CPUs",
                    quick=True),
    "512 both": both("plaintext, 512 connections, all on both CPUs",
                     connections=512, key="512"),
    "pipelined both": both("plaintext, 64 connections, 16 at a time, all on "
                           "both CPUs", depth=16),
    "burn 4000": both("4,000 requests/s, 1 % of which burn 5 ms; the others",
                      rate=4000, key="burn", quick=True, seconds=6,
                      unit=False),
    "burn 8000": both("8,000 requests/s, 1 % of which burn 5 ms; the others",
                      rate=8000, key="burn", seconds=6, unit=False),
}


def chosen(settings):
    """Those that were asked for by name, or all that there is time for."""
    if settings.workloads:
        return {key: WORKLOADS[key] for key in settings.workloads}
    return {key: work for key, work in WORKLOADS.items()
            if work["quick"] or not settings.quick}


def options(work):
    """What spate-bench is told of a workload."""
    argv = ["-c", work["connections"]]
    if "rate" in work:
        return [*argv, "-R", work["rate"], "--poisson", "--drain", 1,
                "--mix", f"{work['path']}=99,{BURN}=1"]
    if "depth" in work:
        argv += ["-p", work["depth"]]
    if "agents" in work:
        argv += ["--agents", work["agents"]]
    if work.get("close"):
        argv += ["--close"]
    if "slow" in work:
        argv += ["--slow", f"{work['slow']}@{SLOW_BYTES}{SLOW_PATH}"]
    if work["path"].startswith("POST:"):
        argv += ["--body", BODY]
    return [*argv, "--mix", f"{work['path']}=1"]
