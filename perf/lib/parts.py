# SPDX-License-Identifier: BSD-2-Clause
"""The parts by themselves: every Google Benchmark that was built.

Each is repeated; the least is the figure, because whatever else runs on the
machine can only add to it. Benchmarks with several threads need the CPUs to
themselves and are noisy all the same: their median stands beside it.
"""

import json
import subprocess

import servers
import table

NS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


def measure(path, settings):
    seconds = 0.02 if settings.quick else 0.1
    done = subprocess.run(
        [str(path), "--benchmark_format=json", f"--benchmark_repetitions="
         f"{settings.rounds}", f"--benchmark_min_time={seconds}"],
        capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise servers.Unusable(f"{path}: {done.stderr}")
    found = {}
    for one in json.loads(done.stdout)["benchmarks"]:
        if one["run_type"] != "iteration":
            continue
        if one.get("error_occurred"):
            raise servers.Unusable(f"{one['name']}: {one['error_message']}")
        # What does many at a time says how long each took.
        time = (one["each"] * 1e9 if "each" in one
                else one["real_time"] * NS[one["time_unit"]])
        found.setdefault(one["run_name"], []).append(time)
    return found


def claims(result):
    """What was promised of parts; nothing, where there is no llhttp."""
    ours, theirs = (result.get(f"http_head_{name}/1")
                    for name in ("best", "llhttp"))
    if not ours or not theirs:
        return []
    return [table.Claim("a browser's head: llhttp's time to Spate's",
                        theirs["min"] / ours["min"], 3, least=True)]


def run(settings):
    paths = sorted((settings.build / "perf").glob("*_bench"))
    if not paths:
        raise servers.Unusable(
            f"nothing in {settings.build / 'perf'}: build with "
            "libbenchmark-dev installed")
    found = {}
    for path in paths:
        found.update(measure(path, settings))
    result = {name: table.summary(times) for name, times in found.items()}
    print(table.render(["part", "least", "median"], [
        [name, f"{of['min']:.2f} ns", f"{of['median']:.2f} ns"]
        for name, of in result.items()]))
    return {"parts": result}, claims(result)
