#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The house rules that a machine can check, as a test.

    tests/tidy/tidy.py [ROOT]

A rule that lives only in a document wears off. Each one here prints
file:line: what is wrong, and what to do instead. tidy_test.py breaks each.
"""

import pathlib
import re
import sys

# A layer may include itself and what stands to the left of it.
LAYERS = ["alloc", "shards", "framework"]
# These may include anything; nothing may include them.
ABOVE = ["examples", "perf", "tests"]

C_FILES = [".c", ".h", ".cpp", ".S"]
OTHER_FILES = [".cmake", ".in", ".py", ".sh", ".supp", ".pml", ".lua"]

FILE_LINES = 600
FUNCTION_LINES = 70
COLUMNS = 80

# In the layers, and in code alone: a comment may name what it warns of.
BANNED = {
    r"\bvolatile\b": "_Atomic; volatile orders nothing",
    r"\b__(sync|atomic)_\w+\(": "<stdatomic.h>",
    r"\batomic_(load|store|exchange|fetch_(add|sub|or|and|xor))\(":
        "the _explicit form, with a reason",
    r"\b(strcpy|strcat|sprintf|gets|strtok)\(": "a bounded function",
    r"(?<!_)\b(usleep|sleep|nanosleep)\(": "an event to wait for",
}

# Everywhere, comments too.
POSTPONED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")

# What only one file may name, so that one file can be replaced. A home is a
# wrapper: NAME stands for NAME.h and NAME.c.
HOMES = {
    r'#include ["<]urcu': "shards/rcu",
    r"\b(urcu|cds|caa|cmm|uatomic)_\w+|\b(call|defer|synchronize)_rcu\b"
    r"|\brcu_(head|barrier|dereference|assign_pointer|xchg_pointer"
    r"|quiescent_state|read_\w+|thread_\w+|(un)?register_thread)\b":
        "shards/rcu",
    r'#include ["<]ck_': "shards/ready_ring",
    r"\bck_\w+|\bCK_\w+": "shards/ready_ring",
    r'#include ["<]jemalloc': "alloc/arena",
    r"\bmallctl\w*|\b[mrsd]d?allocx\b|\bnallocx\b|\bMALLOCX_\w+|\bje_\w+"
    r"|\bmalloc_conf\b": "alloc/arena",
    r"#include <sys/sdt\.h>|\b(DTRACE|STAP)_PROBE": "shards/probes",
    r"#include <valgrind/|\bVALGRIND_\w+": "alloc/valgrind",
    r"#include <seccomp\.h>|\bseccomp_\w+|\bSCMP_\w+": "framework/seccomp",
    r"#include <linux/landlock\.h>|\bLANDLOCK_\w+|\bSYS_landlock\w+":
        "framework/landlock",
    r"#include <sys/epoll\.h>": "shards/netpoll_epoll",
    r"\bepoll_\w+|\bEPOLL\w*": "shards/netpoll_epoll",
}

# A thread that waits for a lock waits for whoever holds it, who may not be
# running. LOCK_HOLDERS lists files that may: path -> the reason.
LOCKS = (r"\bpthread_(mutex|rwlock|cond|spin|barrier)_\w+"
         r"|\bPTHREAD_(MUTEX|RWLOCK|COND)_\w+|\b(mtx|cnd)_\w+"
         r"|\b(ck_)?spinlock\w*|\bsem_(t|wait|timedwait)\b")
LOCK_FREE = ["shards", "framework"]
LOCK_HOLDERS = {}

# What makes markup or code of a text, in the scripts of our page.
MARKUP = re.compile(r"\b(inner|outer)HTML\b|\binsertAdjacentHTML\b"
                    r"|\bcreateContextualFragment\b|\bDOMParser\b"
                    r"|\bdocument\.write|\beval\(|\bnew Function\b")

EDGE = re.compile(r"\b([A-Z]{3,})(\d?) (release|acquire)\b")
SPDX = re.compile(r"(/\*|//|#|--)? ?SPDX-License-Identifier: ")
complaints = []


def complain(path, line, text):
    complaints.append(f"{path}:{line}: {text}")


def layer_of(path):
    return pathlib.PurePosixPath(path).parts[0]


def check_include(path, number, line):
    match = re.match(r'\s*#\s*include "(.+)"', line)
    if not match:
        return
    here, there = layer_of(path), layer_of(match[1])
    if there not in LAYERS + ABOVE:
        complain(path, number, 'an #include "..." starts at the root')
    elif there in ABOVE or LAYERS.index(there) > LAYERS.index(here):
        complain(path, number, f"{here}/ may not include {there}/")


def at_home(path, home):
    return re.fullmatch(re.escape(home) + r"\.[ch]", path)


def check_words(path, number, code):
    """What a layer may not say, or not outside of one file."""
    words = code
    if not code.lstrip().startswith("#"):
        words = re.sub(r'"(\\.|[^"\\])*"', '""', code)
    for pattern, instead in BANNED.items():
        match = re.search(pattern, words)
        if match:
            complain(path, number, f"{match[0]}: use {instead}")
    for pattern, home in HOMES.items():
        match = re.search(pattern, words)
        if match and not at_home(path, home):
            complain(path, number, f"{match[0]}: belongs to {home}, use that")
    match = re.search(LOCKS, words)
    if match and layer_of(path) in LOCK_FREE and path not in LOCK_HOLDERS:
        complain(path, number, f"{match[0]}: hand it over by a message, or "
                 "say in LOCK_HOLDERS why nobody waits")


def check_lines(path, lines):
    for number, line in enumerate(lines, 1):
        if len(line.expandtabs(8)) > COLUMNS:
            complain(path, number, f"more than {COLUMNS} columns")
        if POSTPONED.search(line):
            complain(path, number, "do it, or open an issue")
        if line != line.rstrip():
            complain(path, number, "blanks at the end")


def check_head(path, lines):
    """The licence is the first line, or follows an interpreter's."""
    first = lines[1:2] if lines[0].startswith("#!") else lines[:1]
    if not first or not SPDX.match(first[0]):
        complain(path, 1, "no SPDX-License-Identifier")
    if len(lines) > FILE_LINES:
        complain(path, len(lines), f"more than {FILE_LINES} lines")


