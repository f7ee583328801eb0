#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Cut out of the engine's .c files the functions that a model is about.

    tests/model/extract.py ROOT MODEL OUT

For each line "extract shards/worker.c: park sp_fiber_ready" in the head of
MODEL, or of a header from tests/model/ that it includes, OUT/worker.c.inc gets
the text of these functions, in the order of the file. A function that is not
there is an error, so no model goes on checking what has been renamed.
"""

import pathlib
import re
import sys

WANTED = re.compile(r"^ \* {5}extract (\S+): (.+)$", re.M)
INCLUDED = re.compile(r'^#include "(tests/model/.+)"$', re.M)


def function(path, text, name):
    """(line, text) of a definition in BSD style."""
    found = re.search(
        rf"^[a-z][^\n;]*\n{name}\((?:[^;{{]|\n)*?\)\n\{{\n.*?^\}}\n",
        text, re.M | re.S)
    if not found:
        sys.exit(f"{path}: no function {name}()")
    return text.count("\n", 0, found.start()) + 1, found[0]


def extract(path, text, names):
    parts = sorted(function(path, text, name) for name in names)
    return "".join(f'#line {line} "{path}"\n{part}' for line, part in parts)


def main():
    root, model, out = map(pathlib.Path, sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    wanted = {}
    text = model.read_text()
    for header in INCLUDED.findall(text):
        text += (root / header).read_text()
    for path, names in WANTED.findall(text):
        wanted.setdefault(path, []).extend(names.split())
    for path, names in wanted.items():
        name = pathlib.PurePosixPath(path).name
        (out / f"{name}.inc").write_text(
            extract(path, (root / path).read_text(), names))


if __name__ == "__main__":
    main()
