# SPDX-License-Identifier: BSD-2-Clause
"""What it costs to see inside.

First the same server twice, with all that it records and with none of it, in
turns: CPU per request of each, and the ratio within a round. Then one server
at a steady rate of requests, with and without somebody who reads /stats and
/metrics a thousand times a second: the latency of the others.
"""

import subprocess

import bench
import load
import servers
import table
import workloads

ON, OFF = "on", "off"
OFF_FLAGS = ["--record-times=off", "--record-events=0"]
WORKLOADS = ("64", "pipelined")
COST, SLOWER = 1.03, 1.10

RATE, CONNECTIONS = 8000, 32
SCRAPES = 1000


def cost(settings, description):
    """=> Returns CPU per request by workload and state, one for each round."""
    works = {work: workloads.WORKLOADS[work] for work in WORKLOADS}
    started = {}
    try:
        for port, state in enumerate((ON, OFF), settings.port):
            started[state] = servers.Server(
                description, settings, port,
                arguments=OFF_FLAGS if state == OFF else []).start()
        found = load.in_turns(
            settings, started, works, settings.seconds_of(2, 1))
    finally:
        servers.stop_all()
    return {key: [run["cpu_us"] for run in runs]
            for key, runs in found.items()}


def scraper(settings, server, seconds):
    return subprocess.Popen(
        bench.command(settings, server.url("/stats"), "-R", SCRAPES, "-c", 4,
                      "--mix", "/stats=1,/metrics=1",
                      "-d", seconds + 1),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def latency(settings, server, scraped):
    seconds = settings.seconds_of(2, 1)
    reader = scraper(settings, server, seconds) if scraped else None
    try:
        return bench.run(settings, server.url(), "-R", RATE, "-c",
                         CONNECTIONS, "-w", 0.5, "-d",
                         seconds)["all"]["p99_us"]
    finally:
        if reader is not None:
            reader.wait()


def scrapes(settings, description):
    found = {True: [], False: []}
    server = servers.Server(description, settings, settings.port)
    with server.start():
        for number in range(settings.rounds):
            for scraped in (True, False) if number % 2 else (False, True):
                load.tell(f"round {number + 1}: scraped {scraped}")
                found[scraped].append(latency(settings, server, scraped))
    return found


def run(settings, name="spate"):
    description = servers.load(name)
    spent, waited = (cost(settings, description),
                     scrapes(settings, description))
    load.tell("")
    rows, made = [], []
    for work in WORKLOADS:
        on, off = spent[work, ON], spent[work, OFF]
        ratio = table.summary([a / b for a, b in zip(on, off)])
        rows.append([work, f"{table.median(on):.3f} us",
                     f"{table.median(off):.3f} us", f"{ratio['median']:.3f}",
                     f"{ratio['min']:.2f}-{ratio['max']:.2f}"])
        made.append(table.Claim(f"CPU per request, {work}, on x off",
                                ratio["median"], COST))
    print(table.render(["workload", "on", "off", "ratio", "spread"], rows))
    alone, beside = (table.summary(waited[scraped])
                     for scraped in (False, True))
    # One stall of the machine is in the p99 of one run and not of the next,
    # so it is medians that are compared, and not runs.
    print(f"\np99 at {RATE:,}/s: {alone['median']:.0f} us "
          f"({alone['min']:.0f}-{alone['max']:.0f}); with {SCRAPES:,} scrapes "
          f"a second {beside['median']:.0f} us "
          f"({beside['min']:.0f}-{beside['max']:.0f})")
    made.append(table.Claim("p99 beside 1,000 scrapes a second, x without",
                            beside["median"] / alone["median"], SLOWER))
    return {"cpu_us": {f"{work} {state}": runs
                       for (work, state), runs in spent.items()},
            "p99_us": {"scraped": waited[True], "alone": waited[False]}}, made
