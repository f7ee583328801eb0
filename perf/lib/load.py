# SPDX-License-Identifier: BSD-2-Clause
"""wrk against each server in turn, again and again, beside the floor.

A round is every workload on every server once; the order of the servers is
turned over from round to round. What is compared is the ratio to the floor
within one round: load that comes and goes hits both.
"""

import resource
import sys

import proc
import servers
import table
import wrk

WORKLOADS = {
    "64": {"about": "plaintext, 64 connections", "connections": 64},
    "512": {"about": "plaintext, 512 connections", "connections": 512},
    "pipelined": {"about": "plaintext, 64 connections, 16 at a time",
                  "connections": 64, "depth": 16},
    "churn": {"about": "plaintext, 64 connections, each for one request",
              "connections": 64, "close": True, "variant": "churn"},
}

CLAIMS = {"64": ("CPU per request, 64 connections, x floor", 1.10),
          "pipelined": ("CPU per request, pipelined x16, x floor", 1.5)}

# A round in which somebody else had this much of a CPU is marked.
FOREIGN = 0.10


def used_by_children_ns():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) * 1e9


def measure(server, work, settings):
    """One run of wrk, with what it cost the server and everybody else."""
    busy, ours = proc.machine_busy_ns(), used_by_children_ns()
    before = proc.Cpu(server.pid())
    result = wrk.run(server.url(work.get("path", "/plaintext")),
                     work["connections"], settings.seconds,
                     settings.client_cpus, depth=work.get("depth", 1),
                     close=work.get("close", False))
    user, system = proc.Cpu(server.pid()).since(before)
    client = used_by_children_ns() - ours
    foreign = proc.machine_busy_ns() - busy - client - user - system
    requests = result["requests"]
    result["user_us"] = user / 1000 / requests
    result["system_us"] = system / 1000 / requests
    result["cpu_us"] = result["user_us"] + result["system_us"]
    result["server_busy"] = (user + system) / 1e9 / result["seconds"]
    result["foreign"] = max(0.0, foreign / 1e9 / result["seconds"])
    return result


def start(settings, names):
    """Every server once, and once more for a workload it has a variant for."""
    started, port = {}, settings.port
    for name in names:
        description = servers.load(name)
        label = description["name"]
        # The same server twice shows the noise.
        while ("64", label) in started:
            label += "'"
        plain = servers.Server(description, settings, port).start()
        port += 1
        for key, work in WORKLOADS.items():
            variant = work.get("variant")
            if variant in description.get("variants", {}):
                started[key, label] = servers.Server(
                    description, settings, port, variant=variant).start()
                port += 1
            else:
                started[key, label] = plain
    return started


def tell(text):
    """A line of progress, for those who watch."""
    if sys.stderr.isatty():
        print(f"\r{text:60}", end="\r" if not text else "", flush=True,
              file=sys.stderr)


def rounds(settings, started):
    labels = list(dict.fromkeys(label for _, label in started))
    found = {pair: [] for pair in started}
    for number in range(settings.rounds):
        order = labels if number % 2 == 0 else labels[::-1]
        for key, work in WORKLOADS.items():
            for label in order:
                tell(f"round {number + 1} of {settings.rounds}: "
                     f"{key} {label}")
                found[key, label].append(
                    measure(started[key, label], work, settings))
    tell("")
    return found, labels


def ratios(runs, units):
    return [run["cpu_us"] / unit["cpu_us"] for run, unit in zip(runs, units)]


def summarize(found, labels):
    """Medians for each workload and server, and the ratio to the first."""
    result = {}
    for key, work in WORKLOADS.items():
        result[key] = {"about": work["about"], "servers": {}}
        for label in labels:
            runs = found[key, label]
            entry = {name: table.summary([run[name] for run in runs])
                     for name in ("rps", "cpu_us", "user_us", "system_us",
                                  "p50_us", "p99_us", "server_busy",
                                  "foreign")
                     if all(name in run for run in runs)}
            entry["ratio"] = table.summary(
                ratios(runs, found[key, labels[0]]))
            entry["errors"] = sum(run["socket_errors"] + run["non_2xx"]
                                  for run in runs)
            entry["rounds"] = runs
            result[key]["servers"][label] = entry
    return result


def latency(entry, name):
    return table.duration(entry[name]["median"]) if name in entry else "-"


def show(result, unit):
    print(f"\nMedians; CPU is the server's, per request; ratio is to "
          f"{unit} in the same\nround, with the least and the most.\n")
    rows = []
    for key, work in result.items():
        for label, entry in work["servers"].items():
            ratio, noisy = entry["ratio"], entry["foreign"]["median"]
            rows.append([
                f"{key} {label}", f"{entry['rps']['median']:,.0f}",
                latency(entry, "p50_us"), latency(entry, "p99_us"),
                f"{entry['cpu_us']['median']:.3f} us",
                f"{entry['user_us']['median']:.3f}",
                f"{entry['system_us']['median']:.3f}",
                f"{ratio['median']:.3f}",
                f"{ratio['min']:.2f}-{ratio['max']:.2f}",
                f"{entry['server_busy']['median']:.0%}",
                f"{noisy:.0%}" + (" !" if noisy > FOREIGN else ""),
                entry["errors"]])
    print(table.render(
        ["workload, server", "req/s", "p50", "p99", "CPU", "user", "system",
         "ratio", "spread", "busy", "others", "errors"], rows))
    if any(row[10].endswith("!") for row in rows):
        print("\n! others had more than a tenth of a CPU: "
              "measure again when it is quiet")


def run(settings):
    try:
        started = start(settings, settings.servers)
        sizes = {label: server.answer_size()
                 for (key, label), server in started.items() if key == "64"}
        found, labels = rounds(settings, started)
    finally:
        servers.stop_all()
    result = summarize(found, labels)
    show(result, labels[0])
    print("answer, bytes: " + ", ".join(
        f"{name} {size}" for name, size in sizes.items()))
    made = [table.Claim(CLAIMS[key][0],
                        result[key]["servers"]["spate"]["ratio"]["median"],
                        CLAIMS[key][1])
            for key in CLAIMS if "spate" in labels and labels[0] == "floor"]
    return {"answer_bytes": sizes, "workloads": result}, made
