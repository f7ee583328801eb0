#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The pages below /debug/ at the admin listener, as docs/stats.md says.

    tests/e2e/debug_test.py DEMO [NAME]
"""

import contextlib
import json
import re
import select
import sys
import unittest

import insight_test
import process_test
from insight_test import DOCUMENT, HERE, route, stats
from process_test import until

HEADER = HERE.parent.parent / "framework" / "include" / "spate.h"


class DebugTest(insight_test.Admin, unittest.TestCase):
    def test_it_lists_connections_in_pages(self):
        with contextlib.ExitStack() as stack:
            demo, port = self.demo_with_admin(stack)
            own, asked = set(), b"GET /plaintext HTTP/1.1\r\nHost: a\r\n\r\n"
            for _ in range(5):
                link = stack.enter_context(demo.connect())
                link.sendall(asked)
                while b"Hello" not in link.recv(4096):
                    pass
                own.add("%s:%u" % link.getsockname())
            waits = stack.enter_context(demo.connect())
            waits.sendall(b"GET /sleep?ms=20000 HTTP/1.1\r\nHost: a\r\n\r\n")

            def listed(rows):
                found, after = [], 0
                while True:
                    status, body = self.ask(
                        port, f"/debug/connections?n={rows}&after={after}")
                    self.assertEqual(status, 200)
                    page = json.loads(body)
                    self.assertLessEqual(len(page["connections"]), rows)
                    found += page["connections"]
                    after = page["next"]
                    if after == 0:
                        return {row["peer"]: row for row in found}

            until(lambda: sum(row["state"] == "idle"
                              for row in listed(2).values()) >= 5)
            until(lambda: listed(3).get(
                "%s:%u" % waits.getsockname(), {}).get("state") == "parked")
            rows = listed(2)
            self.assertLessEqual(own, set(rows))
            for name in own:
                self.assertRegex(rows[name]["conn"], r"^\d+\.\d+\.\d+$")
                self.assertEqual(rows[name]["service"], "http")
                self.assertEqual(rows[name]["received"], len(asked))
                self.assertEqual(rows[name]["unread"], 0)
            for query in ("n=0", "n=1001", "after=x", "after=4294967296"):
                self.assertEqual(
                    self.ask(port, f"/debug/connections?{query}")[0], 400)
            self.assertEqual(demo.get("/debug/connections")[0], 404)

    def test_the_level_of_the_log_can_be_changed(self):
        with contextlib.ExitStack() as stack:
            demo, port = self.demo_with_admin(stack, "--access-log", "1")

            def level(query="", method="GET", fields=""):
                status, body = self.ask(port, f"/debug/log{query}",
                                        method=method, fields=fields)
                return status, json.loads(body)["level"] if status == 200 \
                    else None

            self.assertEqual(level(), (200, "info"))
            self.assertEqual(level("?level=error", "PUT"), (200, "error"))
            until(lambda: "level is error now, and was info" in demo.text())
            demo.get("/users/quiet")
            self.assertEqual(level("?level=debug", "PUT"), (200, "debug"))
            until(lambda: "level is debug now, and was error" in demo.text())
            demo.get("/plaintext")
            until(lambda: "route=/plaintext" in demo.text())
            self.assertNotIn("route=/users", demo.text())
            for query in ("", "?level=loud", "?level=", "?level=debug%00"):
                self.assertEqual(level(query, "PUT")[0], 400, query)
            self.assertEqual(level(), (200, "debug"))

    def test_no_web_page_and_no_public_listener_changes_anything(self):
        with contextlib.ExitStack() as stack:
            demo, port = self.demo_with_admin(stack)
            for fields in ("Origin: null\r\n",
                           f"Origin: http://127.0.0.1:{port}\r\n"):
                self.assertEqual(
                    self.ask(port, "/debug/log?level=error", method="PUT",
                             fields=fields)[0], 403)
            for method in ("POST", "DELETE"):
                self.assertEqual(
                    self.ask(port, "/debug/log?level=error",
                             method=method)[0], 405)
            self.assertEqual(
                json.loads(self.ask(port, "/debug/log")[1])["level"], "info")
            self.assertEqual(demo.get("/debug/log")[0], 404)

    def test_the_index_has_what_the_document_has(self):
        table = DOCUMENT.read_text().split("| path |")[1].split("\n\n")[0]
        told = {path.replace("CONN", ":conn").split("?")[0]
                for path in re.findall(r"^\| `(\S+)` \|", table, re.M)}
        with contextlib.ExitStack() as stack:
            demo, port = self.demo_with_admin(stack)
            pages = self.inside(port, "/debug/")["pages"]
            self.assertEqual({page["path"] for page in pages}, told)
            for page in pages:
                if page["path"] in ("/stats/stream", "/debug/heap",
                                    "/debug/polldesc/:conn"):
                    continue
                self.assertEqual(self.ask(port, page["path"])[0], 200, page)
                self.assertIn("GET", page["methods"])
            for path in ("/debug/", "/debug/shards", "/debug/config",
                         "/debug/latency", "/debug/polldesc/0.1.1"):
                self.assertEqual(demo.get(path)[0], 404, path)
                self.assertEqual(
                    self.ask(port, path, "a.example")[0], 403, path)
                self.assertEqual(
                    self.ask(port, path, method="PUT")[0], 405, path)

    def test_the_config_has_every_option(self):
        header = HEADER.read_text().split("struct spate_options {")[1]
        header = re.sub(r"/\*.*?\*/", "", header.split("\n};")[0],
                        flags=re.S)
        names = set(re.findall(r"\w[ *]+(\w+);", header))
        # A function and what it is given are nothing to be shown.
        names -= {"size", "log_arg", "started_arg"}
        with contextlib.ExitStack() as stack:
            demo, port = self.demo_with_admin(
                stack, "--max-connections", "77", "--spares", "1",
                "--record-times", "off", "--placement", "hash",
                "--log-format", "json", "--crash-dump", '/tmp/"no\nbody"',
                "--shards", "0")
            found = self.inside(port, "/debug/config")
            self.assertEqual(set(found["options"]), names)
            for name, value in (
                    ("max_connections", 77), ("spares", 1),
                    ("record_times", False), ("placement", "hash"),
                    ("log_format", "json"), ("shards", 0),
                    ("crash_dump", '/tmp/"no\nbody"')):
                self.assertEqual(found["options"][name], value)
            self.assertEqual(found["effective"]["max_connections"], 77)
            self.assertEqual(found["effective"]["shards"],
                             len(stats(demo)["shards"]))
            self.ask(port, "/debug/log?level=warning", method="PUT")
            found = self.inside(port, "/debug/config")
            self.assertEqual((found["options"]["log_level"],
                              found["effective"]["log_level"]),
                             ("info", "warning"))

    def test_a_worker_is_seen_in_its_handler(self):
        with contextlib.ExitStack() as stack:
            demo, port = self.demo_with_admin(stack, "--shards", "2")

            def who():
                shards = self.inside(port, "/debug/shards")["shards"]
                return [worker for shard in shards
                        for worker in shard["workers"]
                        if worker["handler"] == "/block"]

            def seen():
                """Or not: to look may wait for the same worker."""
                with demo.connect() as blocks:
                    blocks.sendall(b"GET /block?ms=300 HTTP/1.0\r\n\r\n")
                    while not select.select([blocks], [], [], 0)[0]:
                        if who():
                            return True
                return False

            until(seen)
            until(lambda: not who())
            shards = []

            def agree():
                """Or not: there may be a spare more by then."""
                shards[:] = self.inside(port, "/debug/shards")["shards"]
                return ([len(shard["workers"]) for shard in shards]
                        == [shard["workers"]
                            for shard in stats(demo)["shards"]])

            until(agree)
            for shard in shards:
                workers = shard["workers"]
                self.assertEqual(workers[0]["name"], f"spate/{shard['id']}.0")
                self.assertEqual(workers[0]["kind"], "primary")
                self.assertLessEqual(sum(w["polls"] for w in workers), 1)
                self.assertTrue(shard["alive"])
            self.assertIn("blocking", {worker["kind"] for shard in shards
                                       for worker in shard["workers"]})

    def test_latencies_are_a_table(self):
        with contextlib.ExitStack() as stack:
            demo, port = self.demo_with_admin(stack, "--shards", "2")
            for _ in range(9):
                demo.get("/users/7")
            until(lambda: route(stats(demo), "/users/:id")["latency"]["count"]
                  == 9)
            found = route(stats(demo), "/users/:id")["latency"]
            status, body = self.ask(port, "/debug/latency")
            self.assertEqual(status, 200)
            rows = {name: cells for *cells, name in (
                re.split(r"\s+", line.strip(), maxsplit=7)
                for line in body.decode().splitlines()[2:])}
            self.assertEqual(rows["/users/:id"][0], "9")
            self.assertAlmostEqual(float(rows["/users/:id"][6]) * 1000,
                                   found["max_ns"], delta=100)
            self.assertIn("shard 1 queue", rows)
            self.assertNotIn("/json", rows)

    def test_the_words_of_a_descriptor_are_told(self):
        with contextlib.ExitStack() as stack:
            demo, port = self.demo_with_admin(stack)
            idle = stack.enter_context(demo.connect())
            idle.sendall(b"GET /plaintext HTTP/1.1\r\nHost: a\r\n\r\n")
            waits = stack.enter_context(demo.connect())
            waits.sendall(b"GET /sleep?ms=20000 HTTP/1.1\r\n"
                          b"Host: a\r\n\r\n")

            def row(link):
                name = "%s:%u" % link.getsockname()
                rows = self.inside(port, "/debug/connections")["connections"]
                return next((r for r in rows if r["peer"] == name), {})

            until(lambda: row(idle).get("state") == "idle")
            until(lambda: row(waits).get("state") == "parked")
            name = row(idle)["conn"]
            path = f"/debug/polldesc/{name}"
            found = self.inside(port, path)
            self.assertEqual(found["conn"], name)
            self.assertEqual(name, "{shard}.{index}.{generation}".format(
                **found))
            self.assertEqual(
                (found["read"], found["owner"]), ("task", "nobody"))
            # Whether it may move depends on where it was placed.
            self.assertLessEqual(set(found["info"]), {"away"})
            self.assertTrue(0 < found["read_deadline_ms"] <= 75000, found)
            self.assertIsNone(found["write_deadline_ms"])
            parked = self.inside(
                port, f"/debug/polldesc/{row(waits)['conn']}")
            self.assertEqual((parked["read"], parked["owner"]),
                             ("fiber", "fiber"))
            idle.close()
            until(lambda: self.ask(port, path)[0] == 404)
            for bad in ("0", "0.1", "0.1.", "0.1.1.1", "x.1.1", "0.-1.1",
                        "256.1.1", "0.16777216.1", "0.1.4294967296",
                        "0.1.1%00", "%22"):
                self.assertEqual(
                    self.ask(port, f"/debug/polldesc/{bad}")[0], 400, bad)
            # No shard, a place that was never used, an even generation.
            for none in ("255.1.1", "0.16777215.1", "0.0.0", "0.9.2"):
                self.assertEqual(
                    self.ask(port, f"/debug/polldesc/{none}")[0], 404, none)


def main():
    process_test.DEMO = sys.argv.pop(1)
    unittest.main()


if __name__ == "__main__":
    main()
