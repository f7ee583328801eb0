#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The log of a program, as docs/logs.md says.

    tests/e2e/log_test.py DEMO [NAME]
"""

import json
import os
import re
import subprocess
import sys
import unittest

import process_test
from process_test import run, running, until

LOGFMT = re.compile(r"time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z "
                    r"level=(debug|info|warning|error) "
                    r'msg=("(?:[^"\\]|\\.)*"|[^" =\\]+)'
                    r'(?: [a-z_]+=(?:"(?:[^"\\]|\\.)*"|[^" =\\]+))*\n')
FIELDS = ["time", "level", "msg", "method", "route", "status", "bytes",
          "queue_us", "run_us", "parked_us", "blocked_us", "shard", "req",
          "conn", "peer"]


def log_counts(demo):
    return json.loads(demo.get("/stats")[1])["log"]


class FormatTest(unittest.TestCase):
    def test_lines_are_logfmt(self):
        with running("--access-log", "1") as demo:
            demo.get("/nowhere?token=secret")
            until(lambda: "status=404" in demo.text())
        self.assertIn("finishing what is under way", demo.log[-1])
        for line in demo.log:
            self.assertRegex(line, LOGFMT)
        self.assertNotIn("secret", demo.text())

    def test_lines_are_json(self):
        with running("--access-log", "1", "--log-format", "json") as demo:
            demo.get("/stats")
            until(lambda: '"status":200' in demo.text())
        lines = [json.loads(line) for line in demo.log]
        answers = [line for line in lines if line["msg"] == "request"]
        self.assertEqual([list(line) for line in answers], [FIELDS])
        self.assertEqual(answers[0]["route"], "/stats")
        for line in lines:
            self.assertEqual(list(line)[:3], FIELDS[:3])

    def test_a_bad_option_is_told(self):
        for flags in [["--log-format", "xml"], ["--access-log", "-1"]]:
            done = run(*flags)
            self.assertEqual(done.returncode, process_test.USAGE)
            self.assertIn(flags[0][2:], done.stderr)
        self.assertEqual(run("--log-queue", "1").returncode,
                         process_test.CONFIG)


TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
TRACEPARENT = f"traceparent: 00-{TRACE}-{PARENT}-01\r\n"
NAMES = ("request_id", "trace_id", "span_id", "parent_id")


def ask(link, path, fields=""):
    """One request on a connection that stays, whose answer says ok."""
    link.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n".encode())
    data = b""
    while not data.endswith((b"ok", b"Hello, World!")):
        part = link.recv(65536)
        assert part, data
        data += part


def answers(demo, count):
    """Its lines of the access log, when there are so many."""
    def lines():
        return [line for line in map(json.loads, demo.log)
                if line["msg"] == "request"]
    until(lambda: len(lines()) >= count)
    return lines()


class CorrelationTest(unittest.TestCase):
    def test_a_line_says_on_which_connection(self):
        with running("--access-log", "1", "--log-format", "json") as demo:
            with demo.connect() as link, demo.connect() as other:
                # The second begins in one worker, and ends in another.
                for path in ("/plaintext", "/blocking?ms=1", "/plaintext"):
                    ask(link, path)
                ask(other, "/plaintext")
                lines = answers(demo, 4)
                peers = ["%s:%u" % (link.getsockname())
                         for link in (link, other)]
        mine = [line for line in lines if line["peer"] == peers[0]]
        self.assertEqual([line["req"] for line in mine], [1, 2, 3])
        self.assertEqual(len({line["conn"] for line in mine}), 1)
        self.assertRegex(mine[0]["conn"], r"^\d+\.\d+\.\d+$")
        theirs = [line for line in lines if line["peer"] == peers[1]]
        self.assertEqual([line["req"] for line in theirs], [1])
        self.assertNotEqual(theirs[0]["conn"], mine[0]["conn"])

    def test_requests_that_are_not_logged_count(self):
        """Each worker counts its own, so there is one."""
        for flags in ((), ("--max-connections", "9")):
            with running("--access-log", "3", "--log-format", "json",
                         "--shards", "1", "--spares", "0", *flags) as demo:
                with demo.connect() as link:
                    for _ in range(6):
                        ask(link, "/plaintext")
                    lines = answers(demo, 2)
            self.assertEqual([line["req"] for line in lines], [3, 6])

    def test_a_trace_goes_on_in_the_log_of_another_server(self):
        flags = ("--access-log", "1", "--log-format", "json")
        with running(*flags) as other:
            with running(*flags, "--upstream",
                         f"127.0.0.1:{other.port}") as demo:
                with demo.connect() as link:
                    for _ in range(2):
                        link.sendall(b"GET /fanout?n=3 HTTP/1.1\r\nHost: a\r\n"
                                     + TRACEPARENT.encode() + b"\r\n")
                        answers(demo, 1)
                    lines = answers(demo, 2)
                asked = answers(other, 6)
        for line in lines:
            self.assertEqual((line["trace_id"], line["parent_id"]),
                             (TRACE, PARENT))
            self.assertRegex(line["span_id"], r"^[0-9a-f]{16}$")
        spans = [line["span_id"] for line in lines]
        self.assertEqual(len({*spans, PARENT}), 3)
        self.assertEqual(sorted(line["parent_id"] for line in asked),
                         sorted(3 * spans))
        self.assertEqual(len({line["span_id"] for line in asked}), 6)
        self.assertEqual({line["trace_id"] for line in asked}, {TRACE})

    def test_without_a_trace_it_is_the_id_of_the_request(self):
        fit = "a-Z_0.9:/+=~" + 52 * "x"
        cases = [
            ("", None),
            (f"X-Request-Id: {fit}\r\n", fit),
            ("x-request-id:  7 \r\n", "7"),
            (f"X-Request-Id: {fit}x\r\n", None),
            ("X-Request-Id:\r\n", None),
            ("X-Request-Id: a b\r\n", None),
            ('X-Request-Id: a"b\r\n', None),
            ("X-Request-Id: a\\b\r\n", None),
            ("X-Request-Id: a\r\nX-Request-Id: a\r\n", None),
            ("X-Request-Id: a\r\n" + TRACEPARENT, None),
            ("X-Request-Id: a\r\ntraceparent: 00-0-0-00\r\n", "a"),
        ]
        with running("--access-log", "1", "--log-format", "json") as demo:
            with demo.connect() as link:
                for fields, _ in cases:
                    ask(link, "/plaintext", fields)
                lines = answers(demo, len(cases))
        for (fields, told), line in zip(cases, lines):
            self.assertEqual(line.get("request_id"), told, fields)
            self.assertEqual("trace_id" in line, TRACE in fields)
        self.assertFalse(set(NAMES) & set(lines[0]))


class LossTest(unittest.TestCase):
    def test_the_counts_are_in_stats_and_metrics(self):
        with running("--access-log", "1") as demo:
            until(lambda: log_counts(demo)["written"] > 5)
            self.assertEqual(log_counts(demo)["lost"], 0)
            text = demo.get("/metrics")[1].decode()
        self.assertRegex(text, r"\nspate_log_lines_total \d+\n")
        for shard, reason in [("none", "full"), ("0", "full"),
                              ("none", "write")]:
            self.assertIn("spate_log_dropped_total"
                          f'{{shard="{shard}",reason="{reason}"}} 0', text)

    def test_what_a_worker_drops_is_its_shards(self):
        """Of a pipeline that is answered in one turn only so many lines find
        room in a ring of two; none of the rest is the other threads'."""
        with running("--access-log", "1", "--log-queue", "2",
                     "--shards", "1", "--workers", "1", "--spares",
                     "0") as demo:
            requests = 300
            with demo.connect() as client:
                client.sendall(b"GET /plaintext HTTP/1.1\r\nHost: a\r\n\r\n"
                               * requests)
                got = b""
                while got.count(b"HTTP/1.1 200") < requests:
                    got += client.recv(65536)
            stats = json.loads(demo.get("/stats")[1])
            text = demo.get("/metrics")[1].decode()
        dropped = stats["shards"][0]["log_dropped"]
        self.assertGreater(dropped, 0)
        self.assertEqual(stats["log"]["dropped"], dropped)
        self.assertIn('spate_log_dropped_total{shard="none",reason="full"} 0',
                      text)

    def serve_without_a_log(self, stderr=None, before=None):
        """Where standard error is of no use, the port is a chosen one."""
        path = f"unix:@spate-log-test-{os.getpid()}"
        process = subprocess.Popen(
            [process_test.DEMO, "--listen", path, "--access-log", "1"],
            stderr=stderr, preexec_fn=before)
        try:
            demo = UnixDemo("\0" + path.removeprefix("unix:@"))
            until(demo.answers)
            until(lambda: log_counts(demo)["lost"] > 5)
            self.assertEqual(log_counts(demo)["written"], 0)
        finally:
            process.terminate()
        self.assertEqual(process.wait(process_test.PATIENCE), 0)

    def test_a_full_disk_harms_nobody(self):
        with open("/dev/full", "wb") as full:
            self.serve_without_a_log(stderr=full)

    def test_a_reader_that_has_gone_harms_nobody(self):
        reader, writer = os.pipe()
        os.close(reader)
        try:
            self.serve_without_a_log(stderr=writer)
        finally:
            os.close(writer)

    def test_a_closed_standard_error_harms_nobody(self):
        self.serve_without_a_log(before=lambda: os.close(2))


class UnixDemo(process_test.Demo):
    """One that was started by somebody else, at a Unix socket."""

    def __init__(self, path):  # pylint: disable=super-init-not-called
        self.path = path

    def connect(self):
        link = process_test.socket.socket(process_test.socket.AF_UNIX)
        link.connect(self.path)
        return link

    def answers(self):
        try:
            return self.get("/livez")[0] == 200
        except OSError:
            return False


if __name__ == "__main__":
    process_test.DEMO = sys.argv.pop(1)
    unittest.main()
