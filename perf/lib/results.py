# SPDX-License-Identifier: BSD-2-Clause
"""What the steps have saved, put together: medians with their ranges.

A record of the history is what this makes of one run:
    machine, settings   of the load step
    load                workload -> server -> figure -> [median, min, max],
                        user_us and system_us, or {"cannot": why}
    about               workload -> what it is
    idle, syscalls, instructions    server -> figures
    growth              what grows -> about, and sizes: of each the size,
                        instructions or None, CPU time in us as [median, min,
                        max], bytes
    parts               part -> least and median ns, and its instructions in
                        perf/parts.json, or None
    claims              what was promised, and what was measured
"""

import json

import counted

STEPS = ("load", "placement", "idle", "syscalls", "instructions", "hol",
         "crosscheck", "parts", "growth")
ALIKE = ("cpu", "cpus", "kernel")
SAME = (*ALIKE, "commit")


def read(folder):
    """=> Returns the steps of the load step's commit, and who was left out."""
    found, left_out = {}, []
    for name in STEPS:
        try:
            found[name] = json.loads((folder / f"{name}.json").read_text())
        except OSError:
            left_out.append(f"{name} was not run")
    if "load" in found:
        machine = found["load"]["machine"]
        for name in list(found):
            theirs = found[name]["machine"]
            if any(theirs[key] != machine[key] for key in SAME):
                left_out.append(f"{name} is of {theirs['commit']}, "
                                f"not of {machine['commit']}")
                del found[name]
    return found, left_out


def triple(summary):
    return [float(f"{summary[key]:.5g}") for key in ("median", "min", "max")]


def of_server(entry):
    if "cannot" in entry:
        return {"cannot": entry["cannot"]}
    made = {name: triple(of) for name, of in entry.items()
            if isinstance(of, dict)}
    made.update({name: float(f"{entry[name]:.4g}")
                 for name in ("user_us", "system_us")},
                errors=entry["errors"])
    return made


def compact(found):
    load = found["load"]["result"]["workloads"]
    record = {"machine": found["load"]["machine"],
              "settings": found["load"]["settings"],
              "about": {key: work["about"] for key, work in load.items()},
              "load": {key: {label: of_server(entry) for label, entry
                             in work["servers"].items()}
                       for key, work in load.items()},
              "claims": [claim for step in found.values()
                         for claim in step["result"].get("claims", [])]}
    if "idle" in found:
        record["idle"] = {
            label: {name: of.get(name) for name in
                    ("connections", "bytes_each", "kept", "cpu_ratio")}
            for label, of in found["idle"]["result"]["servers"].items()}
    if "syscalls" in found:
        record["syscalls"] = {
            label: round(of["1"]["total"], 3) for label, of in
            found["syscalls"]["result"]["servers"].items()}
    if "instructions" in found:
        record["instructions"] = {
            label: {depth: round(each) for depth, each in of.items()}
            for label, of in
            found["instructions"]["result"]["servers"].items()}
    if "parts" in found:
        kept = counted.read()["parts"]
        record["parts"] = {
            name: [float(f"{of[key]:.4g}") for key in ("min", "median")]
            + [kept.get(name)] for name, of in
            found["parts"]["result"]["parts"].items()}
    if "growth" in found:
        grown = found["growth"]["result"]
        record["growth"] = {kind: {"about": grown["about"][kind], "sizes": [
            [of["size"], of["instructions"] and round(of["instructions"]),
             triple(of["cpu_us"]), of["bytes"]] for of in sizes]}
            for kind, sizes in grown["kinds"].items()}
    return record


def servers_of(record):
    """Every server, in the order of the run."""
    labels = []
    for servers in record["load"].values():
        labels += [label for label in servers if label not in labels]
    return labels


def figure(record, key, label, name):
    """=> Returns [median, min, max], or None."""
    return record["load"].get(key, {}).get(label, {}).get(name)


def is_like(record, other):
    """Whether both are of such a machine."""
    return all(record["machine"][key] == other["machine"][key]
               for key in ALIKE)


def history(path):
    try:
        return [json.loads(line) for line in path.read_text().splitlines()]
    except OSError:
        return []


def remember(path, record):
    """One line for each commit and machine; a later run replaces it."""
    def who(one):
        return [one["machine"][key] for key in SAME]

    kept = [one for one in history(path) if who(one) != who(record)]
    path.write_text("".join(
        json.dumps(one, separators=(",", ":")) + "\n"
        for one in [*kept, record]))
    return [*kept, record]
