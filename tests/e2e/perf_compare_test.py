#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Verdicts on two commits: are they what the figures say?

    tests/e2e/perf_compare_test.py
"""

import itertools
import math
import pathlib
import random
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "perf" / "lib"))

import compare
import noise
import revisions
import workloads


def by_hand(differences):
    """The same probability by going through all signs."""
    weights = noise.ranks([abs(one) for one in differences])
    middle = sum(weights) / 2
    seen = abs(sum(w for w, d in zip(weights, differences) if d > 0) - middle)
    found = [abs(sum(w for w, sign in zip(weights, signs) if sign) - middle)
             for signs in itertools.product((0, 1), repeat=len(weights))]
    return sum(1 for one in found if one >= seen) / len(found)


class NoiseTest(unittest.TestCase):
    def test_probabilities_are_those_of_all_flips(self):
        chance = random.Random(1)
        for _ in range(40):
            differences = [chance.choice((-1, 1)) * chance.randint(1, 6)
                           for _ in range(chance.randint(1, 9))]
            self.assertAlmostEqual(noise.probability(differences),
                                   by_hand(differences))

    def test_what_is_alike_has_no_difference(self):
        self.assertEqual(noise.probability([0.0] * 9), 1.0)
        verdict = noise.Verdict([4.0] * 15, [4.0] * 15)
        self.assertEqual(verdict.word, "same")
        self.assertIn("no difference", verdict.text())

    def test_few_rounds_tell_nothing(self):
        verdict = noise.Verdict([4.0] * 5, [8.0] * 5)
        self.assertEqual(verdict.word, "same")
        self.assertEqual(verdict.text(), "too few rounds to tell")
        self.assertEqual(verdict.high, math.inf)

    def test_a_difference_is_found_in_noise_that_both_share(self):
        chance = random.Random(2)
        weather = [chance.uniform(3, 6) for _ in range(15)]
        after = [each * 0.95 * chance.uniform(0.98, 1.02) for each in weather]
        verdict = noise.Verdict(weather, after)
        self.assertEqual(verdict.word, "less")
        self.assertTrue(verdict.low <= 0.95 <= verdict.high)
        self.assertEqual(noise.Verdict(after, weather).word, "MORE")

    def test_a_disturbed_round_does_not_decide(self):
        before, after = [4.0 + at / 100 for at in range(15)], [40.0]
        after += [each * 0.97 for each in before[1:]]
        self.assertEqual(noise.Verdict(before, after).word, "less")

    def test_what_is_too_small_to_matter_is_none(self):
        before = [4.0 + at / 100 for at in range(15)]
        after = [each * 1.003 for each in before]
        self.assertEqual(noise.Verdict(before, after).word, "same")

    def test_of_one_and_the_same_few_differ(self):
        """At a level of 1 %, about one in a hundred."""
        chance = random.Random(3)
        wrong = 0
        for _ in range(1000):
            pairs = [[chance.gauss(4, 0.4) for _ in range(15)]
                     for _ in range(2)]
            wrong += noise.Verdict(*pairs).word != "same"
        self.assertLess(wrong, 25)


class CompareTest(unittest.TestCase):
    def test_what_is_compared_is_there(self):
        for key in compare.WORKLOADS:
            self.assertIn(key, workloads.WORKLOADS)
        self.assertEqual(compare.name_of(workloads.WORKLOADS["64"]), "cpu_us")
        self.assertEqual(
            compare.name_of(workloads.WORKLOADS["burn 4000"]), "p99_us")

    def test_what_is_no_revision_is_refused(self):
        with self.assertRaisesRegex(revisions.Failed, "is not a revision"):
            revisions.checkout("no-such-revision")


if __name__ == "__main__":
    unittest.main()
