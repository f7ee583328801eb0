# SPDX-License-Identifier: BSD-2-Clause
"""Two commits in one interleaved run, and what can be said of them.

CPU time per request where it means something, else the 99th percentile; and
user instructions, which hardly vary. A verdict is of pairs of one round.
"""

import shutil

import instructions
import load
import noise
import revisions
import servers
import table
import workloads

WORKLOADS = ("64", "512", "pipelined", "json", "churn")
ROUNDS = 15
SECONDS = 0.25
MORE = 0.02  # of instructions
TRIES = 3


def name_of(work):
    return "cpu_us" if work["unit"] else "p99_us"


def timed(settings, works):
    fleet = load.Fleet(settings, works)
    try:
        found = load.rounds(settings, fleet)
    finally:
        servers.stop_all()
    result, rows = {}, []
    for key, work in works.items():
        name, pairs = name_of(work), [found.get((key, label))
                                      for label in fleet.labels]
        if None in pairs:
            rows.append([key, "not answered", "", "", ""])
            continue
        before, after = ([run[name] for run in runs] for runs in pairs)
        verdict = noise.Verdict(before, after)
        errors = [sum(run["errors"] for run in runs) for runs in pairs]
        result[key] = {"figure": name, "A": before, "B": after,
                       "errors": errors, **verdict.record()}
        rows.append([f"{key}, {name}", f"{table.median(before):.3f}",
                     f"{table.median(after):.3f}", f"{verdict.ratio:.3f}",
                     verdict.text() + (
                         f"; errors: {errors[0]}, {errors[1]}"
                         if any(errors) else "")])
    return result, rows


def counted(settings):
    """Instructions of both, the least of some: they hardly vary."""
    result, rows = {}, []
    for depth in (1, 16):
        before, after = (
            instructions.least(settings, servers.load(name), depth, TRIES)[0]
            for name in settings.servers)
        ratio = after / before
        word = ("no difference that counts" if abs(ratio - 1) < MORE else
                "MORE" if ratio > 1 else "less")
        result[depth] = {"A": before, "B": after, "ratio": ratio}
        rows.append([f"instructions, depth {depth}", f"{before:,.0f}",
                     f"{after:,.0f}", f"{ratio:.3f}", word])
    return result, rows


def run(settings, a=None, b=None):
    settings.rounds = settings.asked_rounds or ROUNDS
    settings.seconds = settings.seconds or SECONDS
    settings.servers = [str(revisions.describe("A", a)),
                        str(revisions.describe("B", b))]
    keys = settings.workloads or WORKLOADS
    result, rows = timed(settings, {
        key: workloads.WORKLOADS[key] for key in keys})
    exact = None
    if shutil.which("valgrind"):
        exact, more = counted(settings)
        rows += more
    print(f"\nA is {a}, B is {b}: {settings.rounds} rounds; B to A, at a "
          f"level of {noise.LEVEL:.0%}\n")
    print(table.render(["", "A", "B", "B / A", "B needs"], rows))
    return {"A": a, "B": b, "timed": result, "instructions": exact}, []
