#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Debian's Prometheus scrapes two demos, and answers by shard.

    tests/e2e/prometheus_test.py DEMO [NAME]

It ends after three scrapes of each; SPATE_SCRAPES=60 makes it a minute.
"""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
import urllib.request

import process_test
from process_test import PATIENCE, running, until

SCRAPES = int(os.environ.get("SPATE_SCRAPES", "3"))

CONFIG = """
global:
  scrape_interval: 1s
scrape_configs:
  - job_name: spate
    static_configs:
      - targets: [%s]
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def query(port, expression):
    """=> Returns the rows of an instant query, or [] if it is not up yet."""
    url = (f"http://127.0.0.1:{port}/api/v1/query?"
           + urllib.parse.urlencode({"query": expression}))
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return json.load(answer)["data"]["result"]
    except OSError:
        return []


@contextlib.contextmanager
def prometheus(folder, demos):
    port = free_port()
    config = folder / "prometheus.yml"
    config.write_text(CONFIG % ", ".join(
        f"'127.0.0.1:{demo.port}'" for demo in demos))
    process = subprocess.Popen(
        ["prometheus", f"--config.file={config}",
         f"--storage.tsdb.path={folder / 'data'}",
         f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE)


class ScrapeTest(unittest.TestCase):
    def test_two_instances_are_scraped_and_answer_by_shard(self):
        with contextlib.ExitStack() as stack:
            folder = pathlib.Path(
                stack.enter_context(tempfile.TemporaryDirectory()))
            demos = [stack.enter_context(running("--shards", "2"))
                     for _ in range(2)]
            for demo in demos:
                for _ in range(40):
                    demo.get("/json")
            port = stack.enter_context(prometheus(folder, demos))
            for scrapes in range(1, SCRAPES + 1):
                wanted = f"sum_over_time(up[1h]) >= {scrapes}"
                until(lambda: len(query(port, wanted)) == 2)
            rows = query(port, "sum by (instance, shard) "
                         '(spate_http_requests_total{route="/json"})')
            by_instance = {}
            for row in rows:
                instance = by_instance.setdefault(
                    row["metric"]["instance"], {})
                instance[row["metric"]["shard"]] = float(row["value"][1])
            self.assertEqual(
                [sum(shards.values()) for shards in by_instance.values()],
                [40, 40])
            self.assertEqual(
                {row["metric"]["shard"] for row in query(
                    port, "sum by (shard) (spate_shard_up)")}, {"0", "1"})


def main():
    process_test.DEMO = sys.argv.pop(1)
    unittest.main()


if __name__ == "__main__":
    main()
