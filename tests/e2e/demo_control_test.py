#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the buttons of the demo's page do, and what they do not.

    tests/e2e/demo_control_test.py DEMO [NAME]

The page itself is for tests/browser.
"""

import json
import signal
import sys
import unittest

import process_test
from process_test import receive_all, running, until


def ask(demo, method, path, *fields):
    with demo.connect() as link:
        head = "\r\n".join([f"{method} {path} HTTP/1.1",
                            f"Host: 127.0.0.1:{demo.port}",
                            "Connection: close", *fields])
        link.sendall(head.encode() + b"\r\n\r\n")
        answer, _, body = receive_all(link).partition(b"\r\n\r\n")
        return int(answer.split()[1]), body


def state(demo):
    status, body = ask(demo, "GET", "/demo")
    assert status == 200, status
    return json.loads(body)


def connections(demo):
    shards = json.loads(demo.get("/stats")[1])["shards"]
    return [shard["connections"] for shard in shards]


class ButtonsTest(unittest.TestCase):
    def test_one_runs_at_a_time_and_ends_by_itself(self):
        with running("--shards", "2") as demo:
            self.assertIsNone(state(demo)["running"])
            status, body = ask(demo, "POST", "/demo/block")
            self.assertEqual(status, 202)
            self.assertEqual(json.loads(body)["running"], "block")
            self.assertEqual(ask(demo, "POST", "/demo/load")[0], 409)
            until(lambda: state(demo)["running"] is None)
            found = state(demo)
        self.assertEqual(found["last"], "block")
        self.assertEqual(found["failed"], 0)
        self.assertGreater(found["answers"], 8)
        self.assertEqual(found["left_ms"], 0)

    def test_a_shard_can_be_made_hot(self):
        with running("--shards", "2") as demo:
            self.assertEqual(ask(demo, "POST", "/demo/hot")[0], 202)
            until(lambda: state(demo)["answers"] > 100)
            self.assertGreaterEqual(connections(demo)[0], 16)
            # Those that were opened on the way are closed by and by.
            until(lambda: connections(demo)[1] < 16)

    def test_a_load_under_way_ends_with_the_server(self):
        with running("--shards", "2") as demo:
            ask(demo, "POST", "/demo/load")
            until(lambda: state(demo)["answers"] > 0)
            self.assertEqual(demo.end(signal.SIGTERM), 0)

    def test_pages_of_other_sites_begin_nothing(self):
        with running() as demo:
            here = f"127.0.0.1:{demo.port}"
            for fields in (["Origin: http://evil.example"],
                           ["Origin: null"],
                           ["Origin: http://"],
                           [f"Origin: http://{here}.evil.example"],
                           [f"Origin: ftp://{here}"],
                           ["Sec-Fetch-Site: cross-site"],
                           ["Sec-Fetch-Site: same-site"],
                           [f"Origin: http://{here}",
                            "Sec-Fetch-Site: cross-site"]):
                self.assertEqual(
                    ask(demo, "POST", "/demo/load", *fields)[0], 403, fields)
            self.assertIsNone(state(demo)["last"])
            self.assertEqual(
                ask(demo, "POST", "/demo/load", f"Origin: http://{here}",
                    "Sec-Fetch-Site: same-origin")[0], 202)

    def test_what_is_no_button_is_not_found(self):
        with running("--shards", "1") as demo:
            self.assertEqual(ask(demo, "POST", "/demo/reboot")[0], 404)
            self.assertEqual(ask(demo, "POST", "/demo/loadx")[0], 404)
            self.assertEqual(ask(demo, "GET", "/demo/load")[0], 405)
            self.assertEqual(ask(demo, "GET", "/demo/shard"), (200, b"0"))


if __name__ == "__main__":
    process_test.DEMO = sys.argv.pop(1)
    unittest.main()
