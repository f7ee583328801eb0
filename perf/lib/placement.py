# SPDX-License-Identifier: BSD-2-Clause
"""Where a connection is served: what it is worth, and what it costs.

Both CPUs have a thread of the server and one of the client, each pinned. As
it is, Spate serves a connection on the CPU where its packets arrive; by hash
it serves it wherever the kernel's hash has put it, which is the other CPU for
half of them. The floor does both as well, and shows how much there is to win
on this machine: where that is less than LIMIT asks for, no server can have it,
and what can be told is whether Spate wins as much (AS_FLOOR).

A single-threaded client's packets all arrive at one CPU. Its connections have
to be spread over the shards all the same.
"""

import json
import threading
import time
import urllib.request

import bench
import load
import servers
import table
import workloads

KEYS = ("64 both", "512 both")
SERVERS = ("floor", "floor-near", "spate-hash", "spate")
PAIRS = (("spate", "spate-hash"), ("floor-near", "floor"))
LIMIT = 0.6
AS_FLOOR = 1.05
EVEN = 1.15
CONNECTIONS = 64
SPREAD_SECONDS = 1


def shards_of(server):
    with urllib.request.urlopen(server.url("/stats"), timeout=5) as answer:
        return json.load(answer)["shards"]


def spread(settings, server):
    """=> Returns the connections of each shard, of a client with a thread.

    The one that asks is among them.
    """
    client = threading.Thread(target=bench.run, args=(
        settings, server.url("/plaintext"), "-c", CONNECTIONS, "-t", 1,
        "-d", SPREAD_SECONDS), kwargs={"cpus": settings.cpus[:1]})
    client.start()
    time.sleep(SPREAD_SECONDS / 2)
    loads = [shard["connections"] for shard in shards_of(server)]
    client.join()
    return loads


def ratios(found, key, label, unit):
    return table.summary([run["cpu_us"] / of["cpu_us"] for run, of
                          in zip(found[key, label], found[key, unit])])


def run(settings):
    settings.servers = list(SERVERS)
    works = {key: workloads.WORKLOADS[key] for key in KEYS}
    try:
        fleet = load.Fleet(settings, works)
        found = load.rounds(settings, fleet)
        spate = fleet.server(KEYS[0], "spate")
        loads = spread(settings, spate)
        shards = shards_of(spate)
    finally:
        servers.stop_all()
    result = load.summarize(fleet, found)
    load.show(result, fleet.labels[0])
    made, gains = [], {}
    for key in KEYS:
        for label, unit in PAIRS:
            ratio = ratios(found, key, label, unit)
            gains[f"{key}: {label}"] = ratio
            print(f"{key}: {label} {ratio['median']:.3f} "
                  f"({ratio['min']:.2f}-{ratio['max']:.2f}) x {unit}")
            if label == "spate":
                made.append(table.Claim(
                    f"{key}: CPU per request, x that of hash placement",
                    ratio["median"], LIMIT))
        made.append(table.Claim(
            f"{key}: that, x what the floor gets by the same",
            gains[f"{key}: spate"]["median"]
            / gains[f"{key}: floor-near"]["median"], AS_FLOOR))
    fullest = max(loads) * len(loads) / sum(loads)
    print(f"one client, {CONNECTIONS} connections: {loads} by shard")
    made.append(table.Claim("one client: the fullest shard, x even", fullest,
                            EVEN))
    return {"workloads": result, "gains": gains, "spread": loads,
            "away": sum(shard["placed_away"] for shard in shards),
            "moved": sum(shard["moved"] for shard in shards)}, made
