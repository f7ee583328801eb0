# SPDX-License-Identifier: BSD-2-Clause
"""The scores, and docs/http-conformance.md."""

import re

from judge import GRADES

INTRO = """\
# HTTP/1.1: what is demanded, and who does it

`tests/conformance/run --write docs/http-conformance.md` sends {count} vectors
to Spate, nginx, HAProxy and node on loopback, and writes this file. The
vectors are in `tests/conformance/vectors/`: for each the bytes, the section
of RFC 9112, 9110 or 3986, what the client has to see, and what else the RFCs
leave a choice of. The peers are Debian's nginx and HAProxy (`apt-get install
nginx haproxy`) and node, with their defaults but for limits that are Spate's;
`tests/conformance/servers/` has the files. nginx and HAProxy pass requests on
to a backend that takes what it is given, so the verdicts are theirs.

- **right**: what the vector wants. Of Spate to the letter: status, body,
  whether the connection stays, a `Date` in each answer, `Allow` in a 405, a
  close that is announced. Of peers any refusal stands for any other (400 for
  501).
- **allowed**: another way that the RFCs leave open: a bare LF as a line's end,
  a fold read as a blank, an early close, a close without an answer to what
  has to be refused.
- **lenient**: let pass what has to be refused, or kept a connection that has
  to be closed.
- **wrong**: anything else: refuses or garbles what is well-formed, answers too
  few or too many times, answers nothing.

Where the RFCs leave a choice, a vector wants Spate's, so of peers read right
and allowed together. Smuggling is said of vectors that two servers in a row
could read as different numbers of requests. To be lenient there is how one
client's bytes become the head of another's request.
"""

STRICTER = """\
## Where Spate takes the strict side of a choice

- A bare LF ends no line, a bare CR is no blank, and a fold is refused
  (RFC 9112, 2.2 and 5.2 let a recipient choose).
- One `Content-Length`, one number; `5, 5` and a second equal one are refused
  (9110, 8.6 lets a recipient choose).
- `Transfer-Encoding` with an empty member (`chunked,`) is refused. 9110,
  5.6.1.2 wants "a reasonable number" of empty members ignored; for the field
  that frames the message the number is none.
- `Transfer-Encoding` beside `Content-Length`, or on HTTP/1.0, is refused
  (9112, 6.1 would also allow to read the chunks and close).
- A minor version above 1 is 505, as is another major one (9110, 2.5 says one
  should treat HTTP/1.2 as 1.1).
- Fields that may only stand in a head (`Content-Length`, `Host` and 30 more)
  are refused in a trailer (9110, 6.5.1 would also allow to ignore them).
- A malformed escape in a target is refused before it is routed.

On the lax side there is one: `[ ] | { } ^ \\` and the grave accent in a
target are let through, since browsers send them in queries (9112, 3.2 says
one should answer 400).
"""

FUZZ = """\
## The parser beside llhttp

`tests/fuzz/http_diff_fuzz.c` gives mutated requests to Spate's parser and to
llhttp 8.1 (Debian's node-llhttp, built strict), head and chunked body.
Both must agree on accepting, on where the message ends, on its body and on
its fields; or the difference must be one of these. Anything else aborts.

| class | stricter | why |
|---|---|---|
"""


def count(results, vectors):
    counts = dict.fromkeys(GRADES, 0)
    for vector in vectors:
        counts[results[vector.name][1]] += 1
    return counts


def score_line(name, results, vectors):
    return f"{name}: {len(vectors)} vectors, " + ", ".join(
        f"{number} {grade}" for grade, number
        in count(results, vectors).items())


def scores(table, versions, vectors):
    lines = ["## Scores\n",
             "| server | right | allowed | lenient | wrong | of "
             f"{sum(v.smuggling for v in vectors)} on smuggling: lenient or "
             "wrong |", "|---|---|---|---|---|---|"]
    smuggling = [vector for vector in vectors if vector.smuggling]
    for name, results in table.items():
        some = count(results, smuggling)
        cells = [f"{name} {versions[name]}", *count(results, vectors).values(),
                 some["lenient"] + some["wrong"]]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines) + "\n"


def area(vector):
    return vector.name.split(".")[0]


def areas(table, vectors):
    lines = ["## By area: neither right nor allowed\n",
             "| area | vectors | " + " | ".join(table) + " |",
             "|---|---|" + "---|" * len(table)]
    for name in dict.fromkeys(map(area, vectors)):
        part = [vector for vector in vectors if area(vector) == name]
        cells = [name, len(part)]
        for results in table.values():
            some = count(results, part)
            cells.append(some["lenient"] + some["wrong"])
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines) + "\n"


def shorten(outcome):
    """200 x 16 for sixteen of a kind; bars would end a cell."""
    words = re.sub(r"(\b200:? )\1{3,}",
                   lambda match: f"(200 × {match[0].count('200')}) ", outcome)
    return f"`{words}`".replace("|", "\\|")


def deviations(table, vectors):
    lines = ["## Who deviates\n",
             "Only what is not right; an empty cell is. **Bold** is lenient "
             "or wrong.\nAn outcome is what the client saw: the answers "
             "(`100` in front where it was\nsent, `:body` where there is "
             "one), then whether the connection stayed.\n",
             "| vector | RFC | wanted | " + " | ".join(table) + " |",
             "|---|---|---|" + "---|" * len(table)]
    for vector in vectors:
        cells = []
        for results in table.values():
            seen, grade, _ = results[vector.name]
            mark = "**" if grade in ("lenient", "wrong") else ""
            cells.append("" if grade == "right"
                         else f"{mark}{shorten(seen)} {grade}{mark}")
        if any(cells):
            name = vector.name + (" (s)" if vector.smuggling else "")
            lines.append("| " + " | ".join(
                [name, vector.section, shorten(vector.want), *cells]) + " |")
    lines.append("\n(s): on smuggling.")
    return "\n".join(lines) + "\n"


def classes(root):
    """The rows of the table in the fuzz target."""
    text = (root / "tests/fuzz/http_diff_classes.h").read_text()
    text = re.sub(r"\\\n", "", text)
    text = re.sub(r'"\s*"', "", text)
    rows = re.findall(r'CLASS\(\s*(\w+),\s*(\w+),\s*"([^"]*)"\)', text)
    return FUZZ + "".join(f"| {name.lower()} | {who.lower()} | {why} |\n"
                          for name, who, why in rows)


def document(table, versions, vectors, root):
    return "\n".join([INTRO.format(count=len(vectors)),
                      scores(table, versions, vectors),
                      areas(table, vectors), STRICTER, classes(root),
                      deviations(table, vectors)])


def is_current(text, vectors, root):
    """Whether a document was written from these vectors and classes."""
    return (INTRO.format(count=len(vectors)) in text and STRICTER in text
            and classes(root) in text)
