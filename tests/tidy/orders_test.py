#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Breaks each rule of orders.py, and keeps what it must be silent on.

    tests/tidy/orders_test.py
"""

import pathlib
import subprocess
import sys
import tempfile

ORDERS = pathlib.Path(__file__).with_name("orders.py")

# file, an access in a function f(), whether docs/ordering.md knows, and what
# orders.py says; None when it has nothing to say
CASES = [
    ("shards/a.c", "sp_load(&a->word, relaxed)", False, None),
    ("shards/a.c", "sp_load(&a->word, acquire)", True, None),
    ("shards/a.c", "sp_load(&a->word, acquire)", False, "shards/a.c: f()"),
    ("shards/a.c", "sp_cas(&a->word, &b, c, relaxed, acquire)", False,
     "shards/a.c: f()"),
    ("shards/a.c", "sp_store(&a->word, 1, relaxed)", True,
     "docs/ordering.md: f() of shards/a.c"),
    ("shards/a.c", "/* sp_load(&a->word, acquire) */", False, None),
    ("framework/b/a.c", "sp_xchg(\n\t    &a->word, 1, seq_cst)", False,
     "framework/b/a.c: f()"),
    # A model has this one.
    ("shards/sysmon.c", "sp_load(&a->word, acquire)", False, None),
    ("alloc/a.c", "atomic_load_explicit(&a, memory_order_relaxed)", False,
     None),
    ("alloc/a.c", "atomic_load_explicit(&a, memory_order_acquire)", False,
     "alloc/a.c: f()"),
    ("alloc/a.c", "atomic_fetch_add(&a, 1)", False, "alloc/a.c: f()"),
    ("alloc/a.c", "__atomic_thread_fence(5)", False, "alloc/a.c: f()"),
]


def run(path, access, is_known):
    row = f"| EDGE | `{path}` | `f` | why |\n" if is_known else ""
    files = {
        path: f"void\nf(struct a *a)\n{{\n\t{access};\n}}\n",
        "shards/atomics.h": "",
        "tests/model/a_model.cpp":
        "/*\n *     extract shards/sysmon.c: f\n */\n",
        "docs/ordering.md": f"## Where no model looks\n\n{row}\n## More\n\n"
                            "| EDGE | `shards/a.c` | `g` | elsewhere |\n",
    }
    with tempfile.TemporaryDirectory() as name:
        for at, text in files.items():
            file = pathlib.Path(name, at)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return subprocess.run([sys.executable, ORDERS, name],
                              capture_output=True, text=True)


def main():
    failed = 0
    for path, access, is_known, wanted in CASES:
        got = run(path, access, is_known)
        said = got.stdout + got.stderr
        if wanted is None:
            right = got.returncode == 0 and said == ""
        else:
            right = (got.returncode == 1 and said.startswith(wanted)
                     and said.count("\n") == 1)
        if not right:
            print(f"{path}, {access!r}: {got.returncode}, {said!r}")
            failed += 1
    print(f"{len(CASES)} cases, {failed} wrong")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
