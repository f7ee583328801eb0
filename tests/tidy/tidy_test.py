#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Breaks each rule of tidy.py, which must say so, and keeps the neighbours of
each, on which it must be silent.

    tests/tidy/tidy_test.py
"""

import pathlib
import subprocess
import sys
import tempfile

TIDY = pathlib.Path(__file__).with_name("tidy.py")
SPDX = "/* SPDX-License-Identifier: BSD-2-Clause */\n"
POSTPONED = "TO" "DO"

# path, text, what tidy says of it; None when it has nothing to say
CASES = [
    ("alloc/a.c", SPDX, None),
    ("alloc/a.c", "int a;\n", "no SPDX"),
    ("perf/a.cpp", "int a;\n", "no SPDX"),
    ("examples/a.c", "int a;\n", "no SPDX"),
    ("tests/run", "#!/bin/sh\ntrue\n", "no SPDX"),
    ("tests/run", "#!/bin/sh\n# SPDX-License-Identifier: X\n", None),
    ("tests/data", "no program\n", None),
    ("alloc/CMakeLists.txt", "add_library(a)\n", "no SPDX"),
    ("alloc/a.c", SPDX + "\n" * 600, "more than 600 lines"),
    ("alloc/a.c", SPDX + "{\n" + "\n" * 70 + "}\n", "more than 70 lines"),
    ("examples/a.c", SPDX + "\t" * 10 + "x\n", "more than 80 columns"),
    ("alloc/a.c", SPDX + "int a; \n", "blanks at the end"),
    ("alloc/a.c", SPDX + f"/* {POSTPONED} */\n", "open an issue"),

    ("shards/a.c", SPDX + '#include "alloc/a.h"\n', None),
    ("alloc/a.c", SPDX + '#include "shards/a.h"\n', "may not include"),
    ("framework/a.c", SPDX + '#include "tests/a.h"\n', "may not include"),
    ("framework/a.c", SPDX + '#include "a.h"\n', "starts at the root"),
    ("tests/a.c", SPDX + '#include "shards/a.h"\n', None),

    ("framework/page/a.js", "a.innerHTML = b;\n", "use textContent"),
    ("framework/page/a.js", "a.textContent = b; // no innerHTML\n", None),
    ("framework/page/a.js", "eval(a);\n", "use textContent"),

    ("alloc/a.c", SPDX + "volatile int a;\n", "orders nothing"),
    ("alloc/a.c", SPDX + "/* volatile */\n", None),
    ("alloc/a.c", SPDX + "x = strcpy(a, b);\n", "a bounded function"),
    ("alloc/a.c", SPDX + "x = atomic_load(a);\n", "the _explicit form"),

    ("shards/rcu.h", SPDX + "#include <urcu/urcu-qsbr.h>\n", None),
    ("shards/a.c", SPDX + "#include <urcu/urcu-qsbr.h>\n", "shards/rcu"),
    ("shards/a.c", SPDX + "urcu_qsbr_read_lock();\n", "shards/rcu"),
    ("shards/a.c", SPDX + "struct rcu_head head;\n", "shards/rcu"),
    ("shards/a.c", SPDX + "sp_rcu_read_lock();\n", None),
    ("shards/ready_ring.c", SPDX + "ck_ring_init(r, 4);\n", None),
    ("shards/a.c", SPDX + "ck_ring_init(r, 4);\n", "ready_ring"),
    ("alloc/arena.c", SPDX + "mallctl(a);\n", None),
    ("shards/a.c", SPDX + "mallctl(a);\n", "alloc/arena"),
    ("shards/netpoll_epoll.c", SPDX + "epoll_wait(a);\n", None),
    ("shards/netpoll.h", SPDX + "int a = EPOLLIN;\n", "netpoll_epoll"),
    ("shards/netpoll.h", SPDX + "/* EPOLLIN */\n", None),
    ("shards/a.c", SPDX + 'log("epoll_wait");\n', None),
    ("perf/a.c", SPDX + "epoll_wait(a);\n", None),

    ("shards/a.c", SPDX + "pthread_mutex_lock(&a);\n", "hand it over"),
    ("framework/a.c", SPDX + "pthread_cond_t a;\n", "hand it over"),
    ("shards/a.c", SPDX + "pthread_create(&a);\n", None),

    ("shards/a.c", SPDX + "/* TASK release: x */\n", "edge TASK"),
    ("shards/a.c",
     SPDX + "/* TASK release: x */\n/* TASK acquire: y */\n", None),
]


def says(path, text):
    with tempfile.TemporaryDirectory() as root:
        file = pathlib.Path(root) / path
        file.parent.mkdir(parents=True)
        file.write_text(text)
        keep = pathlib.Path(root) / "Makefile"
        keep.write_text("# SPDX-License-Identifier: X\n")
        (pathlib.Path(root) / "CMakeLists.txt").write_text(keep.read_text())
        done = subprocess.run([sys.executable, TIDY, root],
                              capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr


def main():
    failures = 0
    for path, text, wanted in CASES:
        status, output = says(path, text)
        right = status == 0 if wanted is None else (
            status == 1 and wanted in output and path in output)
        if not right:
            failures += 1
            print(f"{path}: {text!r}: wanted {wanted!r}, got {output}")
    print(f"{len(CASES)} cases, {failures} failures")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
