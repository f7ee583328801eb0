#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Both directions of a proxied request at once.

    tests/e2e/duplex_test.py DEMO [NAME]

A demo in front of another one, or of a server that does as a test says.
"""

import contextlib
import hashlib
import json
import os
import socket
import struct
import sys
import threading
import unittest

import process_test
from memory_test import counted, is_sanitized
from process_test import PATIENCE, receive_all, running, until

MIB = 1 << 20
RESET = struct.pack("ii", 1, 0)
HEAD = "POST /proxy/echo HTTP/1.1\r\nHost: a\r\n"
CHUNKED = HEAD + "Transfer-Encoding: chunked\r\n\r\n"


def sized(size, fields=""):
    return f"{HEAD}{fields}Content-Length: {size}\r\n\r\n".encode()


def receive_head(link):
    data = b""
    while b"\r\n\r\n" not in data:
        part = link.recv(1)
        if not part:
            raise AssertionError(f"it ends after {data!r}")
        data += part
    return data.decode()


def receive_exactly(link, size):
    data = b""
    while len(data) < size:
        part = link.recv(size - len(data))
        if not part:
            raise AssertionError(f"it ends after {data!r}")
        data += part
    return data


@contextlib.contextmanager
def pair():
    with running("--shards", "1") as back, running(
            "--shards", "1", "--upstream", f"127.0.0.1:{back.port}") as front:
        yield front, back


class Upstream:
    """Serves one connection by a function, in a thread."""

    def __init__(self, serve):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.error = None
        self.thread = threading.Thread(target=self.run, args=(serve,))
        self.thread.start()

    def run(self, serve):
        try:
            self.listener.settimeout(PATIENCE)
            with self.listener.accept()[0] as link:
                link.settimeout(PATIENCE)
                serve(link)
        except Exception as error:  # told by the test
            self.error = error

    def end(self):
        self.thread.join(PATIENCE)
        self.listener.close()
        if self.error:
            raise self.error


@contextlib.contextmanager
def in_front_of(serve):
    upstream = Upstream(serve)
    port = upstream.listener.getsockname()[1]
    with running("--shards", "1", "--upstream", f"127.0.0.1:{port}") as front:
        yield front
        upstream.end()


def waiting(demo):
    shards = json.loads(demo.get("/stats")[1])["shards"]
    return (sum(shard["fibers"]["waiting"] for shard in shards),
            sum(shard["connections"] for shard in shards))


class DuplexTest(unittest.TestCase):
    def echo(self, front, head, pieces, size):
        """=> Returns whether what comes back is what was sent."""
        sent, got, most = hashlib.sha256(), hashlib.sha256(), 0

        def send():
            link.sendall(head)
            for data, framed in pieces:
                sent.update(data)
                link.sendall(framed)

        with front.connect() as link:
            thread = threading.Thread(target=send)
            thread.start()
            answer = receive_head(link)
            self.assertIn(" 200 ", answer)
            chunked = "chunked" in answer.lower()
            reader = link.makefile("rb")
            left = size
            while left or chunked:
                part = int(reader.readline(), 16) if chunked else min(
                    left, 65536)
                got.update(reader.read(part))
                left -= part
                if chunked:
                    reader.readline()
                if chunked and part == 0:
                    break
                if left % (16 * MIB) < 65536:
                    most = max(most, counted(front))
            thread.join()
        self.assertEqual(sent.digest(), got.digest())
        return most

    def test_a_large_echo_takes_no_memory(self):
        count = 16 if is_sanitized() else 100
        piece = os.urandom(MIB)
        with pair() as (front, _):
            before = counted(front)
            for head, framed in (
                    (sized(count * MIB), piece),
                    (CHUNKED.encode(), b"100000\r\n" + piece + b"\r\n")):
                pieces = [(piece, framed)] * count
                if framed != piece:
                    pieces += [(b"", b"0\r\n\r\n")]
                most = self.echo(front, head, pieces, count * MIB)
                self.assertLess(most - before, 4 * MIB)

    def test_each_piece_comes_back_before_the_next_is_sent(self):
        with pair() as (front, _), front.connect() as link:
            link.sendall(CHUNKED.encode())
            for i in range(50):
                text = b"x" * (i + 1)
                link.sendall(b"%x\r\n%s\r\n" % (len(text), text))
                if i == 0:
                    self.assertIn("chunked", receive_head(link).lower())
                line = b"%x\r\n" % len(text)
                self.assertEqual(receive_exactly(link, len(line)), line)
                self.assertEqual(
                    receive_exactly(link, len(text) + 2), text + b"\r\n")
            link.sendall(b"0\r\n\r\n")
            self.assertEqual(receive_exactly(link, 5), b"0\r\n\r\n")

    def test_the_connection_is_kept_after_both_have_ended(self):
        with pair() as (front, _), front.connect() as link:
            for _ in range(3):
                link.sendall(CHUNKED.encode()
                             + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
                receive_head(link)
                body = b""
                while not body.endswith(b"0\r\n\r\n"):
                    body += link.recv(100)
                link.sendall(sized(5) + b"12345")
                self.assertIn("Content-Length: 5", receive_head(link))
                self.assertEqual(receive_exactly(link, 5), b"12345")
            shard = json.loads(front.get("/stats")[1])["shards"][0]
            connects = shard["upstream_connects"]
            self.assertEqual(connects + shard["upstream_reused"], 6)
            # One that somebody looks at, for a late edge, is not waited for.
            self.assertLessEqual(connects, 3)

    def test_who_refuses_a_body_need_not_read_it(self):
        def serve(link):
            receive_head(link)
            link.sendall(b"HTTP/1.1 413 Content Too Large\r\n"
                         b"Content-Length: 4\r\n\r\nlots")
            done.wait(PATIENCE)

        done = threading.Event()
        with in_front_of(serve) as front, front.connect() as link:
            link.sendall(sized(50 * MIB) + b"x" * 100000)
            self.assertIn(" 413 ", receive_head(link))
            self.assertEqual(receive_exactly(link, 4), b"lots")
            done.set()

    def test_who_has_left_may_have_answered(self):
        def serve(link):
            receive_head(link)
            link.sendall(b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\n"
                         b"Content-Length: 2\r\n\r\nno")

        with in_front_of(serve) as front, front.connect() as link:
            link.sendall(sized(50 * MIB))
            self.assertIn(" 403 ", receive_head(link))
            self.assertEqual(receive_exactly(link, 2), b"no")

    def test_interim_heads_come_before_the_body_goes(self):
        def serve(link):
            receive_head(link)
            link.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 10")
            body = receive_exactly(link, 300000)
            link.sendall(b"3 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n"
                         b"Content-Length: 6\r\n\r\n%06d" % len(body))

        with in_front_of(serve) as front, front.connect() as link:
            link.sendall(sized(300000, "Expect: 100-continue\r\n"))
            self.assertIn(" 100 ", receive_head(link))
            link.sendall(b"x" * 300000)
            self.assertIn(" 200 ", receive_head(link))
            self.assertEqual(receive_exactly(link, 6), b"300000")

    def test_who_leaves_without_an_answer_is_a_bad_gateway(self):
        def serve(link):
            receive_head(link)
            receive_exactly(link, 1000)
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

        with in_front_of(serve) as front, front.connect() as link:
            link.sendall(sized(50 * MIB) + b"x" * 100000)
            self.assertIn(" 502 ", receive_head(link))

    def test_an_answer_that_is_cut_is_cut_in_the_middle_of_a_body(self):
        def serve(link):
            receive_head(link)
            link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc")
            receive_exactly(link, 1000)

        with in_front_of(serve) as front, front.connect() as link:
            link.sendall(sized(50 * MIB))
            self.assertIn(" 200 ", receive_head(link))
            self.assertEqual(receive_exactly(link, 3), b"abc")
            link.sendall(b"x" * 1000)
            with contextlib.suppress(ConnectionError):
                self.assertEqual(receive_all(link), b"")

    def test_a_client_may_leave_while_both_are_under_way(self):
        with pair() as (front, back):
            for reset in (True, False) * 5:
                with front.connect() as link:
                    link.sendall(sized(50 * MIB) + b"x" * MIB)
                    receive_head(link)
                    receive_exactly(link, 100000)
                    if reset:
                        link.setsockopt(
                            socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            for demo in (front, back):
                until(lambda at=demo: waiting(at) == (0, 1))

    def test_a_client_that_takes_nothing_holds_both_up(self):
        """What it has not taken is in the kernel's buffers, and not here."""
        with pair() as (front, _), front.connect() as link:
            before = counted(front)
            link.setblocking(False)
            link.send(sized(500 * MIB))
            sent = stuck = 0
            while stuck < 20:
                try:
                    sent += link.send(b"x" * 65536)
                    stuck = 0
                except BlockingIOError:
                    stuck += 1
                    threading.Event().wait(0.02)
            self.assertLess(sent, 100 * MIB)
            self.assertLess(counted(front) - before, 4 * MIB)


if __name__ == "__main__":
    process_test.DEMO = sys.argv.pop(1)
    unittest.main()
