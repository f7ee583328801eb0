#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Weaken each ordering in turn, and expect a model to fail.

    tests/model/mutate.py ROOT [--cxx C++] [--cc C] [--spin SPIN]
                               [--only PATTERN] [--spin-only]

A model that holds shows nothing until it has been seen to fail. So each
order that is given to an atomic access, in what the models include of
shards/, is made weaker by one step, and the models of that file have to
find out. The text is copied with an order of its own for each access, and
one build then serves for all (SP_MODEL_SITES in relacy_atomics.h).

Where a weaker order holds, the stronger one is not needed by any model, or
is not tested. Say which, in mutants.py, EXPECTED_TO_HOLD: what is neither
caught nor in there is a surprise, and so is what is in there and caught.

Then come mutants of the logic (LOGIC in mutants.py), which are built one by
one, and those of the Promela model, by its macro MUTANT.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import extract  # noqa: E402
from mutants import EXPECTED_TO_HOLD, LOGIC, MODELS, SPIN_MUTANTS  # noqa: E402

FLAGS = ["-std=c++17", "-w", "-fpermissive", "-D_GNU_SOURCE",
         "-DSPATE_DEBUG"]
JOBS = 2
HANG = 120  # seconds; a mutant that does not end has been caught as well

# As in Relacy's enum.
NUMBER = {"relaxed": 0, "acquire": 2, "release": 3, "acq_rel": 4, "seq_cst": 5}
ORDER = "|".join(NUMBER)
CALL = re.compile(r"\bsp_(load|store|xchg|cas|fetch_\w+)\(")

# One step down. A load cannot release, nor a store acquire.
WEAKER = {
    "load": {"seq_cst": ["acquire"], "acquire": ["relaxed"]},
    "store": {"seq_cst": ["release"], "release": ["relaxed"]},
    "rmw": {"seq_cst": ["acq_rel"], "acq_rel": ["acquire", "release"],
            "acquire": ["relaxed"], "release": ["relaxed"]},
}


class Site:
    """One order in the text: of an access, or of its failure."""

    def __init__(self, path, line, function, op, order, failure):
        self.path, self.line, self.order = path, line, order
        self.function = function
        self.kind = ("load" if failure or op == "load" else
                     "store" if op == "store" else "rmw")
        self.name = f"{function} {op}" + (" failure" if failure else "")
        self.number = 0


def arguments(text, start):
    """(start, end) of each argument of the call whose "(" is at start."""
    depth, begin, found = 0, start + 1, []
    for at in range(start, len(text)):
        if text[at] in "([{":
            depth += 1
        elif text[at] in ")]}":
            depth -= 1
        if (text[at] == "," and depth == 1) or depth == 0:
            found.append((begin, at))
            begin = at + 1
        if depth == 0:
            return found
    sys.exit("unbalanced call")


def functions(text):
    """(start, end, name) of the functions, which are in BSD style."""
    for found in re.finditer(r"^(\w+)\((?:[^;{]|\n)*?\)\n\{\n.*?^\}\n", text,
                             re.M | re.S):
        yield found.start(), found.end(), found[1]


def blank_comments(text):
    return re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m[0]), text,
                  flags=re.S)


def instrument(path, text, wanted, sites):
    """The text with an order of its own for each access; fills sites."""
    code, edits = blank_comments(text), []
    for start, end, function in functions(code):
        if wanted is not None and function not in wanted:
            continue
        seen = {}
        for call in CALL.finditer(code, start, end):
            spans = arguments(code, call.end() - 1)
            for index in ([-2, -1] if call[1] == "cas" else [-1]):
                first, last = spans[index]
                order = code[first:last].strip()
                if order not in NUMBER:
                    continue
                line = code.count("\n", 0, first) + 1
                failure = call[1] == "cas" and index == -1
                site = Site(path, line, function, call[1], order, failure)
                seen[site.name] = seen.get(site.name, 0) + 1
                if seen[site.name] > 1:
                    site.name += f" {seen[site.name]}"
                site.number = len(sites)
                sites.append(site)
                edits.append((first, last, f" s{site.number}"))
    for first, last, new in reversed(edits):
        text = text[:first] + new + text[last:]
    return text


