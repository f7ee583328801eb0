#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every header compiles by itself, as a test.

    tests/tidy/headers.py ROOT CC CXX

A header that leans on what its users happen to include before it breaks the
first file that includes it alone. Each one is included twice, for its guard.
What is installed must also be strict C11 and C++11, without our own macros.
"""

import pathlib
import re
import subprocess
import sys

FOLDERS = ["alloc", "shards", "framework", "tests", "perf", "examples"]
EXCEPT = {
    "tests/model/": "C++, with atomics that the models bring first",
    "tests/consumer/": "somebody else's project",
    "framework/http_scan_block.h": "http_scan_*.h say what a block is",
}
# Code for one kind of CPU, whose users ask for that CPU first.
ONE_CPU = re.compile(r"_(sse\w*|avx\w*|neon|sve|x86_64|aarch64)\.h$")
PUBLIC = "framework/include/"

WARN = ["-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
STRICT = [*WARN, "-Wpedantic"]


def stands_alone(root, header):
    """A header without a guard is a template, written to be included in
    the middle of something."""
    if header.startswith(tuple(EXCEPT)) or ONE_CPU.search(header):
        return False
    text = (root / header).read_text()
    return re.search(r"^#ifndef \w+\n#define \w+$", text, flags=re.M)


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
    headers = [header for header in headers if stands_alone(root, header)]
    failures = 0
    for header in headers:
        public = header.startswith(PUBLIC)
        for command in [inside, *(outside if public else [])]:
            failures += failed(root, command, header)
    print(f"{len(headers)} headers, {failures} failures")
    sys.exit(bool(failures) or not headers)


if __name__ == "__main__":
    main()
