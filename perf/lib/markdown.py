# SPDX-License-Identifier: BSD-2-Clause
"""The tables of README.md and docs/scaling.md, between their two marks."""

import claims
import results

BEGIN, END = "<!-- perf/publish -->", "<!-- perf/publish ends -->"

# What perf/publish --tree has written beside it.
REST = ("![CPU time per request of each server](docs/perf/cpu.png)\n\n"
        "Every figure, and why a dash is one: "
        "[perf/report/index.html](perf/report/index.html).")

COSTS = ("64", "unlike", "512", "pipelined", "json", "1k", "64k", "1m", "post",
         "churn")
BESIDE = ("burn 4000", "burn 8000")


def cost(record, key, label):
    found = results.figure(record, key, label, "cpu_us")
    return f"{found[0]:.2f}" if found else "-"


def beside(record, key, label):
    found = results.figure(record, key, label, "p99_us")
    return f"{found[0] / 1000:.2f}" if found else "-"


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


def render(rows):
    """The first is the header; all but the first column are numbers."""
    rows = [rows[0], ["---", *["---:"] * (len(rows[0]) - 1)], *rows[1:]]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def table(record):
    header = ["CPU µs per request",
              *(key for key in COSTS if key in record["load"]),
              *(f"p99 ms, {key}/s" for key in BESIDE
                if key in record["load"]),
              "bytes per idle connection", "system calls"]
    return render([header, *(row(record, label)
                             for label in results.servers_of(record))])


def unmet(record):
    """What was promised and is not so, as a paragraph; or nothing."""
    found = []
    for claim in record["claims"]:
        if claim["met"]:
            continue
        cause = claims.cause(claim["name"])
        found.append(f"{claim['name']} is {claim['measured']:.3g}, not "
                     f"{claim['limit']:g}"
                     + (f" ([why]({cause}))" if cause else ""))
    return [wrap("Promised and not so: " + "; ".join(found) + ".")] * bool(
        found)


def between(text, *paragraphs):
    """=> Returns text with those between the marks, which are there."""
    before, _, rest = text.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"no {BEGIN} and {END}")
    inside = "\n\n".join(paragraphs)
    return f"{before}{BEGIN}\n{inside}\n{END}{after}"


def replace(text, record):
    """The README's."""
    return between(text, table(record), wrap(where(record) + "."),
                   *unmet(record), REST)


def grown(kind):
    """A row for each size, so that what is not flat can be seen."""
    return [[f"{kind['about']}: {size:,}",
             f"{instructions:,}" if instructions else "-",
             f"{middle:.2f} ({least:.2f} to {most:.2f})",
             f"{memory / 2**20:.1f}"]
            for size, instructions, (middle, least, most), memory
            in kind["sizes"]]


def growth(text, record):
    """Those of docs/scaling.md; as they are, if nothing was measured."""
    if "growth" not in record:
        return text
    rows = [["what grows", "instructions per request", "CPU µs per request",
             "resident, MiB"]]
    for kind in record["growth"].values():
        rows += grown(kind)
    return between(
        text, wrap(where(record) + "; instructions by callgrind."),
        "![Cost of a request and memory, as each of them grows]"
        "(../docs/perf/growth.png)", render(rows))
