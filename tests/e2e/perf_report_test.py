#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Reports: do they say what was measured, and nothing else?

    tests/e2e/perf_report_test.py
"""

import json
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "perf" / "lib"))

import markdown
import page
import results


def spread(value):
    return {"median": value, "min": value * 0.9, "max": value * 1.1}


def entry(cpu):
    made = {name: spread(cpu) for name in
            ("rps", "cpu_us", "p50_us", "p99_us", "p999_us", "jain", "busy",
             "foreign", "ratio")}
    return {**made, "user_us": 0.1, "system_us": cpu - 0.1, "errors": 0,
            "rounds": [{}]}


MACHINE = {"cpu": "a <CPU>", "cpus": 2, "kernel": "6.1", "commit": "abc",
           "date": "2026-01-02T03:04:05Z"}


def step(result, **machine):
    return {"machine": {**MACHINE, **machine}, "result": result, "settings": {
        "rounds": 5, "server_cpus": [0], "client_cpus": [1]}}


LOAD = {"claims": [{"name": "a < b", "measured": 1.2, "limit": 1.1,
                    "least": False, "met": False}],
        "workloads": {
            "64": {"about": "so & so", "servers": {
                "floor": entry(4.0), "spate": entry(4.2),
                "peer": {"cannot": "<that>"}}},
            "burn 4000": {"about": "burns", "servers": {
                "spate": entry(700.0)}}}}
IDLE = {"servers": {"spate": {"connections": 9, "bytes_each": 130.4,
                              "kept": 0.99, "cpu_ratio": 1.0}}}
GROWTH = {"about": {"routes": "routes & more"}, "kinds": {"routes": [
    {"size": 10, "instructions": 1000.4, "cpu_us": spread(4.0), "bytes": 4096},
    {"size": 100, "instructions": None, "cpu_us": spread(5.0),
     "bytes": 8192}]}}


class ReportTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def save(self, name, content):
        (self.folder / f"{name}.json").write_text(json.dumps(content))

    def record(self):
        self.save("load", step(LOAD))
        self.save("idle", step(IDLE))
        self.save("syscalls", step({"servers": {}}, commit="other"))
        found, left_out = results.read(self.folder)
        self.assertIn("syscalls is of other, not of abc", left_out)
        return results.compact(found)

    def test_steps_of_other_commits_are_left_out(self):
        record = self.record()
        self.assertIn("idle", record)
        self.assertNotIn("syscalls", record)
        self.assertEqual(results.figure(record, "64", "spate", "cpu_us"),
                         [4.2, 3.78, 4.62])

    def test_what_grows_is_kept_size_by_size(self):
        self.assertNotIn("growth", self.record())
        self.save("growth", step(GROWTH))
        self.assertEqual(self.record()["growth"], {"routes": {
            "about": "routes & more", "sizes": [
                [10, 1000, [4.0, 3.6, 4.4], 4096],
                [100, None, [5.0, 4.5, 5.5], 8192]]}})

    def test_the_table_replaces_what_is_between_the_marks(self):
        text = f"a\n{markdown.BEGIN}\nold\n{markdown.END}\nb\n"
        made = markdown.replace(text, self.record())
        self.assertTrue(made.startswith("a\n") and made.endswith("\nb\n"))
        self.assertNotIn("old", made)
        self.assertIn("| **spate** | 4.20 | 0.7 | 130 | - |", made)
        self.assertIn("| peer | - | - | - | - |", made)
        self.assertIn("a <CPU>, 2 CPUs", made)
        again = markdown.replace(made, self.record())
        self.assertEqual(made, again)
        with self.assertRaises(ValueError):
            markdown.replace("no marks", self.record())

    def test_the_readme_has_the_marks(self):
        markdown.replace((ROOT / "README.md").read_text(), self.record())

    def test_the_page_loads_nothing_and_escapes(self):
        made = page.write(self.record(), [("title <1>", "<svg></svg>")])
        self.assertIn("cannot: &lt;that&gt;", made)
        self.assertIn("so &amp; so", made)
        self.assertIn("not met", made)
        for word in ("<that>", "<CPU>", " src=", "http:", "@import"):
            self.assertNotIn(word, made)

    def test_history_has_one_line_for_a_commit(self):
        path, record = self.folder / "history.jsonl", self.record()
        results.remember(path, record)
        other = {**record, "machine": {**MACHINE, "commit": "def"}}
        results.remember(path, other)
        kept = results.remember(path, record)
        self.assertEqual([one["machine"]["commit"] for one in kept],
                         ["def", "abc"])
        self.assertEqual(results.history(path), kept)


if __name__ == "__main__":
    unittest.main()
