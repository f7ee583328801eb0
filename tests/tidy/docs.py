#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What documents name is there: files, links, functions and tests.

    tests/tidy/docs.py [ROOT]

A document does not notice when what it speaks of gets another name. Prints
file:line: what is missing. Whether the sentence is still true is not checked.
"""

import pathlib
import re
import sys

FOLDERS = ["alloc", "shards", "framework", "cmake", "docs", "examples", "perf",
           "tests"]
CODE = [".c", ".h", ".S", ".cmake", ".txt", ".py"]

# Stand for what one writes instead.
PLACEHOLDER = re.compile(r"NAME|noun_verb")

LINK = re.compile(r"\]\(([^)#:]+)\)")
FILE = re.compile(r"\b(?:%s)/[\w/.-]*\w" % "|".join(FOLDERS))
NAME = re.compile(r"\b(?:sp|spate|SP|SPATE)_\w+")
# The second of "slot_test.this_is_true, that_too" is of the same file.
TEST = re.compile(r"\b(\w+_test)\.(\w{3,}"
                  r"(?:,\s+(?!\w+_test\b)[a-z0-9]+(?:_[a-z0-9]+)+)*)")
MODEL = re.compile(r"`(\w+_model|\w+\.pml)`")


def documents(root):
    yield root / "README.md"
    yield from sorted((root / "docs").rglob("*.md"))


def words_of(root):
    """Every word in code that a document may name."""
    words = set()
    for folder in FOLDERS:
        for path in (root / folder).rglob("*"):
            if path.suffix in CODE and path.name != "docs.py":
                words.update(re.findall(r"\w+", path.read_text()))
    return words


def tests_of(root):
    """Of the tests in Python the classes."""
    return {(path.stem, test) for path in (root / "tests").rglob("*_test.*")
            for test in re.findall(r"^(?:TEST\(|class )(\w+)\b",
                                   path.read_text(), re.M)}


def is_written(name, words):
    """SPATE_LISTEN and the like are made of an option's name."""
    if name.startswith("SPATE_"):
        return name in words or name[6:].lower() in words
    return name in words


def missing(root, document, words, tests):
    """=> Yields what, and where in the text."""
    text = document.read_text()
    for match in LINK.finditer(text):
        if not (document.parent / match[1]).exists():
            yield match[1], match.start()
    for match in FILE.finditer(text):
        if not list(root.glob(match[0] + "*")):
            yield match[0], match.start()
    for match in NAME.finditer(text):
        if not is_written(match[0], words):
            yield match[0], match.start()
    for match in TEST.finditer(text):
        for test in re.split(r",\s+", match[2]):
            if (match[1], test) not in tests:
                yield f"{match[1]}.{test}", match.start()
    if (root / "tests/model").exists():
        for match in MODEL.finditer(text):
            if not list((root / "tests/model").glob(match[1] + "*")):
                yield f"tests/model/{match[1]}", match.start()


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    words, tests = words_of(root), tests_of(root)
    complaints = 0
    for document in documents(root):
        text = document.read_text()
        for what, at in missing(root, document, words, tests):
            if PLACEHOLDER.search(what):
                continue
            line = text.count("\n", 0, at) + 1
            print(f"{document.relative_to(root)}:{line}: there is no {what}")
            complaints += 1
    sys.exit(complaints != 0)


if __name__ == "__main__":
    main()
