# SPDX-License-Identifier: BSD-2-Clause
"""Instructions of each part, by callgrind: the table that a change is held to.

Each benchmark runs twice, with two numbers of iterations, and the difference
is what an iteration costs; so neither the start nor Google Benchmark counts.
What begins beside it, such as threads that wait for the clock, makes two runs
differ by half an instruction. Another compiler makes other
code, so the table says which one made it.
"""

import json
import re
import shutil
import subprocess

import servers
import settings as config
import table

TABLE = config.PERF / "parts.json"
TOLERANCE = 0.02
FLOOR = 1  # instruction: two runs differ by half of one
FEW, MANY = 4, 204  # iterations of what does many at a time
ONE_BY_ONE = 200  # times as many of what does not
# Several threads, others' code, what only spate-bench does, and what first
# finds out by the clock how quick that is.
LEFT_OUT = re.compile(r"threads:|llhttp|^load_|^atomics_|^clock_tick")


def compiler(build):
    """=> Returns what has made this build, as its cache knows it."""
    cache = (build / "CMakeCache.txt").read_text()
    path = re.search(r"^CMAKE_C_COMPILER:\w+=(.*)$", cache, re.M)[1]
    said = subprocess.run([path, "--version"], capture_output=True,
                          text=True, check=True).stdout
    return said.splitlines()[0]


def read():
    """=> Returns the table, with nothing in it if there is none."""
    if not TABLE.exists():
        return {"compiler": None, "parts": {}}
    return json.loads(TABLE.read_text())


def names(path):
    listed = subprocess.run([str(path), "--benchmark_list_tests"],
                            capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\n")
            if name and not LEFT_OUT.search(name)]


def collect(path, name, iterations):
    """=> Returns the instructions of a run, and how many an iteration does."""
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
         str(path), "--benchmark_format=json", "--benchmark_filter="
         f"^{re.escape(name)}(/iterations:[0-9]+)?$"],
        env={"SPATE_ITERATIONS": str(iterations)}, capture_output=True,
        text=True, check=False)
    total = re.search(r"Collected\s*:\s*(\d+)", done.stderr)
    if done.returncode != 0 or not total:
        raise servers.Unusable(f"{name}: {done.stderr}")
    runs = json.loads(done.stdout)["benchmarks"]
    if len(runs) != 1 or runs[0]["iterations"] != iterations:
        raise servers.Unusable(f"{name}: not one benchmark that is counted")
    return int(total[1]), runs[0].get("batch", 1)


def count(path, name):
    times = 1
    few, batch = collect(path, name, FEW)
    if batch == 1:
        times = ONE_BY_ONE
        few, _ = collect(path, name, FEW * times)
    many, _ = collect(path, name, MANY * times)
    return round((many - few) / (MANY - FEW) / times / batch, 2)


def differences(kept, now):
    """=> Returns those that need more, fewer, or are not in both."""
    more, less, odd = [], [], []
    for name in sorted({*kept, *now}):
        before, after = kept.get(name), now.get(name)
        if before is None or after is None:
            odd.append(name)
            continue
        margin = max(TOLERANCE * before, FLOOR)
        if after > before + margin:
            more.append(name)
        elif after < before - margin:
            less.append(name)
    return more, less, odd


def held(kept, now):
    """Says what differs. => Returns the claim that nothing needs more."""
    more, less, odd = differences(kept, now)
    for word, those in (("more", more), ("fewer", less)):
        for name in those:
            print(f"{word}: {name}, {kept[name]:g} -> {now[name]:g}")
    for name in odd:
        print("only in " + (f"perf/parts.json: {name}" if name in kept
                            else f"this build: {name}"))
    if less or odd:
        print("perf/parts --keep writes them down")
    return table.Claim(
        f"parts that need {TOLERANCE:.0%} more instructions than they did",
        len(more), 0)


def run(settings, keep=False):
    if not shutil.which("valgrind"):
        raise servers.Unusable("valgrind is not installed: "
                               "apt-get install valgrind")
    paths = sorted((settings.build / "perf").glob("*_bench"))
    if not paths:
        raise servers.Unusable("no parts were built: libbenchmark-dev")
    made = compiler(settings.build)
    known = read()
    if not keep and known["compiler"] != made:
        raise servers.Unusable(
            f"perf/parts.json is of {known['compiler']}, and this "
            f"build of {made}: make one at the commit to compare with, by "
            "perf/parts --keep")
    before = known["parts"]
    now = {name: count(path, name) for path in paths for name in names(path)}
    print(table.render(["part", "instructions", "kept"], [
        [name, f"{each:,.2f}",
         f"{before[name]:,.2f}" if name in before else "-"]
        for name, each in now.items()]))
    if keep:
        TABLE.write_text(json.dumps({"compiler": made, "parts": now},
                                    indent=1) + "\n")
        print(f"-> {TABLE}")
        return {"instructions": now}, []
    return {"instructions": now}, [held(before, now)]
