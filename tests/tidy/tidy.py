#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The house rules that a machine can check, as a test.

    tests/tidy/tidy.py [ROOT]

A rule that lives only in a document wears off. Each one here prints
file:line: what is wrong, and what to do instead.
"""

import pathlib
import re
import sys

# A layer may include itself and what stands to the left of it.
LAYERS = ["alloc", "shards", "framework"]
ABOVE = {"tests", "perf"}  # may include anything; nothing may include them

FILE_LINES = 600
FUNCTION_LINES = 70
COLUMNS = 80

BANNED = {
    r"\bvolatile\b": "_Atomic; volatile orders nothing",
    r"\b__(sync|atomic)_\w+\(": "<stdatomic.h>",
    r"\batomic_(load|store|exchange|fetch_(add|sub|or|and|xor))\(":
        "the _explicit form, with a reason",
    r"\b(strcpy|strcat|sprintf|gets|strtok)\(": "a bounded function",
    r"(?<!_)\b(usleep|sleep|nanosleep)\(": "an event to wait for",
    r"\b(FIXME|XXX)\b": "an issue, or the fix",
}

# What only one file may name, so that one file can be replaced.
HOMES = {
    r"#include <urcu": "shards/rcu.h",
    r"#include <ck_": "shards/ready_ring.h",
    r"#include <jemalloc": "alloc/arena.c",
    r"#include <sys/epoll\.h>": "shards/netpoll_epoll.c",
}

EDGE = re.compile(r"\b([A-Z]{3,})(\d?) (release|acquire)\b")
complaints = []


def complain(path, line, text):
    complaints.append(f"{path}:{line}: {text}")


def layer_of(path):
    return pathlib.PurePosixPath(path).parts[0]


def check_include(path, number, line):
    match = re.match(r'#include "(.+)"', line)
    if not match:
        return
    here, there = layer_of(path), layer_of(match[1])
    if here in ABOVE:
        return
    if there in ABOVE or LAYERS.index(there) > LAYERS.index(here):
        complain(path, number, f"{here}/ may not include {there}/")


def check_line(path, number, line, code):
    if len(line.expandtabs(8)) > COLUMNS:
        complain(path, number, f"more than {COLUMNS} columns")
    for pattern, instead in BANNED.items():
        if layer_of(path) not in ABOVE and re.search(pattern, code):
            complain(path, number, f"{pattern}: use {instead}")
    for pattern, home in HOMES.items():
        if layer_of(path) not in ABOVE and path != home:
            if re.search(pattern, code):
                complain(path, number, f"{pattern}: include {home} instead")


def check_functions(path, lines):
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            if number - start > FUNCTION_LINES:
                complain(path, start, f"more than {FUNCTION_LINES} lines")
            start = None


def check_edges(path, text):
    """A release that nothing acquires, or the reverse, orders nothing."""
    sides = {}
    for name, _, side in EDGE.findall(text):
        sides.setdefault(name, set()).add(side)
    for name, found in sides.items():
        if len(found) == 1:
            complain(path, 1, f"edge {name} has no side but its {found.pop()}")


def code_of(lines):
    """The lines with their comments blanked out."""
    text = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m[0]),
                  "\n".join(lines), flags=re.S)
    return text.split("\n")


def check_file(root, path):
    text = (root / path).read_text()
    lines = text.split("\n")
    if not lines[0].startswith("/* SPDX-License-Identifier: "):
        complain(path, 1, "no SPDX-License-Identifier")
    if len(lines) > FILE_LINES:
        complain(path, len(lines), f"more than {FILE_LINES} lines")
    for number, (line, code) in enumerate(zip(lines, code_of(lines)), 1):
        check_include(path, number, code)
        check_line(path, number, line, code)
    check_functions(path, lines)
    check_edges(path, text)


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    paths = [
        path.relative_to(root).as_posix()
        for folder in [*LAYERS, *sorted(ABOVE)]
        for path in sorted((root / folder).rglob("*.[ch]"))
    ]
    for path in paths:
        check_file(root, path)
    print("\n".join(complaints))
    print(f"{len(paths)} files, {len(complaints)} complaints")
    sys.exit(bool(complaints) or not paths)


if __name__ == "__main__":
    main()
