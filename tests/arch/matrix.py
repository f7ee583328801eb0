#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The product and its unit tests by each compiler, at each level.

    tests/arch/matrix.py BUILD [NAME...]

NAME is a row of the table, such as gcc-O2 or clang-LTO; without one it is
all of them. Each is built in BUILD/NAME with warnings as errors, and then
runs the unit tests and some seeds of the simulation. Whatever fails has its
output in BUILD/NAME.log.
"""

import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEEDS = 300
COMPILERS = {"gcc": "g++", "clang": "clang++"}
# Without optimisation there is no _FORTIFY_SOURCE, which only Debug leaves
# out; it also checks more, as SPATE_DEBUG says.
LEVELS = {
    "O0": ["-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_C_FLAGS_DEBUG=-O0"],
    "O1": ["-DCMAKE_BUILD_TYPE=Release",
           "-DCMAKE_C_FLAGS_RELEASE=-O1 -DNDEBUG"],
    "O2": ["-DCMAKE_BUILD_TYPE=Release",
           "-DCMAKE_C_FLAGS_RELEASE=-O2 -DNDEBUG"],
    "O3": ["-DCMAKE_BUILD_TYPE=Release",
           "-DCMAKE_C_FLAGS_RELEASE=-O3 -DNDEBUG"],
    "LTO": ["-DCMAKE_BUILD_TYPE=Release",
            "-DCMAKE_C_FLAGS_RELEASE=-O2 -DNDEBUG", "-DSPATE_LTO=ON"],
}
# A link is slow where the linker optimises, and examples are all alike.
SOME = ["spate_static", "spate_shared", "spate-demo", "spate-top",
        "spate-doctor"]
ROWS = [f"{compiler}-{level}" for compiler in COMPILERS for level in LEVELS]


class Failed(Exception):
    pass


def run(log, what, *command):
    """=> Returns the output, which is in the log, too."""
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    log.write(f"$ {' '.join(map(str, command))}\n{done.stdout}\n")
    if done.returncode != 0:
        raise Failed(f"{what} failed")
    return done.stdout


def version(compiler):
    said = subprocess.run([compiler, "--version"], capture_output=True,
                          text=True, check=True).stdout
    return re.search(r"\d+\.\d+\.\d+", said)[0]


def build_and_test(log, build, compiler, level):
    """=> Returns what the tests and the simulation have to say."""
    jobs = str(os.cpu_count())
    run(log, "configure", "cmake", "-G", "Ninja", "-S", ROOT, "-B", build,
        f"-DCMAKE_C_COMPILER={compiler}",
        f"-DCMAKE_CXX_COMPILER={COMPILERS[compiler]}",
        "-DSPATE_WERROR=ON", "-DSPATE_PERF=OFF", *LEVELS[level])
    run(log, "build", "cmake", "--build", build, "-j", jobs,
        "--target", *(SOME if level == "LTO" else ["product"]), "unit",
        "spate-sim", "--", "-k", "0")
    said = run(log, "unit tests", "ctest", "--test-dir", build, "-j", jobs,
               "-L", "^unit$", "--output-on-failure")
    tests = re.search(r"out of (\d+)", said)[1]
    said = run(log, "simulation", build / "spate-sim", "--seeds", str(SEEDS))
    seeds = re.match(r"(\d+) seeds", said)[1]
    return f"{tests} tests, {seeds} seeds"


def row(folder, name):
    """Prints it. => Returns whether all is well."""
    compiler, level = name.split("-")
    start = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f"{name}.log", "w") as log:
        try:
            result, well = build_and_test(log, folder / name, compiler,
                                          level), True
        except Failed as failure:
            result, well = f"**{failure}**: {log.name}", False
    flags = "-O2, LTO" if level == "LTO" else f"-{level}"
    print(f"| {compiler} {version(compiler)} | {flags} | {result} "
          f"| {time.monotonic() - start:.0f} |", flush=True)
    return well


def main():
    if len(sys.argv) < 2 or not set(sys.argv[2:]) <= set(ROWS):
        sys.exit(f"{__doc__}\n{' '.join(ROWS)}")
    print("| compiler | flags | result | seconds |\n|---|---|---|--:|")
    folder = pathlib.Path(sys.argv[1]).resolve()
    results = [row(folder, name) for name in sys.argv[2:] or ROWS]
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
