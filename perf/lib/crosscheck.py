# SPDX-License-Identifier: BSD-2-Clause
"""spate-bench beside wrk, in turns, on the same server.

They must agree on what a request costs the server, for both put the same load
on. On latency they agree where nothing waits: with one connection. At full
load wrk shows less, because what has arrived waits for its loop to come round
before it looks at the clock (perf/README.md).
"""

import bench
import load
import proc
import servers
import table
import workloads
import wrk

WORKLOADS = "1", "64", "pipelined"
SECONDS = 1  # wrk counts in whole ones
ROUNDS = 3
# wrk uses more CPU itself, so a server waits for it and sleeps more often.
COST, LATENCY = 0.15, 0.15


def by_wrk(server, work, settings):
    before = proc.Cpu(server.pid())
    found = wrk.run(server.url(work["path"]), work["connections"], SECONDS,
                    settings.client_cpus, depth=work.get("depth", 1))
    user, system = proc.Cpu(server.pid()).since(before)
    return {"rps": found["rps"], "p50_us": found.get("p50_us"),
            "cpu_us": (user + system) / 1000 / found["requests"]}


def by_us(server, work, settings):
    found = load.measure(server, work, settings, seconds=SECONDS)
    return {name: found[name] for name in ("rps", "p50_us", "cpu_us")}


def median_of(runs, name):
    values = [run[name] for run in runs if run[name] is not None]
    return table.median(values) if values else None


def compare(server, settings):
    result = {}
    for key in WORKLOADS:
        work = workloads.WORKLOADS[key]
        runs = {"wrk": [], "spate-bench": []}
        for _ in range(min(settings.rounds, ROUNDS)):
            runs["wrk"].append(by_wrk(server, work, settings))
            runs["spate-bench"].append(by_us(server, work, settings))
        result[key] = {tool: {name: median_of(of, name)
                              for name in ("rps", "p50_us", "cpu_us")}
                       for tool, of in runs.items()}
    return result


def apart(key, of, name, limit):
    """How far one is from the other, as a part of wrk's."""
    theirs, ours = of["wrk"][name], of["spate-bench"][name]
    return table.Claim(f"spate-bench and wrk, {key}: {name} differs by",
                       abs(ours - theirs) / theirs, limit)


def run(settings):
    description = servers.load("spate")
    with servers.Server(description, settings, settings.port) as server:
        result = compare(server, settings)
    rows = [[f"{key}, {tool}", f"{of['rps']:,.0f}",
             table.duration(of["p50_us"]) if of["p50_us"] else "-",
             f"{of['cpu_us']:.3f} us"]
            for key, tools in result.items() for tool, of in tools.items()]
    print(table.render(["spate, asked by", "req/s", "p50", "CPU"], rows))
    made = [apart(key, of, "cpu_us", COST) for key, of in result.items()]
    return {"tools": result}, [
        apart("1", result["1"], "p50_us", LATENCY), *made]
