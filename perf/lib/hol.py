# SPDX-License-Identifier: BSD-2-Clause
"""One slow handler: who waits behind it?

One connection asks /burn?us=5000 again and again, the others ask /plaintext,
all of one shard on every CPU. With one worker they wait for one another;
with two the work that the busy one has published goes on. Both servers take
their turn in each round.
"""

import bench
import servers
import table

BURN = "/burn?us=5000"
CONNECTIONS = 64
FASTER, SOONER = 3.0, 1 / 3


def measure(settings, server):
    before = server.stats("ready_published")
    found = bench.run(settings, server.url(), "-c", CONNECTIONS,
                      "--dedicate", f"{BURN}=1", "-w", 0.3,
                      "-d", settings.seconds_of(1.5, 1), cpus=settings.cpus)
    plain, burn = found["paths"]["/plaintext"], found["paths"][BURN]
    return {"rps": plain["rps"], "p50_us": plain["p50_us"],
            "p99_us": plain["p99_us"], "burns": burn["answered"],
            "burn_p50_us": burn["p50_us"],
            "published": server.stats("ready_published") - before,
            "errors": found["lost"] + found["all"]["not_2xx"]}


def run(settings, name="spate"):
    description, started = servers.load(name), {}
    try:
        for workers in (1, 2):
            started[workers] = servers.Server(
                description, settings, settings.port + workers - 1,
                cpus=settings.cpus, threads=1, arguments=[
                    "--workers", str(workers), "--spares", "0"]).start()
        rounds = {workers: [] for workers in started}
        for number in range(settings.rounds):
            for workers in (1, 2) if number % 2 == 0 else (2, 1):
                rounds[workers].append(measure(settings, started[workers]))
    finally:
        for server in started.values():
            server.stop()
    one, two = ({key: table.median([run[key] for run in rounds[workers]])
                 for key in rounds[workers][0]} for workers in (1, 2))
    print(table.render(
        ["", "plaintext/s", "p50", "p99", "burns", "burn p50", "published"],
        [[f"{workers} worker{'s' * (workers > 1)}", f"{of['rps']:,.0f}",
          table.duration(of["p50_us"]), table.duration(of["p99_us"]),
          f"{of['burns']:.0f}", table.duration(of["burn_p50_us"]),
          f"{of['published']:,.0f}"] for workers, of in ((1, one), (2, two))]))
    made = [table.Claim("plaintext beside a slow handler, 2 workers x 1",
                        two["rps"] / one["rps"], FASTER, least=True),
            table.Claim("its median latency, 2 workers x 1",
                        two["p50_us"] / one["p50_us"], SOONER),
            table.Claim("ready lists published by 2 workers",
                        two["published"], 1, least=True)]
    return {"rounds": rounds, "medians": {1: one, 2: two}}, made
