#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Whether each order of an atomic access is in a model, or known not to be.

    tests/tidy/orders.py [ROOT]

An order that mutate.py weakens is refuted by a model or has its reason in
mutants.py. Of any other docs/ordering.md has to say, under "Where no model
looks", in which function of which file it is and why. Prints what is in
neither, and what is there and gone. Relaxed accesses order nothing.
"""

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[1] / "model"))
import mutate  # noqa: E402

SECTION = re.compile(r"^## Where no model looks\n(.*?)(?=^## |\Z)",
                     re.M | re.S)
ROW = re.compile(r"^\|[^|]*\| `([\w/.]+)` \| ([^|]*) \|", re.M)
# alloc has the names of C11. One without an order in it has the strongest.
EXPLICIT = re.compile(r"\bmemory_order_(?!relaxed)\w+")
IMPLICIT = re.compile(r"\b(atomic_(?:load|store|exchange|fetch_\w+?|"
                      r"compare_exchange_\w+?|thread_fence)|__(?:atomic|sync)"
                      r"_\w+)(?<!_explicit)\s*\(")
LAYERS = ("alloc", "shards", "framework")


def sources(root):
    for layer in LAYERS:
        for path in sorted((root / layer).rglob("*.[ch]")):
            yield str(path.relative_to(root)), path.read_text()


def is_modelled(path, function, wanted):
    if path not in mutate.MODELS:
        return False
    functions = wanted.get(path, set())
    return functions is None or function in functions


def unmodelled(root):
    """=> Yields file and function of each order that no model weakens."""
    wanted = mutate.included_functions(root)
    for path, text in sources(root):
        sites = []
        mutate.instrument(path, text, None, sites)
        for site in sites:
            if site.order != "relaxed" and not is_modelled(
                    path, site.function, wanted):
                yield path, site.function


def spelt_otherwise(root):
    """=> Yields file and function of what is no sp_load() and the like.

    Where it has an order it is weakened by a mutant of its own.
    """
    known = {"shards/atomics.h", *(mutant[1] for mutant in mutate.LOGIC)}
    for path, text in sources(root):
        if path in known:
            continue
        code = mutate.blank_comments(text)
        for start, end, function in mutate.functions(code):
            body = code[start:end]
            if EXPLICIT.search(body) or IMPLICIT.search(body):
                yield path, function


def listed(text):
    section = SECTION.search(text)
    for path, names in ROW.findall(section[1] if section else ""):
        for name in re.findall(r"`(\w+)`", names):
            yield path, name


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    there = set(unmodelled(root)) | set(spelt_otherwise(root))
    known = set(listed((root / "docs/ordering.md").read_text()))
    for path, function in sorted(there - known):
        print(f"{path}: {function}() has an order that no model weakens and "
              "docs/ordering.md does not know")
    for path, function in sorted(known - there):
        print(f"docs/ordering.md: {function}() of {path} has no such order")
    sys.exit(there != known)


if __name__ == "__main__":
    main()