def copy(root, scratch):
    for folder in ("alloc", "shards", "framework", "tests/model"):
        shutil.copytree(root / folder, scratch / folder,
                        ignore=shutil.ignore_patterns("__pycache__"))


def build(cxx, root, model, extra):
    """The program of a model, from the text below root."""
    out = root / "out" / model
    source = root / f"tests/model/{model}_model.cpp"
    subprocess.run([sys.executable, root / "tests/model/extract.py", root,
                    source, out], check=True)
    program = out / "model"
    # What is run once is not worth optimizing.
    subprocess.run([cxx, *FLAGS, *(extra or ["-O0"]), f"-I{root}",
                    f"-I{out}", source, "-o", program], check=True)
    return program


def failure(program, weaken=None):
    """What the model says when it fails, or None."""
    env = dict(os.environ)
    if weaken:
        env["SPATE_WEAKEN"] = weaken
    try:
        run = subprocess.run([program], env=env, capture_output=True,
                             text=True, timeout=HANG)
    except subprocess.TimeoutExpired:
        return "does not end"
    if run.returncode == 0:
        return None
    lines = run.stdout.strip().split("\n")
    return re.sub(r" +", " ", lines[-1]) or f"exit {run.returncode}"


class Report:
    def __init__(self):
        self.weakened = self.caught = self.redundant = 0
        self.surprises, self.seen = [], set()

    def row(self, what, weaker, verdict):
        print(f"{what:58} {weaker:9} {verdict}", flush=True)

    def add(self, what, weaker, why, model):
        """why: what a model said, or None if all held."""
        key = f"{what} -> {weaker}"
        reason = EXPECTED_TO_HOLD.get(key)
        self.seen.add(key)
        self.weakened += 1
        if why and not reason:
            self.caught += 1
            self.row(what, weaker, f"caught by {model}: {why}")
        elif not why and reason:
            self.redundant += 1
            self.row(what, weaker, f"holds: {reason}")
        else:
            self.surprises.append(key)
            self.row(what, weaker, "SURPRISE: " + (
                f"caught by {model}, though in EXPECTED_TO_HOLD" if why else
                "no model fails"))


def included_functions(root):
    """{file: functions} of what the models extract or include whole."""
    wanted = {}
    for path in (root / "tests/model").glob("*"):
        if path.suffix not in (".cpp", ".h"):
            continue
        text = path.read_text()
        for file, names in extract.WANTED.findall(text):
            wanted.setdefault(file, set()).update(names.split())
        for file in re.findall(r'^#include "(shards/\w+\.[ch])"', text, re.M):
            wanted[file] = None
    for path in (root / "shards").glob("*.h"):
        wanted.setdefault(f"shards/{path.name}", None)
    wanted.pop("shards/atomics.h")
    return wanted


def try_site(site, weaker, programs):
    for model in MODELS[site.path]:
        why = failure(programs[model], f"{site.number}:{NUMBER[weaker]}")
        if why:
            return why, model
    return None, None


def orders(args, root, scratch, report, pool):
    sites = []
    copy(root, scratch)
    for path, wanted in sorted(included_functions(root).items()):
        if path not in MODELS:
            continue
        file = scratch / path
        file.write_text(instrument(path, file.read_text(), wanted, sites))
    header = scratch / "sites.h"
    header.write_text("namespace rl {\n" + "".join(
        f"static const memory_order mo_s{site.number} = "
        f"site({site.number}, mo_{site.order});\n" for site in sites) + "}\n")
    names = sorted({model for path in MODELS for model in MODELS[path]})
    built = pool.map(lambda model: build(
        args.cxx, scratch, model, ["-O1", "-DSP_MODEL_ROUNDS=15000",
                            f'-DSP_MODEL_SITES="{header}"']), names)
    programs = dict(zip(names, built))
    for name in names:
        why = failure(programs[name])
        if why:
            report.surprises.append(f"{name} fails as it is: {why}")
            print(report.surprises[-1])

    # What holds is tried once more, relaxed.
    todo = [(site, weaker) for site in sites
            for weaker in WEAKER[site.kind].get(site.order, [])
            if not args.only or re.search(args.only, site.name)]
    while todo:
        results = pool.map(lambda t: try_site(*t, programs), todo)
        further = []
        for (site, weaker), (why, model) in zip(todo, results):
            report.add(f"{site.path}: {site.name}", weaker, why, model)
            if not why and weaker != "relaxed":
                further += [(site, "relaxed")]
        todo = list(dict.fromkeys(further))


