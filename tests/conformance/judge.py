# SPDX-License-Identifier: BSD-2-Clause
"""What a server did, beside what a vector wants: right or not.

    right    what the vector wants; for others than Spate any refusal stands
             for any other (400 for 501)
    allowed  something else that the RFCs leave a choice of, such as to read
             a bare LF as a line's end, to close early, or to close without
             an answer what has to be refused
    lenient  answered as if it were well-formed, although it has to be
             refused, or kept a connection that has to be closed
    wrong    anything else: refuses or garbles what is well-formed, answers
             too often or not at all, fails
"""

from vectors import END

GRADES = "right", "allowed", "lenient", "wrong"


def announces_close(answers):
    return bool(answers) and b"close" in answers[-1].fields.get(
        "connection", b"").lower()


def tell(answers, ending):
    return " ".join([*map(str, answers), ending])


def is_refusal(word):
    return word[0] in "45" and word[:3] not in ("500", "502", "503", "504")


def same_word(want, seen, loosely):
    if loosely and is_refusal(want) and is_refusal(seen):
        return "404" not in want and "405" not in want or want[:3] == seen[:3]
    if ":" not in want:
        seen = seen.split(":")[0] if not seen.endswith(":cut") else seen
    return want == seen


def fits(want, seen, loosely):
    want, seen = want.replace("drop", "close").split(), seen.split()
    if loosely and want[-1] == "keep" and len(want) > 1 and is_refusal(
            want[-2]):
        want[-1] = seen[-1]
    return len(want) == len(seen) and all(
        same_word(a, b, loosely) for a, b in zip(want, seen))


def is_lenient(want, seen):
    """Whether what ends a connection was let pass, and nothing else."""
    want, seen = want.replace("drop", "close").split(), seen.split()
    if want[-1] != "close" or any(
            word[:3] in ("500", "502", "503", "504", "999") or ":cut" in word
            for word in seen):
        return False
    refuse = len(want) > 1 and is_refusal(want[-2])
    before = want[:-2] if refuse else want[:-1]
    rest = seen[len(before):]
    if not all(same_word(a, b, True) for a, b in zip(before, seen)):
        return False
    if not refuse:
        return rest[-1:] == ["keep"]
    passed = rest and (not is_refusal(rest[0]) or rest[0] in ("404", "405"))
    return bool(passed) or rest[-1:] == ["keep"]


def grade(vector, seen):
    words = vector.want.split()
    if fits(vector.want, seen, True):
        return "right"
    if any(fits(want, seen, True) for want in vector.also):
        return "allowed"
    for want in vector.want, *vector.also:
        if want.endswith("keep") and fits(want[:-4] + "close", seen, True):
            return "allowed"
    if words[-1] == "close" and len(words) > 1 and is_refusal(words[-2]):
        if fits(" ".join([*words[:-2], "close"]), seen, True):
            return "allowed"
    return "lenient" if is_lenient(vector.want, seen) else "wrong"


def complaints(vector, answers, ending):
    """What else Spate owes: to the letter, and what every answer carries."""
    seen = tell(answers, ending)
    found = []
    if not fits(vector.want, seen, False):
        found.append(f"wanted {vector.want}, saw {seen}")
    for answer in answers:
        if answer.status >= 200 and "date" not in answer.fields:
            found.append("an answer without a Date")
        if answer.status == 405 and "allow" not in answer.fields:
            found.append("a 405 without Allow")
    if (vector.want.endswith("close") and ending == "close" and answers
            and not answers[-1].cut and END not in vector.send
            and not announces_close(answers)):
        found.append("a close that was not announced")
    return found
