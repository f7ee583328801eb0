# SPDX-License-Identifier: BSD-2-Clause
"""The demo of any commit, built beside this tree."""

import json
import subprocess

from settings import ROOT

FOLDER = ROOT / "build" / "compare"
OPTIONS = ("-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
           "-DSPATE_TESTS=OFF", "-DSPATE_PERF=OFF", "-DSPATE_EXAMPLES=ON")


class Failed(Exception):
    """A revision that cannot be built; the message says why."""


def call(*argv, what):
    done = subprocess.run([str(part) for part in argv], capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"{what}:\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout.strip()


def git(*argv, what):
    return call("git", "-C", ROOT, *argv, what=what)


def checkout(revision):
    """=> Returns the folder of the commit, as it is there."""
    commit = git("rev-parse", "--verify", f"{revision}^{{commit}}",
                 what=f"{revision} is not a revision")
    folder = FOLDER / commit[:12]
    if not (folder / "CMakeLists.txt").exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        git("worktree", "prune", what="git worktree prune")
        git("worktree", "add", "--detach", "--force", folder, commit,
            what=f"{revision}: git worktree add")
    return folder


def build(source, folder, *options):
    """=> Returns the folder that spate-demo is in."""
    call("cmake", "-S", source, "-B", folder, *OPTIONS, *options,
         what=f"{source}: cmake")
    call("cmake", "--build", folder, "--target", "spate-demo",
         what=f"{source}: cmake --build")
    return folder


def describe(letter, revision, *options):
    """=> Returns the path of a description of that commit's demo.

    "." is this tree, with what is not committed. With options of CMake it is
    built in a folder of that letter.
    """
    print(f"{letter}: building {revision}", flush=True)
    source = ROOT if revision == "." else checkout(revision)
    folder = FOLDER / "tree" if source == ROOT else source / "build"
    folder = build(source, FOLDER / letter if options else folder, *options)
    path = FOLDER / f"{letter}.json"
    FOLDER.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({
        "name": letter, "about": revision,
        "argv": [str(folder / "spate-demo").replace("{", "{{"), "--listen",
                 "127.0.0.1:{port}", "--shards", "{threads}"]}))
    return path