def logic(args, root, scratch, report, pool):
    def one(numbered):
        number, (_, path, old, new, model) = numbered
        tree = scratch / str(number)
        copy(root, tree)
        file = tree / path
        text = file.read_text()
        if text.count(old) != 1:
            return f"found {text.count(old)} times", False
        file.write_text(text.replace(old, new))
        return failure(build(args.cxx, tree, model, [])), True

    wanted = [mutant for mutant in LOGIC
              if not args.only or re.search(args.only, mutant[0])]
    for mutant, (why, applied) in zip(wanted,
                                      pool.map(one, enumerate(wanted))):
        name, path, _, _, model = mutant
        if not applied:
            report.surprises.append(f"{name}: {why} in {path}")
            print(report.surprises[-1])
            continue
        report.add(f"{path}: {name}", "(logic)", why, model)


def spin(args, root, scratch, report, mutants):
    """token.pml holds as it is, and each of its mutants fails."""
    for number in mutants:
        folder = scratch / str(number)
        folder.mkdir(parents=True)
        shutil.copy(root / "tests/model/token.pml", folder)
        for command in ([args.spin, f"-DMUTANT={number}", "-a", "token.pml"],
                        [args.cc, "-O2", "-w", "-o", "pan", "pan.c"]):
            subprocess.run(command, cwd=folder, check=True,
                           stdout=subprocess.DEVNULL)
        run = subprocess.run(["./pan", "-a", "-f", "-m100000"], cwd=folder,
                             capture_output=True, text=True)
        errors = re.search(r"errors: (\d+)", run.stdout)
        states = re.search(r"(\d+) states, stored", run.stdout)
        complete = "max search depth too small" not in run.stdout + run.stderr
        held = errors and errors[1] == "0" and complete
        why = None if held else f"after {states[1] if states else '?'} states"
        if number != 0:
            report.add(f"token.pml: {SPIN_MUTANTS[number]}", "(logic)", why,
                       "spin")
        elif held:
            report.row("token.pml", "", f"holds in all {states[1]} states")
        else:
            report.surprises.append("token.pml fails as it is")
            print(run.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=pathlib.Path)
    parser.add_argument("--cxx", default="c++")
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--spin", default="spin")
    parser.add_argument("--only", help="a pattern for names of mutants")
    parser.add_argument("--spin-only", action="store_true",
                        help="token.pml as it is, without any mutant")
    args = parser.parse_args()
    root, report = args.root.resolve(), Report()
    with tempfile.TemporaryDirectory() as scratch, \
            concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        scratch = pathlib.Path(scratch)
        if args.spin_only:
            spin(args, root, scratch, report, [0])
        else:
            orders(args, root, scratch / "orders", report, pool)
            logic(args, root, scratch / "logic", report, pool)
            if not args.only:
                spin(args, root, scratch / "spin", report, SPIN_MUTANTS)
            stale = [key for key in EXPECTED_TO_HOLD
                     if not args.only and key not in report.seen]
            report.surprises += [f"EXPECTED_TO_HOLD: no {key}"
                                 for key in stale]
    for surprise in report.surprises:
        print("surprise:", surprise)
    print(f"{report.weakened} orderings weakened, {report.caught} caught, "
          f"{report.redundant} redundant with a reason, "
          f"{len(report.surprises)} surprises")
    sys.exit(bool(report.surprises))


if __name__ == "__main__":
    main()
