# SPDX-License-Identifier: BSD-2-Clause
"""Whether two things that were measured in pairs differ, and by how much.

Each round gives a pair, taken seconds apart. If the two are the same, each
difference might as well have the other sign: Wilcoxon's signed ranks under
all 2^n ways to flip them, counted exactly. The estimate is Hodges and
Lehmann's, the median of all means of two differences, and its interval are
the differences that the same test would not reject. A few rounds that were
disturbed change neither by much, and nothing here is random.
"""

import math
import statistics

LEVEL = 0.01     # of a verdict: there are several workloads
SMALLEST = 0.01  # less is the placement of code, in whose favour ever


def ranks(values):
    """Twice the rank of each, those alike in the middle of their places."""
    order = sorted(range(len(values)), key=lambda at: values[at])
    found, first = [0] * len(values), 0
    while first < len(order):
        last = first
        while (last + 1 < len(order)
               and values[order[last + 1]] == values[order[first]]):
            last += 1
        for at in order[first:last + 1]:
            found[at] = first + last + 2
        first = last + 1
    return found


def sums(weights):
    """How many of all subsets of the weights have which sum."""
    counts = [1] + [0] * sum(weights)
    for weight in weights:
        for total in range(len(counts) - 1, weight - 1, -1):
            counts[total] += counts[total - weight]
    return counts


def probability(differences):
    """Of a signed rank sum as far from the middle as this one, or farther."""
    moved = [one for one in differences if one != 0]
    if not moved:
        return 1.0
    weights = ranks([abs(one) for one in moved])
    above = sum(weight for weight, one in zip(weights, moved) if one > 0)
    tail = min(above, sum(weights) - above)
    return min(1.0, 2 * sum(sums(weights)[:tail + 1]) / 2 ** len(weights))


def interval(differences, level=LEVEL):
    """=> Returns the estimate, and from where to where it may be.

    Both ends are infinite if there are too few pairs for the level.
    """
    count = len(differences)
    walsh = sorted((differences[i] + differences[j]) / 2
                   for i in range(count) for j in range(i, count))
    counts, below, cut = sums(range(1, count + 1)), 0, -1
    while 2 * (below + counts[cut + 1]) <= level * 2 ** count:
        cut += 1
        below += counts[cut]
    if cut < 0:
        return statistics.median(walsh), -math.inf, math.inf
    return statistics.median(walsh), walsh[cut], walsh[-1 - cut]


class Verdict:
    """Of pairs of positive figures, of which less is better."""

    def __init__(self, before, after):
        logs = [math.log(new / old) for old, new in zip(before, after)]
        middle, low, high = interval(logs)
        self.pairs = len(logs)
        self.probability = probability(logs)
        self.ratio = math.exp(middle)
        self.low = math.exp(low)
        self.high = math.exp(high) if high < math.inf else math.inf
        is_real = (self.probability <= LEVEL
                   and abs(self.ratio - 1) >= SMALLEST)
        if is_real:
            self.word = "less" if self.ratio < 1 else "MORE"
        else:
            self.word = "same"

    def text(self):
        if self.word != "same":
            return (f"{self.word}, by {abs(self.ratio - 1):.1%} "
                    f"({self.low - 1:+.1%} to {self.high - 1:+.1%})")
        most = max(1 - self.low, self.high - 1)
        if most == math.inf:
            return "too few rounds to tell"
        return f"no difference found; it is not more than {most:.1%}"

    def record(self):
        return {"ratio": self.ratio, "low": self.low, "high": self.high,
                "probability": self.probability, "pairs": self.pairs,
                "verdict": self.word}
