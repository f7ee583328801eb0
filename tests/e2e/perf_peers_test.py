#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The servers of perf/servers/: are they comparable?

    tests/e2e/perf_peers_test.py BUILD

Each that is here must answer all that it does not say it cannot, with bodies
of the same size and the same headers. Whoever sent more, or less, would be
measured at something else.
"""

import http.client
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "perf" / "lib"))
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

import servers
from perf_tools_test import Settings, free_port

BUILD = None
NEEDED = {"server", "date", "content-type", "content-length"}
ALLOWED = NEEDED | {"connection"}
HELLO = 13

# Of a workload: what it asks for, and how much must come back.
ASKED = {
    "64": ("GET", "/plaintext", HELLO),
    "json": ("GET", "/json", 27),
    "1k": ("GET", "/bytes/1024", 1024),
    "64k": ("GET", "/bytes/65536", 65536),
    "1m": ("GET", "/bytes/1048576", 1048576),
    "post": ("POST", "/discard", HELLO),
    "burn": ("GET", "/burn?us=10", None),
}


class PeersTest(unittest.TestCase):
    def ask(self, link, method, path):
        body = b"y" * 16384 if method == "POST" else None
        link.request(method, path, body)
        answer = link.getresponse()
        content = answer.read()
        names = {name.lower() for name, _ in answer.getheaders()}
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.version, 11)
        self.assertLessEqual(NEEDED, names)
        self.assertLessEqual(names, ALLOWED)
        return content

    def check(self, description):
        # What takes a process of another kind is not asked of this one.
        cannot = {**description.get("cannot", {}),
                  **description.get("variants", {})}
        with servers.Server(description, self.settings,
                            free_port()) as server:
            link = http.client.HTTPConnection("127.0.0.1", server.port,
                                              timeout=20)
            for key, (method, path, size) in ASKED.items():
                if key in cannot:
                    continue
                with self.subTest(server=server.name, workload=key):
                    # All upon one connection, which must not be closed.
                    content = self.ask(link, method, path)
                    if size is not None:
                        self.assertEqual(len(content), size)
                    if key == "64":
                        self.assertEqual(content, b"Hello, World!")
                        kept = link.sock
                    self.assertIs(link.sock, kept)
            link.close()

    def test_each_that_is_here_answers_alike(self):
        self.settings = Settings()
        self.settings.build = BUILD
        checked = 0
        for path in sorted((ROOT / "perf" / "servers").glob("*.json")):
            description = servers.load(str(path))
            self.assertTrue(description.get("about"))
            reason = servers.lacking(description, self.settings)
            if reason:
                print(reason)
                continue
            self.check(description)
            checked += 1
        self.assertGreaterEqual(checked, 2)

    def test_one_that_is_not_here_is_skipped_by_name(self):
        self.settings = Settings()
        reason = servers.lacking({"name": "other", "package": "other-server",
                                  "argv": ["no-such-program"]}, self.settings)
        self.assertIn("other: skipped", reason)
        self.assertIn("apt-get install other-server", reason)


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    servers.guard()
    unittest.main()
