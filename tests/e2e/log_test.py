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
          "queue_us", "run_us", "parked_us", "blocked_us", "shard"]


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
