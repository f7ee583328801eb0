# SPDX-License-Identifier: BSD-2-Clause
"""The plots: small panels of bars, one server a line, the best above; and
lines for what grows."""

import io

import matplotlib

matplotlib.use("Agg")
matplotlib.rcParams.update({
    "svg.hashsalt": "spate", "svg.fonttype": "none", "font.size": 8,
    "axes.spines.top": False, "axes.spines.right": False,
    "figure.dpi": 100})
import matplotlib.pyplot as plt

import results

COLORS = {"spate": "#c0392b", "floor": "#7f8c8d"}
OTHER = "#2c6e9b"
MORE_IS_BETTER = "thousand a second"
PANEL_WIDTH, LINE_HEIGHT, COLUMNS = 3.4, 0.19, 3


def color(label):
    return COLORS.get(label.rstrip("'"), OTHER)


def bars(axes, title, entries, unit, log=False):
    """entries: label -> [median, min, max]. The best is above."""
    order = sorted(entries, key=lambda label: entries[label][0],
                   reverse=unit != MORE_IS_BETTER)
    for at, label in enumerate(order):
        middle, low, high = entries[label]
        axes.barh(at, middle, 0.7, color=color(label), alpha=0.85)
        axes.plot([low, high], [at, at], color="black", linewidth=0.8)
        axes.annotate(f"{middle:,.3g}" if middle < 1000 else f"{middle:,.0f}",
                      (max(middle, high), at), xytext=(3, 0),
                      textcoords="offset points", va="center", fontsize=6.5)
    axes.set_yticks(range(len(order)), order)
    axes.set_title(title, loc="left", fontsize=8.5)
    axes.set_xlabel(unit)
    if log:
        axes.set_xscale("log")
    else:
        axes.set_xlim(0, 1.18 * max(entry[2] for entry in entries.values()))


def grid(panels):
    """panels: (title, entries, unit, log). => Returns a figure."""
    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    most = max(len(entries) for _, entries, _, _ in panels)
    figure, axes = plt.subplots(
        rows, columns, squeeze=False,
        figsize=(PANEL_WIDTH * columns, (LINE_HEIGHT * most + 0.75) * rows))
    cells = [cell for line in axes for cell in line]
    for cell, panel in zip(cells, panels):
        bars(cell, *panel)
    for cell in cells[len(panels):]:
        cell.set_visible(False)
    figure.tight_layout()
    return figure


def panels_of(record, name, unit, keys, scale=1.0, log=False):
    made = []
    for key in keys:
        entries = {}
        for label in record["load"].get(key, {}):
            found = results.figure(record, key, label, name)
            if found:
                entries[label] = [value * scale for value in found]
        if entries:
            made.append((key, entries, unit, log))
    return made


def once(record, name, pick):
    return {label: [pick(of)] * 3 for label, of in
            record.get(name, {}).items() if pick(of) is not None}


def groups(record):
    """=> Yields name, title and panels."""
    keys = list(record["load"])
    burns = [key for key in keys if key.startswith("burn")]
    full = [key for key in keys if key not in burns]
    yield ("cpu", "CPU time per request, µs: what it costs the server",
           panels_of(record, "cpu_us", "µs", full))
    yield ("rps", "Requests per second",
           panels_of(record, "rps", MORE_IS_BETTER, full, 1e-3))
    yield ("p99", "99th percentile at full load: how long the queue is",
           panels_of(record, "p99_us", "ms", full, 1e-3))
    yield ("beside", "Open loop, 1 % of requests burn 5 ms: what the others "
           "wait",
           [(f"{key}/s, {name}", entries, unit, log) for key in burns
            for field, name in (("p50_us", "p50"), ("p99_us", "p99"),
                                ("p999_us", "p99.9"))
            for _, entries, unit, log in panels_of(
                record, field, "ms", [key], 1e-3)])
    yield ("once", "Counted, not timed", [
        ("user memory of an idle connection",
         once(record, "idle", lambda of: of["bytes_each"]), "bytes", True),
        ("system calls per request",
         once(record, "syscalls", lambda of: of), "", False),
        ("user instructions per request",
         once(record, "instructions", lambda of: of["1"]), "", False)])


def of(record):
    """=> Yields name, title and figure; nothing of what was not measured."""
    for name, title, panels in groups(record):
        panels = [panel for panel in panels if panel[1]]
        if panels:
            yield name, title, grid(panels)
    if record.get("growth"):
        yield ("growth", "What grows, and what that costs; docs/scaling.md "
               "says why", growth(record))


# The columns of growth: a title, and which figure of a size is drawn.
GROWTH = (
    ("user instructions per request", lambda of: [of[1]] * 3),
    ("CPU time per request, µs", lambda of: of[2]),
    ("resident memory, MiB", lambda of: [of[3] / 2**20] * 3))


def line(axes, sizes, pick):
    """One point for each size, with its range; from nothing up."""
    points = [(of[0], *pick(of)) for of in sizes if pick(of)[0] is not None]
    at, middle, low, high = zip(*points)
    axes.plot(at, middle, marker="o", markersize=3, color=COLORS["spate"])
    axes.vlines(at, low, high, color="black", linewidth=0.8)
    axes.set_xscale("symlog", linthresh=max(1, min(filter(None, at))))
    axes.set_ylim(0, 1.25 * max(high))
    for size, value, most in zip(at, middle, high):
        axes.annotate(f"{value:,.3g}" if value < 1000 else f"{value:,.0f}",
                      (size, most), xytext=(0, 4), ha="center",
                      textcoords="offset points", fontsize=6)
    # 10,000 and 19,000 are neighbours.
    axes.set_xticks(at, [f"{size // 1000}k" if size >= 1000 else size
                         for size in at], fontsize=7)
    axes.minorticks_off()
    axes.margins(x=0.08)


def growth(record):
    """A line of panels for each of what grows."""
    kinds = record["growth"]
    figure, axes = plt.subplots(
        len(kinds), len(GROWTH), squeeze=False,
        figsize=(PANEL_WIDTH * len(GROWTH), 1.7 * len(kinds)))
    for cells, kind in zip(axes, kinds.values()):
        for cell, (title, pick) in zip(cells, GROWTH):
            line(cell, kind["sizes"], pick)
            cell.set_title(title, loc="left", fontsize=8.5)
            cell.set_xlabel(kind["about"])
    figure.tight_layout()
    return figure


def over_time(records):
    """Ratios to the floor, commit by commit, on machines like the last."""
    records = [record for record in records
               if results.is_like(record, records[-1])]
    figure, axes = plt.subplots(figsize=(PANEL_WIDTH * 2, 2.4))
    for key in ("64", "512", "pipelined", "churn"):
        points = [(at, ratio[0]) for at, record in enumerate(records)
                  for ratio in [results.figure(record, key, "spate", "ratio")]
                  if ratio]
        if points:
            axes.plot(*zip(*points), marker="o", markersize=3, label=key)
    axes.set_xticks(range(len(records)),
                    [record["machine"]["commit"] for record in records],
                    rotation=30, ha="right")
    axes.set_ylabel("CPU per request, x floor")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.tight_layout()
    return figure


def svg(figure):
    """As a part of a page: without what stands before its first tag."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None},
                   transparent=True)
    plt.close(figure)
    return "<svg" + text.getvalue().partition("<svg")[2]


def png(figure, path):
    figure.savefig(path, dpi=90, metadata={"Software": None})
