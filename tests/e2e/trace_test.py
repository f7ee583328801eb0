#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The flight recorder, as docs/stats.md says.

    tests/e2e/trace_test.py DEMO [NAME]
"""

import collections
import json
import re
import subprocess
import sys
import unittest
import urllib.request

import process_test
from process_test import running, until

TAKES_TIME = {"run": "conn", "resume": "conn", "sleep": "wake", "park": None}
INSTANT = {"ready": "events", "accept": "conn", "publish": "tasks",
           "steal": "tasks", "break_sent": "shard", "break_seen": None,
           "timer": "conn", "stale": "conn", "close": "conn"}
CONNECTION = re.compile(r"\d+\.\d+\.\d+")
WAKES = ("io", "break", "timer", "spurious")


def load(demo, seconds, path, connections=32):
    return subprocess.Popen(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}",
         f"http://127.0.0.1:{demo.port}{path}"],
        stdout=subprocess.DEVNULL)


def once(pairs):
    """An object in which no key is there twice."""
    assert len({key for key, _ in pairs}) == len(pairs), pairs
    return dict(pairs)


def check_argument(name, key, args):
    if key is None:
        assert args == {}, (name, args)
    elif key in args:
        value = args[key]
        if key == "conn":
            assert CONNECTION.fullmatch(value), value
        elif key == "wake":
            assert value in WAKES, value
        else:
            assert isinstance(value, int) and value >= 0, value


class Trace:
    """Parses a trace, and fails for what is not as the format has it."""

    def __init__(self, text):
        top = json.loads(text, object_pairs_hook=once)
        assert set(top) == {"displayTimeUnit", "traceEvents"}, set(top)
        self.threads, self.last, self.open = {}, {}, {}
        self.spans, self.instants = [], []
        for event in top["traceEvents"]:
            self.take(event)
        for track, stack in self.open.items():
            assert not stack, (track, stack)

    def take(self, event):
        phase, track = event["ph"], (event["pid"], event["tid"])
        args = event.get("args", {})
        keys = {"name", "ph", "pid", "tid", "ts", "args", "s"}
        assert set(event) <= keys, event
        if phase == "M":
            assert set(args) == {"name"}, event
            if event["name"] == "thread_name":
                assert track not in self.threads, event
                self.threads[track] = args["name"]
            return
        assert track in self.threads, event
        assert event["ts"] >= self.last.get(track, 0), (event, self.last)
        self.last[track] = event["ts"]
        stack = self.open.setdefault(track, [])
        if phase == "B":
            # Nothing here is within another.
            assert not stack, (stack, event)
            stack.append(event)
            if "handler" not in args:
                check_argument(event["name"], TAKES_TIME[event["name"]], args)
        elif phase == "E":
            begin = stack.pop()
            assert begin["name"] == event["name"], (begin, event)
            assert set(args) <= {"requests", "waits"}, event
            self.spans.append((begin, event))
        else:
            assert phase == "i" and event["s"] == "t", event
            check_argument(event["name"], INSTANT[event["name"]], args)
            self.instants.append(event)

    def counted(self):
        names = collections.Counter(event["name"] for event in self.instants)
        names.update(begin["name"] for begin, _ in self.spans)
        return names


def trace(demo, ms=60000):
    """It comes in chunks."""
    with urllib.request.urlopen(
            f"http://127.0.0.1:{demo.port}/debug/trace?ms={ms}",
            timeout=process_test.PATIENCE) as answer:
        return Trace(answer.read().decode())


def events(demo, query=""):
    status, body = demo.get("/debug/events" + query)
    assert status == 200, status
    return json.loads(body, object_pairs_hook=once)


class TraceTest(unittest.TestCase):
    def test_of_a_run_with_steals_and_breaks_every_begin_has_its_end(self):
        """Short handlers beside some that wait and some that compute."""
        wanted = {"run", "resume", "sleep", "park", "ready", "accept",
                  "publish", "steal", "break_sent", "break_seen", "close"}
        seen = collections.Counter()
        with running("--shards", "2", "--workers", "2") as demo:
            clients = [load(demo, 60, "/burn?us=100"),
                       load(demo, 60, "/sleep?ms=1", 8)]

            def look():
                found = trace(demo)
                seen.update(found.counted())
                # All of its workers, and perhaps spares.
                self.assertGreaterEqual(
                    set(found.threads.values()),
                    {"spate/0.0", "spate/0.1", "spate/1.0", "spate/1.1"})
                return wanted <= set(seen)

            try:
                until(look)
            finally:
                for client in clients:
                    client.kill()
                    client.wait()
            trace(demo)

    def test_runs_tell_of_all_requests_and_waits(self):
        with running("--shards", "1") as demo:
            for _ in range(40):
                demo.get("/plaintext")
            demo.get("/sleep?ms=20")
            found = trace(demo)
        ends = [end["args"] for begin, end in found.spans
                if begin["name"] in ("run", "resume")
                and "handler" not in begin["args"]]
        self.assertEqual(sum(end["requests"] for end in ends), 41)
        self.assertEqual(sum(end["waits"] for end in ends), 1)
        resumed = [(begin, end) for begin, end in found.spans
                   if begin["name"] == "resume"]
        self.assertEqual(len(resumed), 1)
        # It goes on for the connection that had waited, 20 ms later.
        waited = [(begin, end) for begin, end in found.spans
                  if end.get("args", {}).get("waits")][0]
        self.assertEqual(waited[0]["args"]["conn"],
                         resumed[0][0]["args"]["conn"])
        self.assertGreaterEqual(resumed[0][0]["ts"] - waited[1]["ts"], 19000)
        # Who asks is under way itself.
        self.assertIn({"handler": "/debug/trace"},
                      [begin["args"] for begin, _ in found.spans
                       if "args" in begin])

    def test_a_short_window_is_cut_off_at_both_ends(self):
        with running("--shards", "2") as demo:
            client = load(demo, 60, "/plaintext")
            try:
                until(lambda: trace(demo, 20).counted()["run"] > 100)
                found = trace(demo, 20)
            finally:
                client.kill()
                client.wait()
        times = [event["ts"] for pair in found.spans for event in pair]
        times += [event["ts"] for event in found.instants]
        self.assertLessEqual(max(times) - min(times), 20_000.1)

    def test_what_cannot_be_asked_for_is_an_error(self):
        with running("--shards", "1") as demo:
            for query in ("ms=0", "ms=60001", "ms=x"):
                self.assertEqual(demo.get("/debug/trace?" + query)[0], 400)
            for query in ("n=0", "n=1001", "after=-1"):
                self.assertEqual(demo.get("/debug/events?" + query)[0], 400)

    def test_nothing_is_recorded_if_that_is_off(self):
        with running("--shards", "1", "--record-events", "0") as demo:
            demo.get("/plaintext")
            self.assertEqual(events(demo)["events"], [])
            self.assertEqual(trace(demo).counted(), {})


class EventsTest(unittest.TestCase):
    def test_the_last_come_in_order_and_once(self):
        seen, after = [], 0
        with running("--shards", "2") as demo:
            for _ in range(20):
                demo.get("/plaintext")
                found = events(demo, f"?n=1000&after={after}")
                self.assertLess(found["events"][-1][0], found["time_ns"])
                seen += found["events"]
                after = found["next"]
        names = {**TAKES_TIME, **INSTANT}
        for when, shard, worker, name, argument, lasted in seen:
            self.assertIn(shard, (0, 1))
            self.assertLess(worker, 8)
            check_argument(name, names[name], {} if argument is None
                           else {names[name]: argument})
            self.assertEqual(lasted > 0, name in TAKES_TIME)
            self.assertLessEqual(lasted, when)
        # Nothing comes twice: a connection is accepted once.
        accepted = [event[4] for event in seen if event[3] == "accept"]
        self.assertGreaterEqual(len(accepted), 39)
        self.assertEqual(len(accepted), len(set(accepted)))

    def test_only_so_many_come(self):
        with running("--shards", "1") as demo:
            for _ in range(30):
                demo.get("/plaintext")
            self.assertEqual(len(events(demo)["events"]), 50)
            rows = events(demo, "?n=7")["events"]
        self.assertEqual(len(rows), 7)
        self.assertEqual(rows, sorted(rows, key=lambda row: row[0]))

    def test_the_stream_has_a_tail(self):
        with running("--shards", "1") as demo, demo.connect() as link:
            link.sendall(b"GET /stats/stream?ms=100&tail=100 HTTP/1.1\r\n"
                         b"Host: a\r\n\r\n")
            seen, text = [], ""
            while len(seen) < 3:
                text += link.recv(65536).decode()
                lines = [line for line in text.splitlines(keepends=True)
                         if line.startswith("data: ") and line.endswith("\n")]
                seen = [json.loads(line[6:]) for line in lines]
        for found in seen:
            self.assertIsInstance(found["tail"], list)
        self.assertEqual([row[3] for found in seen for row in found["tail"]]
                         .count("accept"), 1)


PROBES = {"run", "wait", "poll", "park", "accept", "publish", "steal",
          "break_sent", "break_seen", "timer", "stale", "close"}


class ProbesTest(unittest.TestCase):
    def test_each_record_is_a_probe(self):
        header = subprocess.run(
            ["cc", "-E", "-include", "sys/sdt.h", "-x", "c", "/dev/null"],
            capture_output=True, check=False)
        if header.returncode != 0:
            self.skipTest("without sys/sdt.h there are none")
        notes = subprocess.run(["readelf", "-n", process_test.DEMO],
                               capture_output=True, text=True, check=True)
        found = re.findall(r"Provider: spate\s+Name: (\w+)\s+Location: .*"
                           r"\s+Arguments: (.*)", notes.stdout)
        self.assertEqual({name for name, _ in found}, PROBES)
        for name, arguments in found:
            self.assertEqual(len(arguments.split()), 3, name)


class StallTest(unittest.TestCase):
    def test_the_log_has_what_a_stalled_worker_did_before(self):
        said = re.compile(r'level=warning msg="(spate/0\.\d): .*ready 1, .*'
                          r'and now run for \d+ us"\n')
        with running("--shards", "1") as demo:
            demo.get("/block?ms=300")
            until(lambda: said.search(demo.text()))
            # And not again and again.
            demo.get("/block?ms=300")
            until(lambda: demo.text().count("has kept its worker") == 2)
            self.assertEqual(len(said.findall(demo.text())), 1)


if __name__ == "__main__":
    process_test.DEMO = sys.argv.pop(1)
    unittest.main()
