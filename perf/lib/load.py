# SPDX-License-Identifier: BSD-2-Clause
"""Every workload on every server in turn, again and again.

A round is every workload on every server once; who begins changes from round
to round. What is compared is the ratio to the floor within one round: load
that comes and goes hits both.
"""

import sys

import bench
import claims
import proc
import servers
import table
import workloads
import wrk

# A round in which somebody else had this much of a CPU is marked.
FOREIGN = 0.10
FIGURES = ("rps", "cpu_us", "p50_us", "p99_us", "p999_us", "jain", "busy",
           "foreign")


def place(work, settings):
    """=> Returns the server's CPUs and the client's."""
    if work["cpus"] == "both":
        return settings.cpus, settings.cpus
    return settings.server_cpus, settings.client_cpus


def errors(found):
    return (found["lost"] + found["all"]["not_2xx"] + found["bad_responses"]
            + found["connect_errors"] + found["slow_closed"])


def measure(server, work, settings, seconds=None):
    """One run, with what it cost the server and everybody else."""
    _, cpus = place(work, settings)
    seconds = seconds or settings.seconds_of(0.25, 0.15) * work["seconds"]
    found = bench.watched(
        settings, server.url("/"), *workloads.options(work),
        "-t", len(cpus), "--cpus", ",".join(map(str, cpus)),
        "-w", seconds / 3 / work["seconds"], "-d", seconds,
        pids=proc.tree(server.pid()), cpus=cpus)
    tally, watch = found["paths"][work["path"]], found["watch"]
    answered = found["all"]["answered"]
    if not tally["answered"]:
        raise wrk.Failed(f"nothing was answered in {seconds} s")
    window = watch["window_ns"]
    foreign = (watch["machine_ns"] - watch["server_ns"]
               - watch["client_ns"]) / window
    return {"rps": found["all"]["rps"], "p50_us": tally["p50_us"],
            "p99_us": tally["p99_us"], "p999_us": tally["p99.9_us"],
            "jain": found["fairness"]["jain"],
            "cpu_us": watch["server_ns"] / 1000 / answered,
            "busy": watch["server_ns"] / window, "answered": answered,
            "user_ns": watch["user_ns"], "system_ns": watch["system_ns"],
            "burn_p99_us": found["paths"].get(
                workloads.BURN, {}).get("p99_us", 0),
            "behind_p99_us": found.get("behind", {}).get("p99_us", 0),
            "foreign": max(0.0, foreign), "errors": errors(found)}


def patiently(server, work, settings):
    """A server that is there gets another try: it may have had no CPU."""
    for tries in range(bench.TRIES, 0, -1):
        try:
            return measure(server, work, settings)
        except wrk.Failed:
            if tries == 1 or server.process.poll() is not None:
                raise


def in_turns(settings, started, works, seconds):
    """Servers by label that are compared with each other.

    => Returns what was measured by workload and label, one for each round.
    """
    found = {(key, label): [] for key in works for label in started}
    for number in range(settings.rounds):
        for key, work in works.items():
            order = list(started)
            for label in order if number % 2 else reversed(order):
                tell(f"round {number + 1}: {key} {label}")
                found[key, label].append(measure(
                    started[label], work, settings, seconds))
    tell("")
    return found


class Fleet:
    """All servers at once, each in the kinds that the workloads need."""

    def __init__(self, settings, works):
        self.settings, self.works = settings, works
        self.running, self.labels, self.cannot = {}, [], {}
        self.port = settings.port
        for description in servers.present(settings):
            label = description["name"]
            # The same server twice shows the noise.
            while label in self.labels:
                label += "'"
            self.labels.append(label)
            for key, work in works.items():
                self._provide(key, work, label, description)

    def _provide(self, key, work, label, description):
        special = work.get("key")
        reason = description.get("cannot", {}).get(special)
        if reason is not None:
            self.cannot[key, label] = reason
            return
        variant = special if special in description.get(
            "variants", {}) else None
        kind = label, work["cpus"], variant
        if kind not in self.running:
            cpus, _ = place(work, self.settings)
            self.running[kind] = servers.Server(
                description, self.settings, self.port, variant=variant,
                cpus=cpus).start()
            self.port += 1
        self.running[key, label] = self.running[kind]

    def server(self, key, label):
        return self.running.get((key, label))


def what_broke(server):
    status = server.process.poll()
    return "it has not answered" if status is None else (
        f"it has ended with {status}")


def tell(text):
    """A line of progress, for those who watch."""
    if sys.stderr.isatty():
        print(f"\r{text:60}", end="\r" if not text else "", flush=True,
              file=sys.stderr)


