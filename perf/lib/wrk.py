# SPDX-License-Identifier: BSD-2-Clause
"""One run of wrk, and what it printed as numbers."""

import re
import subprocess

from settings import PERF

# A request of 180 bytes, about what a browser sends without its cookies.
ACCEPT = ("text/html,application/xhtml+xml,application/xml;q=0.9,"
          "image/avif,image/webp,image/apng,*/*;q=0.8")

UNITS = {"us": 1, "ms": 1e3, "s": 1e6, "m": 60e6, "h": 3600e6}


class Failed(Exception):
    """wrk did not run, or nothing was answered."""


def microseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m|h)", text).groups()
    return float(number) * UNITS[unit]


def parse(text):
    done = re.search(r"(\d+) requests in ([\d.]+)(\w+),", text)
    if not done or int(done[1]) == 0:
        raise Failed(f"nothing was answered:\n{text}")
    result = {"requests": int(done[1])}
    result["seconds"] = microseconds(done[2] + done[3]) / 1e6
    result["rps"] = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
    for percent in ("50", "90", "99"):
        found = re.search(rf"^\s+{percent}%\s+(\S+)\s*$", text, re.M)
        result[f"p{percent}_us"] = microseconds(found[1])
    # With several requests at once wrk counts the latency of a batch once
    # but ranks it among requests: what it prints then is no percentile.
    if result["p99_us"] < result["p50_us"]:
        for percent in ("50", "90", "99"):
            del result[f"p{percent}_us"]
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    result["non_2xx"] = int(bad[1]) if bad else 0
    errors = re.search(r"Socket errors: (.*)", text)
    result["socket_errors"] = sum(
        int(number) for number in re.findall(r"\d+", errors[1])
    ) if errors else 0
    return result


def command(url, connections, seconds, cpus, *, depth=1, close=False):
    argv = ["taskset", "-c", ",".join(map(str, cpus)), "wrk",
            f"-t{min(len(cpus), connections)}", f"-c{connections}",
            f"-d{max(1, round(seconds))}s", "--latency",
            "-H", f"Accept: {ACCEPT}",
            "-H", f"Connection: {'close' if close else 'keep-alive'}"]
    if depth > 1:
        argv += ["-s", str(PERF / "wrk" / "pipeline.lua")]
    return [*argv, url, *(["--", str(depth)] if depth > 1 else [])]


def run(*args, **options):
    argv = command(*args, **options)
    try:
        done = subprocess.run(argv, capture_output=True, text=True,
                              check=False)
    except FileNotFoundError as error:
        raise Failed(f"{error.filename} is not installed: "
                     "apt-get install wrk util-linux") from error
    if done.returncode != 0:
        raise Failed(f"{' '.join(argv)}:\n{done.stderr}{done.stdout}")
    return parse(done.stdout)
