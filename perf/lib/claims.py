# SPDX-License-Identifier: BSD-2-Clause
"""What is promised of the load step, and whether it is so."""

import table

# CPU per request, times the floor's.
FLOOR = {"64": 1.05, "pipelined": 1.15}
# Below every peer.
BEST = ("64", "unlike", "pipelined", "512", "json", "1k", "64k", "1m", "post",
        "churn")
# The 99th percentile of those that do not burn, in ms.
BESIDE = {"burn 4000": 1.0, "burn 8000": 3.0}
OURS, UNIT = "spate", "floor"
# Where it is written why one is not met, by what is in its name.
CAUSES = {
    "1m: CPU per request":
        "docs/decisions/0014-large-bodies-by-two-sends.md",
    "x that of hash placement":
        "docs/decisions/0015-connections-move-once.md"}


def cause(name):
    """=> Returns the document that explains it, or None."""
    return next((where for part, where in CAUSES.items() if part in name),
                None)


def whys(made):
    """=> Returns lines about those that are not met."""
    return [f"{one.name}: why not, is in {cause(one.name)}"
            for one in made if not one.met and cause(one.name)]


def best_peer(entries, value):
    """The least of all peers, and whose it is."""
    peers = {label: value(entry) for label, entry in entries.items()
             if "cannot" not in entry and label.rstrip("'")
             not in (OURS, UNIT)}
    return min(((of, label) for label, of in peers.items()), default=None)


def of(result):
    made = []
    for key, work in result.items():
        entries = work["servers"]
        ours = entries.get(OURS)
        if not ours or "cannot" in ours:
            continue
        if key in FLOOR and "ratio" in ours and next(iter(entries)) == UNIT:
            made.append(table.Claim(
                f"{key}: CPU per request, x floor",
                ours["ratio"]["median"], FLOOR[key]))
        peer = best_peer(entries, lambda entry: entry["cpu_us"]["median"])
        if key in BEST and peer:
            made.append(table.Claim(
                f"{key}: CPU per request, x the best peer's ({peer[1]})",
                ours["cpu_us"]["median"] / peer[0], 1.0))
        if key in BESIDE:
            made.append(table.Claim(
                f"{key}: p99 of the requests that do not burn",
                ours["p99_us"]["median"] / 1000, BESIDE[key], unit=" ms"))
    return made + _requests_per_second(result.get("pipelined"))


def _requests_per_second(work):
    ours = work and work["servers"].get(OURS)
    peer = ours and best_peer(
        work["servers"], lambda entry: -entry["rps"]["median"])
    if not peer:
        return []
    return [table.Claim(
        f"pipelined: requests per second, x the best peer's ({peer[1]})",
        ours["rps"]["median"] / -peer[0], 1.0, least=True)]
