# SPDX-License-Identifier: BSD-2-Clause
"""Where things are, how long a round takes, which CPU is whose."""

import argparse
import json
import os
import pathlib
import platform
import subprocess
import time

ALL = ("floor,spate,nginx,haproxy,h2o,lighttpd,nethttp,fasthttp,evhttp,"
       "microhttpd")
PERF = pathlib.Path(__file__).resolve().parent.parent
ROOT = PERF.parent


class Settings:
    """What the command line and the environment say, for every script."""

    def __init__(self, args):
        quick = os.environ.get("PERF") == "quick"
        cpus = sorted(os.sched_getaffinity(0))
        self.quick = quick
        self.asked_rounds = args.rounds
        self.rounds = args.rounds or (3 if quick else 5)
        self.seconds = args.seconds
        self.port = args.port
        self.build = pathlib.Path(args.build).resolve()
        self.out = ROOT / "build" / "perf"
        # What takes long for each server has few, unless some are named.
        self.are_named = args.servers is not None
        self.servers = (args.servers or ALL).split(",")
        self.workloads = [key.strip() for key in filter(
            None, (getattr(args, "workloads", None) or "").split(","))]
        self.cpus = cpus
        self.server_cpus = cpu_list(args.server_cpus) or cpus[:1]
        self.client_cpus = cpu_list(args.client_cpus) or cpus[1:2] or cpus
        self.bench = self.build / "spate-bench"

    def seconds_of(self, usual, quick):
        """How long a run takes that is so long by default."""
        return self.seconds or (quick if self.quick else usual)

    def few(self, names="floor,spate"):
        return self.servers if self.are_named else names.split(",")

    def load(self, name):
        """What this commit has saved on this machine, or None."""
        try:
            record = json.loads((self.out / f"{name}.json").read_text())
        except (OSError, ValueError):
            return None
        now = machine()
        same = all(record["machine"].get(key) == now[key]
                   for key in ("cpu", "cpus", "kernel", "commit"))
        return record if same else None

    def save(self, name, result):
        """Writes a result with what it was taken on."""
        self.out.mkdir(parents=True, exist_ok=True)
        path = self.out / f"{name}.json"
        record = {"machine": machine(), "settings": {
            "rounds": self.rounds, "seconds": self.seconds,
            "quick": self.quick, "server_cpus": self.server_cpus,
            "client_cpus": self.client_cpus}, "result": result}
        path.write_text(json.dumps(record, indent=1) + "\n")
        return path


def cpu_list(text):
    """"0,2-3" as [0, 2, 3]."""
    found = []
    for part in filter(None, (text or "").split(",")):
        first, _, last = part.partition("-")
        found.extend(range(int(first), int(last or first) + 1))
    return found


def parser(about):
    """The options that all scripts share."""
    made = argparse.ArgumentParser(
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--servers",
                      help="names or paths of descriptions in perf/servers/")
    made.add_argument("--build", default=str(ROOT / "build" / "release"))
    made.add_argument("--port", type=int, default=9700,
                      help="the first of the ports to use")
    made.add_argument("--rounds", type=int)
    made.add_argument("--seconds", type=float, help="of one round")
    made.add_argument("--server-cpus", help="like 0 or 0-3")
    made.add_argument("--client-cpus")
    return made


def machine():
    def first(path, key):
        for line in pathlib.Path(path).read_text().splitlines():
            if line.startswith(key):
                return line.split(":", 1)[1].strip()
        return "unknown"

    commit = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty"],
        capture_output=True, text=True, check=False).stdout.strip()
    return {"cpu": first("/proc/cpuinfo", "model name"),
            "cpus": len(os.sched_getaffinity(0)),
            "kernel": platform.release(), "commit": commit or "unknown",
            "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
