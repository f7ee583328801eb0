#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the demo keeps in memory, and what it gives back.

    tests/e2e/memory_test.py DEMO [NAME]

How much exactly, perf/idle measures; here are the ceilings. A sanitizer has
memory of its own beside the program's, so with one resident memory says
little, and what /stats counts has to do.
"""

import contextlib
import hashlib
import json
import pathlib
import re
import resource
import socket
import struct
import sys

import process_test
from process_test import receive_all, running, until

import unittest

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
IDLE = 10000
PER_SOURCE = 2500  # from one address, so that ports do not end
EACH = 512         # bytes of an idle connection, at most
REQUEST = b"GET /plaintext HTTP/1.1\r\nHost: a\r\n\r\n"
RESET = struct.pack("ii", 1, 0)


def is_sanitized():
    text = pathlib.Path(process_test.DEMO).read_bytes()
    return b"__asan_init" in text or b"__tsan_init" in text


def status_of(demo, name):
    text = pathlib.Path(f"/proc/{demo.process.pid}/status").read_text()
    return int(re.search(rf"{name}:\s*(\d+) kB", text)[1]) * KIB


def counted(demo):
    shards = json.loads(demo.get("/stats")[1])["shards"]
    return sum(shard["memory_bytes"] for shard in shards)


def connections(demo):
    shards = json.loads(demo.get("/stats")[1])["shards"]
    return sum(shard["connections"] for shard in shards)


def ask(link):
    link.sendall(REQUEST)
    return link.recv(4096).startswith(b"HTTP/1.1 200")


@contextlib.contextmanager
def many(demo, count):
    """So many connections, closed without what TIME_WAIT keeps."""
    links = []
    try:
        for number in range(count):
            link = socket.socket()
            links.append(link)
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            link.bind((f"127.0.0.{2 + number // PER_SOURCE}", 0))
            link.connect(("127.0.0.1", demo.port))
            if not ask(link):
                raise AssertionError(f"connection {number} got no answer")
        yield links
    finally:
        for link in links:
            link.close()


class IdleTest(unittest.TestCase):
    """T17."""

    @staticmethod
    def room():
        """As many as descriptors allow."""
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        return min(IDLE, most * 8 // 10)

    def test_idle_connections_are_small_and_come_back(self):
        count = self.room()
        # What the flight recorder keeps is the same, however many there are,
        # and a spare that is woken once keeps what every worker has.
        with running("--shards", "2", "--spares", "0",
                     "--record-events", "1024") as demo:
            with many(demo, 64):
                pass  # what the first ones allocate for all
            until(lambda: connections(demo) == 1)
            resident, known = status_of(demo, "VmRSS"), counted(demo)
            for _ in range(3):
                with many(demo, count) as links:
                    self.assertEqual(connections(demo), count + 1)
                    each = (counted(demo) - known) / count
                    self.assertLess(each, EACH)
                    if not is_sanitized():
                        grown = status_of(demo, "VmRSS") - resident
                        self.assertLess(grown / count, EACH)
                    # They sleep, and are not gone.
                    self.assertTrue(all(ask(link) for link in links[::97]))
                until(lambda: connections(demo) == 1)
            # Places of connections are kept, for the next ones.
            if not is_sanitized():
                until(lambda: status_of(demo, "VmRSS")
                      < resident + count * 128 + 2 * MIB)
            until(lambda: counted(demo) < known + count * 128 + MIB)


class UploadTest(unittest.TestCase):
    SIZE = GIB
    PIECE = bytes(range(256)) * 4096

    def upload(self, demo, field, pieces):
        with demo.connect() as link:
            link.sendall(b"POST /upload HTTP/1.1\r\nHost: a\r\n" + field
                         + b"\r\nConnection: close\r\n\r\n")
            for piece in pieces:
                link.sendall(piece)
            answer = receive_all(link)
        return json.loads(answer.partition(b"\r\n\r\n")[2])

    def wanted(self):
        digest = hashlib.sha256()
        for _ in range(self.SIZE // len(self.PIECE)):
            digest.update(self.PIECE)
        return {"size": self.SIZE, "sha256": digest.hexdigest()}

    def test_a_gibibyte_takes_no_memory(self):
        count = self.SIZE // len(self.PIECE)
        chunk = b"%x\r\n%b\r\n" % (len(self.PIECE), self.PIECE)
        wanted = self.wanted()
        # The sums keep the worker, and a spare has memory of its own.
        with running("--shards", "1", "--spares", "0",
                     "--record-events", "1024") as demo:
            self.upload(demo, b"Content-Length: %d" % len(self.PIECE),
                        [self.PIECE])
            before = status_of(demo, "VmHWM")
            self.assertEqual(wanted, self.upload(
                demo, b"Content-Length: %d" % self.SIZE,
                (self.PIECE for _ in range(count))))
            self.assertEqual(wanted, self.upload(
                demo, b"Transfer-Encoding: chunked",
                (chunk if i < count else b"0\r\n\r\n"
                 for i in range(count + 1))))
            # A sanitizer keeps a while what was freed.
            room = 64 * MIB if is_sanitized() else 4 * MIB
            self.assertLess(status_of(demo, "VmHWM"), before + room)


def main():
    process_test.DEMO = sys.argv.pop(1)
    unittest.main()


if __name__ == "__main__":
    main()