def rounds(settings, fleet):
    found = {(key, label): [] for key in fleet.works
             for label in fleet.labels if fleet.server(key, label)}
    for number in range(settings.rounds):
        first = number * 3 % len(fleet.labels)
        order = fleet.labels[first:] + fleet.labels[:first]
        if number % 2:
            order.reverse()
        for key, work in fleet.works.items():
            for label in order:
                if (key, label) not in found:
                    continue
                tell(f"round {number + 1} of {settings.rounds}: "
                     f"{key} {label}")
                try:
                    found[key, label].append(patiently(
                        fleet.server(key, label), work, settings))
                except wrk.Failed as error:
                    # One peer that breaks does not cost all the others.
                    print(f"{key} {label}: {error}", file=sys.stderr)
                    fleet.cannot[key, label] = what_broke(
                        fleet.server(key, label))
                    del found[key, label]
    tell("")
    return found


def summarize_one(runs, units):
    entry = {name: table.summary([run[name] for run in runs])
             for name in FIGURES}
    # The kernel tells the two apart in ticks: only over all rounds.
    user = sum(run["user_ns"] for run in runs)
    system = sum(run["system_ns"] for run in runs)
    share = user / (user + system) if user + system else 0.0
    entry["user_us"] = entry["cpu_us"]["median"] * share
    entry["system_us"] = entry["cpu_us"]["median"] * (1 - share)
    if units:
        entry["ratio"] = table.summary(
            [run["cpu_us"] / unit["cpu_us"]
             for run, unit in zip(runs, units)])
    entry["errors"] = sum(run["errors"] for run in runs)
    entry["rounds"] = runs
    return entry


def summarize(fleet, found):
    """Medians for each workload and server, and the ratio to the first."""
    result, unit = {}, fleet.labels[0]
    for key, work in fleet.works.items():
        result[key] = {"about": work["about"], "unit": work["unit"],
                       "servers": {}}
        for label in fleet.labels:
            if (key, label) in fleet.cannot:
                result[key]["servers"][label] = {
                    "cannot": fleet.cannot[key, label]}
                continue
            units = found.get((key, unit)) if work["unit"] else None
            result[key]["servers"][label] = summarize_one(
                found[key, label], units)
    return result


HEADER = ["req/s", "p50", "p99", "p99.9", "CPU", "user", "system", "ratio",
          "spread", "fair", "others", "errors"]


def row(label, entry, has_unit):
    ratio, noisy = entry.get("ratio"), entry["foreign"]["median"]
    cpu = ["-"] * 5
    if has_unit:
        cpu[:3] = (f"{entry['cpu_us']['median']:.3f} us",
                   f"{entry['user_us']:.3f}", f"{entry['system_us']:.3f}")
    if ratio:
        cpu[3:] = (f"{ratio['median']:.3f}",
                   f"{ratio['min']:.2f}-{ratio['max']:.2f}")
    return [label, f"{entry['rps']['median']:,.0f}",
            *(table.duration(entry[name]["median"])
              for name in ("p50_us", "p99_us", "p999_us")), *cpu,
            f"{entry['jain']['median']:.3f}",
            f"{noisy:.0%}" + (" !" if noisy > FOREIGN else ""),
            entry["errors"]]


def show(result, unit):
    print(f"\nMedians; CPU is the server's, per request; ratio is to "
          f"{unit} in the same\nround, with the least and the most; fair is "
          "Jain's index over connections.")
    for key, work in result.items():
        entries = work["servers"]
        rows = [row(label, entry, work["unit"])
                for label, entry in entries.items() if "cannot" not in entry]
        print(f"\n{key}: {work['about']}\n"
              f"{table.render([''] + HEADER, rows)}")
        for label, entry in entries.items():
            if "cannot" in entry:
                print(f"{label} cannot: {entry['cannot']}")
        if any(cells[-2].endswith("!") for cells in rows):
            print("! others had more than a tenth of a CPU: measure again "
                  "when it is quiet")
    print()


def keep_others(settings, result):
    """=> Returns all workloads: these, and what this commit has of others."""
    earlier = settings.load("load")
    if not earlier or not settings.workloads:
        return result
    merged = {**earlier["result"]["workloads"], **result}
    return {key: merged[key] for key in workloads.WORKLOADS if key in merged}


def run(settings):
    try:
        fleet = Fleet(settings, workloads.chosen(settings))
        sizes = {server.name: server.answer_size()
                 for key, server in fleet.running.items()
                 if key[1:] == ("one", None)}
        found = rounds(settings, fleet)
    finally:
        servers.stop_all()
    result = summarize(fleet, found)
    show(result, fleet.labels[0])
    print("answer, bytes: " + ", ".join(
        f"{name} {size}" for name, size in sizes.items()))
    result = keep_others(settings, result)
    return {"answer_bytes": sizes, "workloads": result}, claims.of(result)
