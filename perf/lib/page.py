# SPDX-License-Identifier: BSD-2-Clause
"""The report as one HTML page: nothing else is loaded."""

import html

import markdown
import results

HEAD = """<!DOCTYPE html>
<!-- SPDX-License-Identifier: BSD-2-Clause -->
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Spate, measured</title>
<style>
body { font: 15px/1.5 sans-serif; max-width: 68em; margin: 2em auto;
       padding: 0 1em; color: #222 }
table { border-collapse: collapse; font-size: 13px; margin: 1em 0 }
th, td { padding: 2px 9px; text-align: right; white-space: nowrap;
         border-bottom: 1px solid #ddd }
th:first-child, td:first-child { text-align: left }
tr.ours td { font-weight: bold }
td.no { text-align: left; color: #777 }
svg { max-width: 100%; height: auto }
.met { color: #18794e } .not { color: #c0392b }
</style>
"""

COLUMNS = (("rps", "req/s", 1, "{:,.0f}"), ("p50_us", "p50 ms", 1e-3, "{:.3f}"),
           ("p99_us", "p99 ms", 1e-3, "{:.3f}"),
           ("p999_us", "p99.9 ms", 1e-3, "{:.3f}"),
           ("cpu_us", "CPU µs", 1, "{:.3f}"), ("ratio", "x floor", 1, "{:.3f}"),
           ("jain", "fair", 1, "{:.3f}"))


def cell(found, scale, form):
    if not found:
        return "<td>-</td>"
    middle, low, high = (form.format(value * scale) for value in found)
    return f'<td title="{low} to {high}">{middle}</td>'


def row(label, of):
    name = f"<td>{html.escape(label)}</td>"
    if "cannot" in of:
        return (f'<tr>{name}<td class="no" colspan="{len(COLUMNS) + 2}">'
                f"cannot: {html.escape(of['cannot'])}</td></tr>")
    cells = "".join(cell(of.get(key), scale, form)
                    for key, _, scale, form in COLUMNS)
    ours = ' class="ours"' if label == "spate" else ""
    return (f"<tr{ours}>{name}{cells}<td>{of['user_us']:.2f}</td>"
            f"<td>{of['system_us']:.2f}</td></tr>")


def workload(record, key):
    head = "".join(f"<th>{name}</th>" for _, name, _, _ in COLUMNS)
    rows = "\n".join(row(label, of)
                     for label, of in record["load"][key].items())
    return (f"<h3>{html.escape(key)}: {html.escape(record['about'][key])}"
            f"</h3>\n<table><tr><th></th>{head}<th>user µs</th>"
            f"<th>system µs</th></tr>\n{rows}</table>")


def claims(record):
    rows = []
    for claim in record["claims"]:
        state = ("met", "met") if claim["met"] else ("not", "not met")
        sign = "≥" if claim["least"] else "≤"
        rows.append(f"<tr><td>{html.escape(claim['name'])}</td>"
                    f"<td>{claim['measured']:.3g}</td>"
                    f"<td>{sign} {claim['limit']:g}</td>"
                    f'<td class="{state[0]}">{state[1]}</td></tr>')
    return ("<table><tr><th>promised</th><th>measured</th><th></th><th></th>"
            "</tr>\n" + "\n".join(rows) + "</table>")


def counted(record):
    rows = []
    for label in results.servers_of(record):
        idle = record.get("idle", {}).get(label)
        calls = record.get("syscalls", {}).get(label)
        each = record.get("instructions", {}).get(label, {})
        rows.append("<tr>" + "".join(f"<td>{text}</td>" for text in (
            html.escape(label),
            f"{idle['bytes_each']:,.0f}" if idle else "-",
            f"{idle['kept']:.3f}" if idle and idle["kept"] else "-",
            f"{calls:.3f}" if calls else "-",
            *(f"{each[depth]:,}" if depth in each else "-"
              for depth in ("1", "16")))) + "</tr>")
    return ("<table><tr><th></th><th>bytes per idle connection</th>"
            "<th>speed beside them</th><th>system calls</th>"
            "<th>instructions</th><th>of 16 at a time</th></tr>\n"
            + "\n".join(rows) + "</table>")


def write(record, plots):
    """plots: (title, svg). => Returns the page."""
    parts = [HEAD, "<h1>Spate, measured</h1>",
             f"<p>{html.escape(markdown.where(record))}. A figure is a median; "
             "the line over a bar, and the tip over a number, go from the "
             "least to the most of the rounds. How each is taken, and what a "
             "difference must be to count, is in perf/README.md; how each "
             "server is set up, in perf/servers/.</p>", claims(record)]
    for title, svg in plots:
        parts += [f"<h2>{html.escape(title)}</h2>", svg]
    parts += ["<h2>Counted</h2>", counted(record), "<h2>Every figure</h2>"]
    parts += [workload(record, key) for key in record["load"]]
    return "\n".join([*parts, "</html>", ""])