def check_functions(path, lines):
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            if number - start > FUNCTION_LINES:
                complain(path, start, f"more than {FUNCTION_LINES} lines")
            start = None


def check_edges(path, text):
    """A release that nothing acquires, or the reverse, orders nothing."""
    sides = {}
    for name, _, side in EDGE.findall(text):
        sides.setdefault(name, set()).add(side)
    for name, found in sides.items():
        if len(found) == 1:
            complain(path, 1, f"edge {name} has no side but its {found.pop()}")


def check_page(root):
    """What the server and its clients say is text there, whatever it says."""
    for file in sorted(root.glob("framework/page/*.js")):
        path = file.relative_to(root).as_posix()
        for number, code in enumerate(
                code_of(file.read_text().split("\n")), 1):
            match = MARKUP.search(code)
            if match:
                complain(path, number, f"{match[0]}: use textContent")


def check_lock_holders(root):
    """An exception that is not made use of is a hole."""
    for path in LOCK_HOLDERS:
        file = root / path
        if not file.exists() or not re.search(LOCKS, file.read_text()):
            complain(path, 1, "in LOCK_HOLDERS, but has no lock")


def code_of(lines):
    """The lines with their comments blanked out."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*",
                  lambda m: re.sub(r"[^\n]", " ", m[0]),
                  "\n".join(lines), flags=re.S)
    return text.split("\n")


def check_code(path, lines):
    check_functions(path, lines)
    check_edges(path, "\n".join(lines))
    if layer_of(path) not in LAYERS:
        return
    for number, code in enumerate(code_of(lines), 1):
        check_include(path, number, code)
        check_words(path, number, code)


def is_source(path):
    """By name, or by the interpreter in its first line: data is not ours."""
    if path.name == "CMakeLists.txt" or path.suffix in C_FILES + OTHER_FILES:
        return True
    if path.suffix:
        return False
    with path.open("rb") as file:
        return file.read(2) == b"#!"


def sources(root):
    folders = [root / name for name in [*LAYERS, *ABOVE, "cmake", ".ci"]]
    files = [root / "CMakeLists.txt", root / "Makefile"]
    for folder in folders:
        files += sorted(folder.rglob("*"))
    return [file.relative_to(root) for file in files
            if file.is_file() and (file in files[:2] or is_source(file))]


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    paths = sources(root)
    for path in paths:
        name = path.as_posix()
        lines = (root / path).read_text().split("\n")
        check_head(name, lines)
        check_lines(name, lines)
        if path.suffix in C_FILES:
            check_code(name, lines)
    check_lock_holders(root)
    check_page(root)
    print("\n".join(complaints))
    print(f"{len(paths)} files, {len(complaints)} complaints")
    sys.exit(bool(complaints) or not paths)


if __name__ == "__main__":
    main()
