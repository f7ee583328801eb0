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

import claims
import counted
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
        self.assertIn("| **spate** | 4.20 | 0.70 | 130 | - |", made)
        self.assertIn("| peer | - | - | - | - |", made)
        self.assertIn("a <CPU>, 2 CPUs", made)
        again = markdown.replace(made, self.record())
        self.assertEqual(made, again)
        with self.assertRaises(ValueError):
            markdown.replace("no marks", self.record())

    def test_what_is_not_met_is_said_with_its_cause(self):
        record = self.record()
        record["claims"] = [
            {"name": "1m: CPU per request, x the best peer's (go)",
             "measured": 1.423, "limit": 1.0, "least": False, "met": False},
            {"name": "fine", "measured": 1, "limit": 1.0, "met": True}]
        cause = claims.cause(record["claims"][0]["name"])
        self.assertTrue((ROOT / cause).exists())
        made = " ".join(markdown.unmet(record)[0].split())
        self.assertIn(f"(go) is 1.42, not 1 ([why]({cause})).", made)
        del record["claims"][0]
        self.assertEqual(markdown.unmet(record), [])

    def test_every_cause_is_written_down(self):
        for where in claims.CAUSES.values():
            self.assertTrue((ROOT / where).exists(), where)

    def test_what_grows_is_in_the_document_of_it(self):
        text = (ROOT / "docs" / "scaling.md").read_text()
        self.assertEqual(markdown.growth(text, self.record()), text)
        self.save("growth", step(GROWTH))
        made = markdown.growth(text, self.record())
        self.assertIn("| routes & more: 10 | 1,000 | 4.00 (3.60 to 4.40) | "
                      "0.0 |", made)
        self.assertIn("| routes & more: 100 | - |", made)
        self.assertIn("(../docs/perf/growth.png)", made)
        self.assertEqual(markdown.growth(made, self.record()), made)

    def test_the_parts_are_in_the_page(self):
        self.save("parts", step({"parts": {
            "clock_now_ns": spread(10.0), "a <part>": spread(20.0)}}))
        made = page.write(self.record(), [])
        count = counted.read()["parts"]["clock_now_ns"]
        self.assertIn(f"<td>clock_now_ns</td><td>9.00</td><td>10.00</td>"
                      f"<td>{count:,.0f}</td>", made)
        self.assertIn("<td>a &lt;part&gt;</td><td>18.00</td><td>20.00</td>"
                      "<td>-</td>", made)

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
        self.assertTrue(results.is_like(*kept))
        kept[0]["machine"]["cpus"] = 64
        self.assertFalse(results.is_like(*kept))


if __name__ == "__main__":
    unittest.main()
