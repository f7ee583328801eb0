#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What cppcheck, clang-tidy and gcc's -fanalyzer say of the C in the tree.

    tests/tidy/lint.py BUILD [--short]

BUILD is a build folder with a compile_commands.json. Each file is looked at
with the flags that it is compiled with. --short leaves out what takes
minutes: Clang's analyzer, and clang-tidy on tests and benchmarks.

A finding is mended, or has a row in lint.known that says why it is none. A
row that matches nothing is a complaint, too.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
KNOWN = pathlib.Path(__file__).with_name("lint.known")

PRODUCT = ("alloc/", "shards/", "framework/", "examples/")
OURS = (*PRODUCT, "perf/", "tests/")

CPPCHECK = ["cppcheck", "--quiet", "--inline-suppr",
            "--enable=warning,performance,portability",
            "--suppress=*:/usr/*", "--suppress=unknownMacro",
            "--template={file}:{line}: {message} [{id}]"]
ANALYZER = "-clang-analyzer-*"
# What gcc alone knows.
OTHERS = re.compile(r"-fno-(tree-|gcse|store-merging)")

FINDING = re.compile(
    r"^(\S+?):(\d+):(?:\d+:)? (?:(?:warning|error): )?(.+) "
    r"\[(?:CWE-\d+\] \[)?([-\w.,]+)\]$")


def commands(build):
    """The first command for each C file of ours: path -> arguments."""
    found = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["file"])
        if path.suffix != ".c" or not path.is_relative_to(ROOT):
            continue
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(OURS):
            found.setdefault(name, shlex.split(entry["command"]))
    return found


def run(command):
    """What it says. That it finds something is no failure of its own."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{shlex.join(command)}: {done.returncode}\n{done.stderr}")
    return done.stdout + done.stderr


def write_project(folder, build, found):
    """=> Returns a compile_commands.json with each file of ours once."""
    project = pathlib.Path(folder) / "compile_commands.json"
    project.write_text(json.dumps([
        {"directory": str(build), "file": str(ROOT / name),
         "arguments": [word for word in command if not OTHERS.match(word)]}
        for name, command in found.items()]))
    return project


def analyzer(command):
    """As it is compiled, but for what is told and where it goes.

    Where assembly has written anything, it forgets what it knew of memory.
    """
    at = command.index("-o")
    command = command[:at] + ["-o", "/dev/null"] + command[at + 2:]
    return run(["gcc", *command[1:], "-Wno-error", "-fanalyzer",
                "-DSP_COUNT_DIRECT=0", "-fdiagnostics-plain-output"])


def clang_tidy(project, name, short):
    return run(["clang-tidy", "--quiet", "-p", str(project.parent),
                f"--header-filter={ROOT}/({'|'.join(OURS)}).*",
                *([f"--checks={ANALYZER}"] if short else []), name])


def ask(build, found, product, short):
    """=> Returns all that the three have to say."""
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        project = write_project(folder, build, found)
        jobs = [pool.submit(clang_tidy, project, name, short)
                for name in (product if short else found)]
        jobs += [pool.submit(analyzer, found[name]) for name in product]
        said = "\n".join(job.result() for job in jobs)
        return said + run([*CPPCHECK, f"-j{os.cpu_count()}",
                           f"--project={project}"])


def findings(text):
    """(path, line, check, message), each once."""
    for line in text.splitlines():
        match = FINDING.match(line)
        if not match:
            continue
        path = pathlib.Path(match[1])
        path = path if path.is_absolute() else ROOT / path
        if path.is_relative_to(ROOT):
            name = os.path.normpath(path.relative_to(ROOT))
            yield name, int(match[2]), match[4], match[3]


def known_rows():
    rows = []
    for number, line in enumerate(KNOWN.read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        row = [field.strip() for field in line.split("|", 3)]
        if len(row) != 4 or not all(row):
            sys.exit(f"{KNOWN.name}:{number}: check | file | part of the "
                     "line | why")
        rows.append((number, *row))
    return rows


def judge(found, rows):
    """What is not known, and the rows that were of use."""
    used, complaints = set(), []
    for name, line, check, message in sorted(found):
        text = (ROOT / name).read_text().splitlines()[line - 1]
        why = [number for number, *row in rows
               if (row[0], row[1]) == (check, name) and row[2] in text]
        used.update(why)
        if not why:
            complaints.append(f"{name}:{line}: {message} [{check}]")
    return complaints, used


def unused(rows, used, short):
    """A short run has not asked of everything."""
    for number, check, name, *_ in rows:
        asked = not short or not (
            check.startswith("clang-analyzer-")
            or (not name.startswith(PRODUCT)
                and re.match("bugprone|misc|performance", check)))
        if number not in used and asked:
            yield f"{KNOWN.name}:{number}: matches nothing"


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build = pathlib.Path(sys.argv[1]).resolve()
    short = "--short" in sys.argv[2:]
    found = commands(build)
    product = [name for name in found if name.startswith(PRODUCT)]
    said = ask(build, found, product, short)
    rows = known_rows()
    complaints, used = judge(set(findings(said)), rows)
    complaints += unused(rows, used, short)
    print("\n".join(complaints))
    print(f"{len(found)} files, {len(product)} of them of the product; "
          f"{len(complaints)} complaints, {len(used)} known to be none")
    sys.exit(bool(complaints) or not product)


if __name__ == "__main__":
    main()
