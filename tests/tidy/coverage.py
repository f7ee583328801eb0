#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the tests reach of the three layers, and what they do not.

    tests/tidy/coverage.py [--missed] [--write] BUILD

BUILD is a build with SPATE_COVERAGE. Runs its tests, but for those that run
no code of ours or others' clients, and prints a table by file. --write puts
it into docs/coverage.md, --missed lists each line that was not reached.

Fails below 90 % of all lines and 85 % of all branches, and if a line of the
parser, the framing or a shared word is not reached that docs/coverage.md
does not name: "file: text of the line".

SP_CHECK() is no branch: that it is never taken is the point.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs/coverage.md"
BEGIN, END = "<!-- table begins -->", "<!-- table ends -->"
LINES, BRANCHES = 90, 85
LAYERS = ("alloc/", "shards/", "framework/")
CHECK = re.compile(r"\bSP_(DEBUG_)?CHECK\(")
APART = "model|tidy|consumer|clients|soak"
# Of programs as they ship, and of bugs on purpose.
OTHERS = r"^(memory_test|perf_|trace_test.ProbesTest|sim\.(mutant|symbols))"

# The parser, the framing, and files that are about an edge of
# docs/ordering.md and little else.
WHOLE = re.compile(
    r"framework/(http_(head|chunked|scan|answer|method|repeat)\w*|framing"
    r"|body)\.[ch]"
    r"|framework/times\.h"
    r"|shards/(bounded_queue|channel|fiber|idle|mpsc_stack|poll_cache"
    r"|poll_desc|poll_slot|poll_wait|rcu|ready_ring|recorder|spsc_ring"
    r"|sysmon|task|token|wake|waiters)\.[ch]"
    r"|shards/(blocking|offload)\.h"
    r"|alloc/slab\.[ch]")


def run_tests(build):
    for old in build.rglob("*.gcda"):
        old.unlink()
    subprocess.run(["ctest", "-j2", "--output-on-failure", "-LE",
                    f"^({APART})$", "-E", OTHERS], cwd=build, check=True)


def gcov(counts):
    """=> Returns what gcov makes of one object's counts."""
    told = subprocess.run(["gcov", "--stdout", "--branch-probabilities",
                           "--json-format", counts], cwd=counts.parent,
                          check=True, stdout=subprocess.PIPE)
    return [json.loads(line) for line in told.stdout.splitlines()]


def add(files, report):
    """A line is compiled into several objects; their counts add up."""
    for entry in report["files"]:
        path = pathlib.Path(report["current_working_directory"],
                            entry["file"]).resolve()
        if not path.is_relative_to(ROOT):
            continue
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(LAYERS):
            continue
        lines = files.setdefault(name, {})
        for line in entry["lines"]:
            taken = [branch["count"] for branch in line["branches"]]
            count, before = lines.get(line["line_number"], (0, taken))
            # The simulation's objects have points of their own in between.
            if count and len(before) == len(taken):
                before = [a + b for a, b in zip(before, taken)]
            elif not count:
                before = taken
            lines[line["line_number"]] = (count + line["count"], before)


def measure(build):
    """=> Returns path -> list of (number, hits, branches, branches taken)."""
    counts = sorted(build.rglob("*.gcda"), key=lambda path: (
        "tests" in path.relative_to(build).parts, path))
    files = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for reports in pool.map(gcov, counts):
            for report in reports:
                add(files, report)
    result = {}
    for name, lines in files.items():
        text = (ROOT / name).read_text().splitlines()
        result[name] = [
            (number, count, *((0, 0) if CHECK.search(text[number - 1]) else
                              (len(taken), sum(n > 0 for n in taken))))
            for number, (count, taken) in sorted(lines.items())]
    return result


def percent(part, whole):
    return 100 * part / whole if whole else 100


def sums(lines):
    return (len(lines), sum(count > 0 for _, count, _, _ in lines),
            sum(n for _, _, n, _ in lines), sum(n for *_, n in lines))


def row(name, lines):
    all_lines, reached, branches, taken = sums(lines)
    return (f"| {name} | {all_lines} | {percent(reached, all_lines):.1f} "
            f"| {branches} | {percent(taken, branches):.1f} |")


def table(files):
    every = [line for lines in files.values() for line in lines]
    return "\n".join([
        "| file | lines | % | branches | % |", "|---|--:|--:|--:|--:|",
        *(row(name, lines) for name, lines in sorted(files.items())),
        row("**all**", every)])


def missed(files, only=None):
    """Yields file, number and text of each line that no test reaches."""
    for name, lines in sorted(files.items()):
        if only is not None and not only.fullmatch(name):
            continue
        text = (ROOT / name).read_text().splitlines()
        for number, count, _, _ in lines:
            if count == 0:
                yield name, number, text[number - 1].strip()


def judge(files, document):
    total, reached, branches, taken = sums(
        [line for lines in files.values() for line in lines])
    if percent(reached, total) < LINES:
        yield f"{percent(reached, total):.1f} % of lines, and not {LINES}"
    if percent(taken, branches) < BRANCHES:
        yield f"{percent(taken, branches):.1f} % of branches, not {BRANCHES}"
    for name, number, text in missed(files, WHOLE):
        if f"`{name}: {text}`" not in document:
            yield f"{name}:{number}: is not reached: {text}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--missed", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--as-is", action="store_true",
                        help="what the last run has reached")
    parser.add_argument("build", type=pathlib.Path)
    options = parser.parse_args()
    if not options.as_is:
        run_tests(options.build)
    files = measure(options.build.resolve())
    document = DOCUMENT.read_text() if DOCUMENT.exists() else ""
    if options.missed:
        for name, number, text in missed(files):
            print(f"{name}:{number}: {text}")
    print(table(files))
    if options.write:
        head, _, rest = document.partition(BEGIN)
        DOCUMENT.write_text(f"{head}{BEGIN}\n{table(files)}\n{END}"
                            + rest.partition(END)[2])
    problems = list(judge(files, document))
    print("\n".join(problems) or "nothing to complain of")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
