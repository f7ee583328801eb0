#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every header compiles by itself, as a test.

    tests/tidy/headers.py ROOT CC CXX

A header that leans on what its users happen to include before it breaks the
first file that includes it alone. Each one is included twice, for its guard.
What is installed must also be strict C11 and C++11, without our own macros.
"""

import pathlib
import subprocess
import sys

FOLDERS = ["alloc", "shards", "framework", "tests", "perf", "examples"]
# Models are C++ programs with atomics of their own, written for their
# headers; someone else's project has no headers of ours.
EXCEPT = ["tests/model/", "tests/consumer/"]
PUBLIC = "framework/include/"

WARN = ["-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
STRICT = [*WARN, "-Wpedantic"]


def failed(root, command, header):
    text = f'#include "{header}"\n' * 2
    done = subprocess.run(
        [*command, f"-I{root}", f"-I{root / PUBLIC}", "-"],
        input=text, capture_output=True, text=True)
    if done.returncode:
        print(f"{header}: {' '.join(command)}\n{done.stderr}")
    return done.returncode != 0


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    cc, cxx = sys.argv[2:4]
    inside = [cc, "-x", "c", "-std=gnu11", "-D_GNU_SOURCE",
              "-DSPATE_BUILDING", *WARN]
    outside = [[cc, "-x", "c", "-std=c11", *STRICT],
               [cxx, "-x", "c++", "-std=c++11", *STRICT]]
    headers = [
        path.relative_to(root).as_posix()
        for folder in FOLDERS
        for path in sorted((root / folder).rglob("*.h"))
    ]
    headers = [h for h in headers if not h.startswith(tuple(EXCEPT))]
    failures = 0
    for header in headers:
        public = header.startswith(PUBLIC)
        for command in [inside, *(outside if public else [])]:
            failures += failed(root, command, header)
    print(f"{len(headers)} headers, {failures} failures")
    sys.exit(bool(failures) or not headers)


if __name__ == "__main__":
    main()
