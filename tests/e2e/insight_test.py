#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a running server tells of itself, as docs/stats.md says.

    tests/e2e/insight_test.py DEMO [NAME]
"""

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

import process_test
from process_test import PATIENCE, Demo, receive_all, running, until

HERE = pathlib.Path(__file__).resolve().parent
DOCUMENT = HERE.parent.parent / "docs" / "stats.md"
HISTOGRAM = ["count", "sum_ns", "p50_ns", "p90_ns", "p99_ns", "p999_ns",
             "max_ns"]
PHASES = ["queue", "run", "parked", "blocked"]
ADMIN = re.compile(r"admin at .*, port (\d+)")


def stats(demo, query=""):
    status, body = demo.get("/stats" + query)
    assert status == 200, status
    return json.loads(body)


def route(found, name):
    return next(r for r in found["routes"] if r["route"] == name)


def total(found, key):
    return sum(shard[key] for shard in found["shards"])


def metrics(demo):
    """{name: {labels: value}} of /metrics."""
    status, body = demo.get("/metrics")
    assert status == 200, status
    rows = {}
    for line in body.decode().splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = re.fullmatch(
            r"(\w+)(?:\{(.*)\})? (\S+)", line).groups()
        rows.setdefault(name, {})[labels or ""] = float(value)
    return rows


def exactly(demo, count, *paths):
    """Has wrk ask so often. => Returns what it counted."""
    done = subprocess.run(
        ["wrk", "-t1", "-c8", "-d4", "-s", HERE / "exactly.lua",
         f"http://127.0.0.1:{demo.port}", "--", str(count), *paths],
        capture_output=True, text=True, timeout=PATIENCE, check=True)
    return int(re.search(r"(\d+) requests in", done.stdout)[1])


class StatsTest(unittest.TestCase):
    def test_every_key_of_the_document_is_there(self):
        with running("--shards", "2") as demo:
            demo.get("/users/7")
            found = stats(demo, "?buckets=1")
        self.assertEqual(found["schema"], 1)
        sections = dict(re.findall(r"^\*\*(\w+)\*\*(.*?)(?=^\*\*|^## )",
                                   DOCUMENT.read_text(), re.M | re.S))
        for section, value in (("SHARD", found["shards"][1]),
                               ("ROUTE", route(found, "/users/:id")),
                               ("PROCESS", found["process"])):
            rows = re.findall(r"^\| (`.*?) \|", sections[section], re.M)
            keys = [key for row in rows for key in re.findall(r"`(\w+)`", row)]
            self.assertGreater(len(keys), 5)
            for key in keys:
                self.assertIn(key, value, section)
        for histogram in [found["shards"][1]["latency"],
                          *found["shards"][1]["phases"].values(),
                          route(found, "/users/:id")["latency"]]:
            for key in [*HISTOGRAM, "buckets"]:
                self.assertIn(key, histogram)
        for key in ("schema", "version", "uptime_seconds", "time_ns", "state",
                    "shards", "routes", "process", "rcu"):
            self.assertIn(key, found)

    def test_what_wrk_counted_is_what_is_told(self):
        with running("--shards", "2") as demo:
            before = stats(demo)
            counted = exactly(
                demo, 1200, "/plaintext", "/bytes/100000", "/plaintext")
            self.assertEqual(counted, 1200)
            after, rows = stats(demo), metrics(demo)

        # The second look has counted itself.
        self.assertEqual(total(after, "requests") - total(before, "requests"),
                         counted + 1)
        self.assertEqual(route(after, "/plaintext")["requests"], 800)
        self.assertEqual(route(after, "/plaintext")["codes"]["2xx"], 800)
        self.assertEqual(route(after, "/bytes/:n")["requests"], 400)
        self.assertEqual(sum(route(after, "/plaintext")["by_shard"]), 800)
        self.assertEqual(sum(
            value for labels, value
            in rows["spate_http_requests_total"].items()
            if 'route="/stats"' not in labels), counted)
        self.assertEqual(sum(
            value for labels, value
            in rows["spate_http_responses_total"].items()
            if 'code="2xx"' in labels), counted + 2)

    def test_connections_are_told_by_where_they_went(self):
        with running("--shards", "2") as demo:
            for _ in range(20):
                demo.get("/json")
            found = stats(demo)
        self.connections_add_up(found, 21)
        # Who has polled for a shard whose workers had no CPU counts at home.
        if total(found, "helped_polls") != 0:
            return
        for shard in found["shards"]:
            self.assertEqual(sum(
                other["placed"][shard["id"]] for other in found["shards"]),
                shard["accepted"])
            self.assertEqual(
                sum(shard["placed"]) - shard["placed"][shard["id"]],
                shard["handed_off"])

    def connections_add_up(self, found, count):
        placed = [shard["placed"] for shard in found["shards"]]
        self.assertEqual(sum(map(sum, placed)), count)
        self.assertEqual(total(found, "accepted"), count)
        self.assertEqual(
            sum(n for i, row in enumerate(placed)
                for j, n in enumerate(row) if i != j),
            total(found, "handed_off"))

    def test_who_helps_a_shard_counts_what_it_does_at_home(self):
        asked = 0

        def helped(demo):
            nonlocal asked
            with demo.connect() as blocks:
                blocks.sendall(b"GET /block?ms=200 HTTP/1.0\r\n\r\n")
                for _ in range(4):
                    demo.get("/json")
                receive_all(blocks)
            asked += 6
            return total(stats(demo), "helped_polls") != 0

        with running("--shards", "2", "--spares", "0") as demo:
            until(lambda: helped(demo))
            self.connections_add_up(stats(demo), asked + 1)

    def test_connections_are_told_by_what_they_are_at(self):
        def told(demo, state):
            # Looked at once a second, and each look by what it asks is one.
            rows = metrics(demo)["spate_connection_states"]
            inside = sum(shard["connection_states"][state]
                         for shard in stats(demo)["shards"])
            outside = sum(value for labels, value in rows.items()
                          if f'state="{state}"' in labels)
            return inside == outside and inside

        with running("--shards", "2") as demo, \
                contextlib.ExitStack() as stack:
            for _ in range(5):
                link = stack.enter_context(demo.connect())
                link.sendall(b"GET /plaintext HTTP/1.1\r\nHost: a\r\n\r\n")
            for _ in range(3):
                link = stack.enter_context(demo.connect())
                link.sendall(b"GET /sleep?ms=20000 HTTP/1.1\r\n"
                             b"Host: a\r\n\r\n")
            for _ in range(2):
                link = stack.enter_context(demo.connect())
                link.sendall(b"GET /bytes/50000000 HTTP/1.1\r\n"
                             b"Host: a\r\n\r\n")
            until(lambda: told(demo, "idle") == 5)
            until(lambda: told(demo, "parked") == 3)
            until(lambda: told(demo, "blocked") == 2)

    def test_the_time_between_two_looks_at_epoll_is_told(self):
        def loop():
            return stats(demo)["shards"][0]["loop"]

        # Nobody else polls while the one worker blocks.
        with running("--shards", "1", "--spares", "0") as demo:
            before = loop()
            demo.get("/block?ms=30")
            until(lambda: loop()["max_ns"] > 30_000_000)
            found, rows = loop(), metrics(demo)
        self.assertGreater(found["count"], before["count"])
        self.assertGreater(found["sum_ns"] - before["sum_ns"], 30_000_000)
        self.assertGreaterEqual(
            rows["spate_shard_loop_duration_seconds_count"]['shard="0"'],
            found["count"])

    def test_what_was_closed_is_reclaimed(self):
        with running("--shards", "1") as demo:
            demo.get("/json")
            until(lambda: stats(demo)["rcu"]["reclaimed"] > 0)
            found, rows = stats(demo)["rcu"], metrics(demo)
        self.assertGreater(found["wait_ns"], 0)
        self.assertGreaterEqual(
            rows["spate_rcu_grace_period_seconds_count"][""],
            found["reclaimed"])
        # A shard has one batch that waits, and may have outgrown a directory.
        self.assertLessEqual(rows["spate_rcu_callbacks_pending"][""], 2)

    def test_memory_is_told_by_its_parts(self):
        with running("--shards", "2") as demo:
            demo.get("/json")
            found, rows = stats(demo), metrics(demo)
        for shard in found["shards"]:
            memory = shard["memory"]
            self.assertEqual(memory["allocated"] + memory["descriptors"],
                             shard["memory_bytes"])
            self.assertEqual(memory["idle_connection"], 128)
            self.assertLessEqual(memory["allocated"], memory["active"])
            label = f'shard="{shard["id"]}"'
            arena = rows["spate_arena_bytes"]
            self.assertIn(f'{label},kind="dirty"', arena)
            self.assertEqual(
                arena[f'{label},kind="allocated"']
                + rows["spate_descriptor_bytes"][label],
                rows["spate_memory_bytes"][label])
        self.assertEqual(rows["spate_idle_connection_bytes"][""], 128)
        # Asked for by one connection more, which may have one of its own.
        self.assertGreaterEqual(sum(rows["spate_descriptor_bytes"].values()),
                                sum(shard["memory"]["descriptors"]
                                    for shard in found["shards"]))

    def test_a_heap_profile_is_there_if_somebody_keeps_count(self):
        linked = subprocess.run(["ldd", process_test.DEMO], text=True,
                                capture_output=True, check=True).stdout
        with running() as demo:
            status, body = demo.get("/debug/heap")
            self.assertEqual(status, 501)
            self.assertIn(b"MALLOC_CONF=prof:true", body)
        if "jemalloc" not in linked:
            return
        with running(env={"MALLOC_CONF": "prof:true"}) as demo:
            status, body = demo.get("/debug/heap")
            self.assertEqual(status, 200)
            self.assertTrue(body.startswith(b"heap_v2/"), body[:100])
            self.assertIn(b"MAPPED_LIBRARIES", body)
            self.assertEqual(demo.get("/debug/heap")[0], 200)

    def test_times_are_those_of_all_requests_when_none_runs(self):
        with running("--shards", "2") as demo:
            for _ in range(100):
                demo.get("/json")
            until(lambda: route(stats(demo), "/json")["latency"]["count"]
                  == 100)
            found, rows = stats(demo, "?buckets=1"), metrics(demo)
        mine = route(found, "/json")
        self.assertEqual(sum(n for _, n in mine["latency"]["buckets"]), 100)
        self.assertLessEqual(mine["latency"]["p50_ns"],
                             mine["latency"]["p99_ns"])
        self.assertAlmostEqual(sum(mine["phases_ns"].values()),
                               mine["latency"]["sum_ns"], delta=4)
        name = "spate_http_request_duration_seconds"
        self.assertEqual(rows[name + "_count"]['route="/json"'], 100)
        self.assertEqual(
            rows[name + "_bucket"]['route="/json",le="+Inf"'], 100)

    def test_a_handler_that_waits_is_parked(self):
        with running() as demo:
            demo.get("/sleep?ms=50")
            until(lambda: route(stats(demo), "/sleep")["latency"]["count"])
            mine = route(stats(demo), "/sleep")
        # A worker that had no CPU before it parked has parked for less.
        self.assertGreaterEqual(mine["phases_ns"]["parked"], 25_000_000)
        self.assertGreater(mine["latency"]["sum_ns"],
                           mine["phases_ns"]["parked"])

    def test_a_client_that_takes_nothing_blocks(self):
        with running("--shards", "1") as demo, demo.connect() as link:
            link.sendall(b"GET /bytes/50000000 HTTP/1.1\r\nHost: a\r\n"
                         b"Connection: close\r\n\r\n")
            until(lambda: total(stats(demo), "fiber_waits") > 0)
            while link.recv(1 << 20):
                pass
            until(lambda: route(stats(demo), "/bytes/:n")["latency"]["count"])
            found = stats(demo)
        self.assertGreater(
            route(found, "/bytes/:n")["phases_ns"]["blocked"], 0)
        self.assertEqual(found["shards"][0]["phases"]["blocked"]["count"], 1)

    def test_a_client_that_leaves_is_aborted(self):
        with running("--shards", "1") as demo:
            with demo.connect() as link:
                link.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\n"
                             b"Content-Length: 10\r\n\r\n")
                until(lambda: total(stats(demo), "fiber_waits") > 0)
            until(lambda: route(stats(demo), "/echo")["aborted"] == 1)
            self.assertEqual(route(stats(demo), "/echo")["requests"], 1)

    def test_off_is_off(self):
        with running("--record-times", "off") as demo:
            demo.get("/plaintext")
            found, rows = stats(demo), metrics(demo)
        self.assertEqual(found["routes"], [])
        self.assertEqual(found["shards"][0]["latency"]["count"], 0)
        self.assertEqual(total(found, "requests"), 2)
        self.assertNotIn("spate_http_requests_total", rows)

    def test_a_stream_tells_again_and_again(self):
        with running() as demo, demo.connect() as link:
            link.sendall(b"GET /stats/stream?ms=100 HTTP/1.0\r\n\r\n")
            lines = link.makefile("rb")
            times = []
            for line in lines:
                if line.startswith(b"data: "):
                    found = json.loads(line[6:])
                    self.assertIn("buckets", found["shards"][0]["latency"])
                    times.append(found["time_ns"])
                if len(times) == 3:
                    break
            self.assertEqual(times, sorted(set(times)))
        with running() as demo:
            self.assertEqual(demo.get("/stats/stream?ms=1")[0], 400)


class MetricsTest(unittest.TestCase):
    def test_promtool_has_nothing_to_say(self):
        with running("--shards", "2") as demo:
            demo.get("/plaintext")
            demo.get("/nowhere")
            demo.get("/sleep?ms=1")
            status, body = demo.get("/metrics")
        self.assertEqual(status, 200)
        done = subprocess.run(["promtool", "check", "metrics"], input=body,
                              capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (0, b"", b""))

    def test_every_metric_of_the_document_is_there(self):
        with running("--shards", "2") as demo:
            demo.get("/plaintext")
            until(lambda: route(stats(demo), "/plaintext")["latency"]["count"])
            rows = metrics(demo)
        section = DOCUMENT.read_text().split("## GET /metrics")[1]
        names = re.findall(r"`((?:spate|process)_\w+)`",
                           section.split("\n## ")[0])
        self.assertGreater(len(names), 30)
        for name in names:
            self.assertTrue(name in rows or name + "_count" in rows, name)
        self.assertEqual(
            {labels for labels in rows["spate_accept_errors_total"]
             if 'shard="0"' in labels},
            {f'shard="0",errno="{why}"' for why in (
                "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "ECONNABORTED",
                "other")})

    def test_every_limit_is_there(self):
        with running("--shards", "1") as demo:
            shard, rows = stats(demo)["shards"][0], metrics(demo)
        limits = {key for key in shard if key.startswith("limited")}
        limits.remove("limited_outq")
        # Besides these there is the age, which is no limit of a size.
        self.assertEqual(len(rows["spate_limited_total"]), len(limits) + 1)
        self.assertIn("spate_outq_full_total", rows)

    def test_clients_add_no_labels(self):
        with running("--shards", "1") as demo:
            for i in range(20):
                demo.get(f"/nowhere/{i}")
                demo.get(f"/users/{i}")
            rows = metrics(demo)["spate_http_requests_total"]
        self.assertEqual(
            {labels.split(",", 1)[1]: n for labels, n in rows.items()},
            {'route="/users/:id",method="GET",code="2xx"': 20,
             'route="none",method="GET",code="4xx"': 20})


class Admin:
    """For tests of what is at the admin listener."""

    def demo_with_admin(self, stack, *flags):
        demo = stack.enter_context(running("--admin", "127.0.0.1:0", *flags))
        until(lambda: ADMIN.search(demo.text()))
        return demo, int(ADMIN.search(demo.text())[1])

    @staticmethod
    def ask(port, path, host="127.0.0.1", method="GET", fields=""):
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as link:
            link.sendall(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n"
                         f"{fields}Connection: close\r\n\r\n".encode())
            head, _, body = receive_all(link).partition(b"\r\n\r\n")
            return int(head.split()[1]), body

    def inside(self, port, path):
        status, body = self.ask(port, path)
        self.assertEqual(status, 200, path)
        return json.loads(body)


class AdminTest(Admin, unittest.TestCase):
    def test_it_has_the_pages_and_no_other(self):
        with contextlib.ExitStack() as stack:
            demo, port = self.demo_with_admin(stack)
            for path in ("/", "/stats", "/metrics", "/livez", "/readyz"):
                self.assertEqual(self.ask(port, path)[0], 200, path)
            self.assertEqual(self.ask(port, "/plaintext")[0], 404)
            found = stats(demo)
            self.assertEqual(route(found, "admin")["requests"], 6)
            self.assertEqual(route(found, "none")["requests"], 0)
            self.assertEqual(route(found, "/livez")["requests"], 0)

    def test_a_name_from_elsewhere_is_refused(self):
        with contextlib.ExitStack() as stack:
            demo, port = self.demo_with_admin(stack)
            self.assertEqual(self.ask(port, "/stats", "a.example")[0], 403)
            self.assertEqual(self.ask(port, "/stats", "localhost")[0], 200)
            self.assertEqual(demo.get("/stats")[0], 200)

    def test_it_may_be_a_unix_socket(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "admin")
            with running("--admin", f"unix:{path}"):
                with socket.socket(socket.AF_UNIX) as link:
                    link.connect(path)
                    link.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
                    self.assertTrue(receive_all(link).endswith(b"ok\n"))
            self.assertFalse(os.path.exists(path))

    def test_a_program_has_it_unless_it_says_no(self):
        hello = pathlib.Path(process_test.DEMO).parent / "examples" / "hello"
        for flags, wanted in ((), True), (("--admin", "none"), False):
            process_test.DEMO, demo = str(hello), process_test.DEMO
            try:
                with running(*flags) as program:
                    self.assertEqual(program.get("/stats")[0], 404)
                    if wanted:
                        until(lambda: ADMIN.search(program.text()))
                        port = int(ADMIN.search(program.text())[1])
                        self.assertEqual(self.ask(port, "/stats")[0], 200)
                self.assertEqual("admin at" in program.text(), wanted)
            finally:
                process_test.DEMO = demo

    def test_a_bad_address_is_usage(self):
        done = process_test.run("--admin", "nowhere")
        self.assertEqual(done.returncode, process_test.USAGE)
        self.assertIn("admin", done.stderr)


class HealthTest(unittest.TestCase):
    def test_who_drains_is_alive_and_not_ready(self):
        demo = Demo("--shards", "1").wait_ready()
        self.assertEqual(demo.get("/livez"), (200, b"ok\n"))
        self.assertEqual(demo.get("/readyz"), (200, b"ok\n"))
        with demo.connect() as live, demo.connect() as ready:
            # Part of a request is under way, so they are let finish.
            live.sendall(b"GET /livez HTTP/1.1\r\n")
            ready.sendall(b"GET /readyz HTTP/1.1\r\n")
            until(lambda: total(stats(demo), "connections") == 3)
            until(lambda: total(stats(demo), "bytes_in") > 300)
            demo.process.send_signal(signal.SIGTERM)
            until(lambda: "finishing" in demo.text())
            live.sendall(b"Host: a\r\n\r\n")
            self.assertTrue(receive_all(live).endswith(b"ok\n"))
            ready.sendall(b"Host: a\r\n\r\n")
            answer = receive_all(ready)
        self.assertIn(b" 503 ", answer)
        self.assertTrue(answer.endswith(b"draining\n"))
        self.assertEqual(demo.end(None), 0)


def main():
    process_test.DEMO = sys.argv.pop(1)
    unittest.main()


if __name__ == "__main__":
    main()
