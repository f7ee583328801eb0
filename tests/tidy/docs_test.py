#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Breaks each rule of docs.py, and keeps what it must be silent on.

    tests/tidy/docs_test.py
"""

import pathlib
import subprocess
import sys
import tempfile

DOCS = pathlib.Path(__file__).with_name("docs.py")

# text, what docs.py says of it; None when it has nothing to say
CASES = [
    ("[a](docs/a.md) [b](docs/a.md#part) [c](https://a.example/b)", None),
    ("[a](docs/b.md)", "docs/b.md"),
    ("shards/a.c, shards/a", None),
    ("see `shards/b.c`", "shards/b.c"),
    ("sp_thing, SP_THING and spate_thing", None),
    ("sp_other", "sp_other"),
    ("SPATE_THING=1", None),
    ("SPATE_OTHER=1", "SPATE_OTHER"),
    ("sp_noun_verb, tests/unit/NAME_test.c", None),
    ("a_test.this_is_so, that_is_so", None),
    ("a_test.this_is_so; and so_is_that", None),
    ("a_test.nothing_is_so", "a_test.nothing_is_so"),
    ("a_test.this_is_so,\nnothing_is_so", "a_test.nothing_is_so"),
    ("b_test.this_is_so", "b_test.this_is_so"),
    ("`a_model`", None),
    ("`b_model`", "tests/model/b_model"),
]


def run(text):
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        for path, content in {
                "README.md": text, "docs/a.md": "",
                "shards/a.c": "sp_thing SP_THING spate_thing thing",
                "tests/model/a_model.cpp": "",
                "tests/unit/a_test.c":
                    "TEST(this_is_so)\nTEST(that_is_so)\n"}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(content)
        return subprocess.run([sys.executable, DOCS, root], text=True,
                              capture_output=True, check=False)


def main():
    failed = False
    for text, wanted in CASES:
        done = run(text)
        said = done.stdout + done.stderr
        good = (done.returncode != 0 and f"no {wanted}\n" in said
                if wanted else done.returncode == 0)
        if not good:
            print(f"{text!r}: said {said!r}, not {wanted!r}")
            failed = True
    sys.exit(failed)


if __name__ == "__main__":
    main()
