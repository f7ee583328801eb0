# SPDX-License-Identifier: BSD-2-Clause
"""The report as one HTML page: nothing else is loaded."""

import html

import claims
import markdown
import results

HEAD = """<!DOCTYPE html>
<!-- SPDX-License-Identifier: BSD-2-Clause -->
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Spate, measured</title>
<style>
:root { color-scheme: light dark }
body { font: 15px/1.5 sans-serif; max-width: 68em; margin: 2em auto;
       padding: 0 1em; color: #222 }
table { border-collapse: collapse; font-size: 13px; margin: 1em 0 }
th, td { padding: 2px 9px; text-align: right; white-space: nowrap;
         border-bottom: 1px solid #ddd }
th:first-child, td:first-child { text-align: left }
tr.ours td { font-weight: bold }
td.no { text-align: left; color: #777 }
.wide { overflow-x: auto }
svg { max-width: 100%; height: auto }
@media (max-width: 44em) { svg { max-width: none } }
.met { color: #18794e } .not { color: #c0392b }
@media (prefers-color-scheme: dark) {
  body { color: #ddd; background: #17191c }
  th, td { border-color: #3b3f45 }
  td.no { color: #999 }
  .met { color: #4cc38a } .not { color: #ff8f7d }
  svg { filter: invert(0.9) hue-rotate(180deg) }
}
</style>
"""

COLUMNS = (("rps", "req/s", 1, "{:,.0f}"), ("p50_us", "p50 ms", 1e-3, "{:.3f}"),
           ("p99_us", "p99 ms", 1e-3, "{:.3f}"),
           ("p999_us", "p99.9 ms", 1e-3, "{:.3f}"),
           ("cpu_us", "CPU µs", 1, "{:.3f}"),
           ("ratio", "x floor", 1, "{:.3f}"),
           ("jain", "fair", 1, "{:.3f}"),
           ("foreign", "others", 100, "{:.0f} %"))


def cell(found, scale, form):
    if not found:
        return "<td>-</td>"
    middle, low, high = (form.format(value * scale) for value in found)
    return f'<td title="{low} to {high}">{middle}</td>'


def row(label, of):
    name = f"<td>{html.escape(label)}</td>"
    if "cannot" in of:
        return (f'<tr>{name}<td class="no" colspan="{len(COLUMNS) + 3}">'
                f"cannot: {html.escape(of['cannot'])}</td></tr>")
    cells = "".join(cell(of.get(key), scale, form)
                    for key, _, scale, form in COLUMNS)
    ours = ' class="ours"' if label == "spate" else ""
    return (f"<tr{ours}>{name}{cells}<td>{of['user_us']:.2f}</td>"
            f"<td>{of['system_us']:.2f}</td><td>{of['errors']}</td></tr>")


def table(header, rows):
    """rows: those of a table, as they are written. It may be wider than we."""
    head = "".join(f"<th>{name}</th>" for name in header)
    lines = "\n".join(rows)
    return (f'<div class="wide"><table><tr>{head}</tr>\n{lines}</table>'
            "</div>")


def number(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def workload(record, key):
    return (f"<h3>{html.escape(key)}: {html.escape(record['about'][key])}"
            "</h3>\n" + table(
                ["", *(name for _, name, _, _ in COLUMNS), "user µs",
                 "system µs", "errors"],
                [row(label, of) for label, of in record["load"][key].items()]))


def promised(record):
    rows = []
    for claim in record["claims"]:
        state = ("met", "met") if claim["met"] else ("not", "not met")
        cause = None if claim["met"] else claims.cause(claim["name"])
        sign = "≥" if claim["least"] else "≤"
        rows.append(f"<tr><td>{html.escape(claim['name'])}</td>"
                    f"<td>{number(claim['measured'])}</td>"
                    f"<td>{sign} {number(claim['limit'])}</td>"
                    f'<td class="{state[0]}">{state[1]}</td>'
                    f'<td class="no">{cause or ""}</td></tr>')
    return table(["promised", "measured", "limit", "", ""], rows)


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
    return table(["", "bytes per idle connection", "speed beside them",
                  "system calls", "instructions", "of 16 at a time"], rows)


def parts(record):
    return table(["", "least, ns", "median, ns", "instructions"], [
        f"<tr><td>{html.escape(name)}</td><td>{least:,.2f}</td>"
        f"<td>{median:,.2f}</td>"
        f"<td>{'-' if count is None else f'{count:,.0f}'}</td></tr>"
        for name, (least, median, count) in record["parts"].items()])


def write(record, plots):
    """plots: (title, svg). => Returns the page."""
    made = [HEAD, "<h1>Spate, measured</h1>",
            f"<p>{html.escape(markdown.where(record))}. A figure is a median; "
            "the line over a bar, and the tip over a number, go from the "
            "least to the most of the rounds. How each is taken, and what a "
            "difference must be to count, is in perf/README.md; how each "
            "server is set up, in perf/servers/. What others took of a CPU "
            "meanwhile is in the last tables: above a tenth, a figure is to "
            "be taken again.</p>", promised(record)]
    for title, svg in plots:
        made += [f"<h2>{html.escape(title)}</h2>",
                 f'<div class="wide">{svg}</div>']
    made += ["<h2>Counted</h2>", counted(record)]
    if "parts" in record:
        made += ["<h2>The parts by themselves</h2>",
                 "<p>By Google Benchmark, one thread but for those that say "
                 "so; instructions by callgrind, as perf/parts.json keeps "
                 "them.</p>", parts(record)]
    made += ["<h2>Every figure</h2>"]
    made += [workload(record, key) for key in record["load"]]
    return "\n".join([*made, "</html>", ""])
