# SPDX-License-Identifier: BSD-2-Clause
"""The table of the README, between its two marks."""

import results

BEGIN, END = "<!-- perf/publish -->", "<!-- perf/publish ends -->"

# What perf/publish --tree has written beside it.
REST = ("![CPU time per request of each server](docs/perf/cpu.png)\n\n"
        "Every figure: [perf/report/index.html](perf/report/index.html).")

COSTS = ("64", "512", "pipelined", "json", "64k", "post", "churn")
BESIDE = ("burn 4000", "burn 8000")


def cost(record, key, label):
    found = results.figure(record, key, label, "cpu_us")
    return f"{found[0]:.2f}" if found else "-"


def beside(record, key, label):
    found = results.figure(record, key, label, "p99_us")
    return f"{found[0] / 1000:.1f}" if found else "-"


def row(record, label):
    idle = record.get("idle", {}).get(label)
    calls = record.get("syscalls", {}).get(label)
    cells = [cost(record, key, label) for key in COSTS
             if key in record["load"]]
    cells += [beside(record, key, label) for key in BESIDE
              if key in record["load"]]
    cells += [f"{idle['bytes_each']:,.0f}" if idle else "-",
              f"{calls:.2f}" if calls else "-"]
    name = f"**{label}**" if label == "spate" else label
    return [name, *cells]


def cpus(numbers):
    return f"CPU {', '.join(map(str, numbers))}"


def where(record):
    """The machine and how it was measured, as a sentence."""
    machine, how = record["machine"], record["settings"]
    return (f"{machine['cpu']}, {machine['cpus']} CPUs, Linux "
            f"{machine['kernel']}, commit {machine['commit']}, "
            f"{machine['date'][:10]}: the server on "
            f"{cpus(how['server_cpus'])}, the client on "
            f"{cpus(how['client_cpus'])}, loopback, medians of "
            f"{how['rounds']} interleaved rounds")


def wrap(text, width=78):
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return "\n".join(lines)


def table(record):
    header = ["CPU µs per request",
              *(key for key in COSTS if key in record["load"]),
              *(f"p99 ms, {key}/s" for key in BESIDE
                if key in record["load"]),
              "bytes per idle connection", "system calls"]
    rows = [header, ["---", *["---:"] * (len(header) - 1)]]
    rows += [row(record, label) for label in results.servers_of(record)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def replace(text, record):
    """=> Returns text with the table between the marks, which are there."""
    before, _, rest = text.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"no {BEGIN} and {END}")
    return (f"{before}{BEGIN}\n{table(record)}\n\n"
            f"{wrap(where(record) + '.')}\n\n{REST}\n{END}{after}")
