#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Whether what is built is hardened as the build files mean it to be.

    tests/tidy/hardening.py FILE...

Reads programs and shared libraries with readelf: a flag in a build file may
be dropped by a typo, by another flag, or by a linker that knows better.

    PIE          its addresses are random
    RELRO, NOW   what the loader has filled in cannot be written afterwards
    NX           no stack is executable, not even one of ours
    CANARY       functions with arrays look after their return address
    FORTIFY      calls of libc with a known size are checked
    no RPATH     libraries come from where the system has them
    no W+X       no segment is both
"""

import re
import subprocess
import sys


def readelf(path, *options):
    return subprocess.run(["readelf", "-W", *options, path], check=True,
                          capture_output=True, text=True).stdout


def lacks(path):
    """=> Yields what it lacks."""
    head = readelf(path, "-h")
    segments = readelf(path, "-l")
    dynamic = readelf(path, "-d")
    symbols = readelf(path, "--dyn-syms")
    if not re.search(r"Type:\s+DYN", head):
        yield "PIE"
    if "GNU_RELRO" not in segments:
        yield "RELRO"
    if not re.search(r"FLAGS.*\bNOW\b|BIND_NOW", dynamic):
        yield "NOW"
    stack = re.search(r"GNU_STACK\s.*", segments)
    if stack is None or re.search(r"\sR?WE\s", stack[0]):
        yield "NX"
    if re.search(r"LOAD\s.*\sRWE\s", segments):
        yield "no W+X"
    if "__stack_chk_fail" not in symbols:
        yield "CANARY"
    if not re.search(r"\b__\w+_chk\b(?<!__stack_chk)", symbols):
        yield "FORTIFY"
    if re.search(r"\((RPATH|RUNPATH)\)", dynamic):
        yield "no RPATH"


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    failed = False
    for path in sys.argv[1:]:
        for what in lacks(path):
            print(f"{path}: {what}")
            failed = True
    print(f"{len(sys.argv) - 1} files")
    sys.exit(failed)


if __name__ == "__main__":
    main()
