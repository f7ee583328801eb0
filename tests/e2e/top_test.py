#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""spate-top, in a batch and on a terminal, beside a demo.

    tests/e2e/top_test.py DEMO [NAME]

It is in the folder of the demo.
"""

import contextlib
import fcntl
import itertools
import json
import os
import pathlib
import pty
import re
import select
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import unittest

import process_test
from process_test import PATIENCE, running

USAGE, UNAVAILABLE, PROTOCOL = 64, 69, 76
ROWS, COLUMNS = 20, 72


def program():
    return str(pathlib.Path(process_test.DEMO).parent / "spate-top")


def batch(*arguments):
    return subprocess.run([program(), "-b", *arguments], text=True,
                          capture_output=True, timeout=PATIENCE, check=False)


@contextlib.contextmanager
def answering(*answers):
    """A server that says these in turn, and the last of them again."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        def serve():
            with contextlib.suppress(OSError):
                for answer in itertools.chain(
                        answers, itertools.repeat(answers[-1])):
                    link = server.accept()[0]
                    with link:
                        link.recv(65536)
                        link.sendall(answer)
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE)


class BatchTest(unittest.TestCase):
    def test_it_tells_what_was_asked_between_two_looks(self):
        with running("--shards", "2") as demo:
            for _ in range(7):
                demo.get("/plaintext")
            done = batch("-n", "2", "-d", "0.2", f"127.0.0.1:{demo.port}")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertNotIn("\033", done.stdout)
        looks = re.findall(r"^spate .*, ready; 2 shards", done.stdout, re.M)
        self.assertEqual(len(looks), 2)
        self.assertEqual(len(re.findall(
            r"^/plaintext +GET .* 7$", done.stdout, re.M)), 2)
        # A look is a request itself, and the one before has ended.
        rate = re.search(r"^/stats +GET +([\d.]+) ", done.stdout, re.M)
        self.assertGreater(float(rate[1]), 0)

    def test_it_tells_who_waits_for_a_thread(self):
        with running() as demo:
            demo.get("/offload?ms=1")
            done = batch("-n1", "-d0.1", f"127.0.0.1:{demo.port}")
        self.assertRegex(done.stdout, r"(?m)^offload +\d+ +0 +0 +- +0 +0$")
        self.assertRegex(done.stdout, r"(?m)^blocking +\d+ +0 +0 +- +0 +0$")

        def answer(time_ns, begun, wait_us, refused):
            return b"HTTP/1.0 200 OK\r\n\r\n" + json.dumps({
                "schema": 1, "time_ns": time_ns, "shards": [], "routes": [],
                "blocking": {"threads": 16, "queued": 1024, "begun": begun,
                             "wait_us": wait_us, "refused": refused},
            }).encode()
        with answering(answer(1_000_000_000, 100, 500, 7),
                       answer(3_000_000_000, 140, 200_500, 27)) as port:
            done = batch("-n1", "-d0.1", f"127.0.0.1:{port}")
        # 40 in two seconds, which waited for 200 ms in all.
        self.assertRegex(done.stdout,
                         r"(?m)^blocking +16 +1024 +20 +5.00ms +10 +27$")
        # A server that has no such pool does without it.
        self.assertRegex(done.stdout, r"(?m)^offload +0 +0 +0 +- +0 +0$")

    def test_routes_are_sorted_by_what_is_asked(self):
        with running() as demo:
            for path in ("/json", "/json", "/json", "/plaintext"):
                demo.get(path)
            at = f"http://127.0.0.1:{demo.port}/"
            totals = batch("-n1", "-d0.1", "-st", at).stdout
            order = batch("-n1", "-d0.1", "-sn", at).stdout
        self.assertLess(totals.index("/json"), totals.index("/plaintext"))
        self.assertLess(order.index("/plaintext"), order.index("/json"))

    def test_the_admin_listener_may_be_a_unix_socket(self):
        with tempfile.TemporaryDirectory() as folder:
            path = f"unix:{folder}/admin"
            with running("--admin", path):
                done = batch("-n1", "-d0.1", path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("pid", done.stdout)

    def test_what_it_is_given_has_to_make_sense(self):
        for arguments in (["-d", "0"], ["-d", "nan"], ["-d", "1x"],
                          ["-d", ""], ["-n", "0"], ["-n", "-1"],
                          ["-s", "x"], ["-s", ""], ["--what"], ["a", "b"],
                          ["nowhere"], ["127.0.0.1:"], [":80"], ["unix:"],
                          ["1:2:3"], ["127.0.0.1:8o"], ["[::1]"],
                          ["127.0.0.1:80/a b"]):
            done = batch(*arguments)
            self.assertEqual(done.returncode, USAGE, arguments)
            self.assertIn("spate-top: ", done.stderr, arguments)

    def test_who_is_not_there_is_unavailable(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            at = f"127.0.0.1:{free.getsockname()[1]}"
        for place in (at, "unix:/nowhere/at/all"):
            done = batch(place)
            self.assertEqual(done.returncode, UNAVAILABLE)
            self.assertIn(place, done.stderr)

    def test_other_servers_are_told_from_ours(self):
        ok = b"HTTP/1.0 200 OK\r\n\r\n"
        for answer, word in ((b"", "no HTTP"), (b"220 mail\r\n", "no HTTP"),
                             (b"HTTP/1.1 404 No\r\n\r\n", "404"),
                             (ok + b"{", "JSON"), (ok + b"[1]", "schema"),
                             (ok + b'{"schema":2}', "schema")):
            with answering(answer) as port:
                done = batch(f"127.0.0.1:{port}")
            self.assertEqual(done.returncode, PROTOCOL, answer)
            self.assertIn(word, done.stderr)

    def test_names_are_no_commands_to_the_terminal(self):
        answer = (b'HTTP/1.0 200 OK\r\n\r\n{"schema":1,"time_ns":5,'
                  b'"version":"\\u001b[2J","shards":[{}],"process":1,'
                  b'"routes":[{"route":"/\\u001b]0;x\\u0007\\u009b",'
                  b'"methods":"\\n","requests":3,"latency":7}]}')
        with answering(answer) as port:
            done = batch("-n1", "-d0.1", f"127.0.0.1:{port}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("?[2J", done.stdout)
        self.assertIn("/?]0;x?", done.stdout)
        self.assertNotRegex(done.stdout, "[\x00-\x09\x0b-\x1f\x7f-\x9f]")


class Terminal:
    """spate-top on a terminal of ROWS by COLUMNS."""

    def __init__(self, *arguments):
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ,
                    struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.theirs = theirs
        self.before = termios.tcgetattr(theirs)
        self.said = ""
        self.process = subprocess.Popen(
            [program(), *arguments], stdin=theirs, stdout=theirs,
            stderr=theirs, start_new_session=True)

    def until(self, pattern):
        """Read on until what was said since the last time matches."""
        end = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.said, re.S)):
            if time.monotonic() > end:
                raise AssertionError(f"no {pattern}: {self.said!r}")
            if select.select([self.ours], [], [], 0.1)[0]:
                self.said += os.read(self.ours, 65536).decode()
        self.said = self.said[found.end():]
        return found

    def press(self, keys):
        os.write(self.ours, keys.encode())

    def end(self):
        """=> Returns its status; the terminal is as it was."""
        status = self.process.wait(PATIENCE)
        same = termios.tcgetattr(self.theirs) == self.before
        os.close(self.ours)
        os.close(self.theirs)
        assert same, "the terminal is not what it was"
        return status


SCREEN = r"\033\[H(.*?)\033\[J"


class TerminalTest(unittest.TestCase):
    def test_it_stays_within_the_screen_and_obeys_keys(self):
        with running() as demo:
            for path in ("/json", "/json", "/plaintext"):
                demo.get(path)
            top = Terminal("-d3600", f"127.0.0.1:{demo.port}")
            top.until(r"\033\[\?1049h\033\[\?25l")
            screen = top.until(SCREEN)[1]
            lines = re.sub(r"\033\[\d*[a-zA-Z]", "", screen).split("\r\n")
            self.assertLessEqual(len(lines), ROWS)
            self.assertLessEqual(max(map(len, lines)), COLUMNS)
            self.assertIn("ready", lines[0])
            top.press("t")
            screen = top.until(SCREEN)[1]
            self.assertLess(screen.index("/json"),
                            screen.index("/plaintext"))
            top.press("n")
            screen = top.until(SCREEN)[1]
            self.assertLess(screen.index("/plaintext"),
                            screen.index("/json"))
            top.press("-+ ")
            top.until(SCREEN)
            top.press("q")
            top.until(r"\033\[\?25h\033\[\?1049l")
            self.assertEqual(top.end(), 0)

    def test_a_signal_leaves_the_terminal_as_it_was(self):
        with running() as demo:
            top = Terminal("-d3600", f"127.0.0.1:{demo.port}")
            top.until(SCREEN)
            top.process.terminate()
            top.until(r"\033\[\?1049l")
            self.assertEqual(top.end(), 0)

    def test_a_server_that_goes_is_waited_for(self):
        with running() as demo:
            top = Terminal("-d0.1", f"127.0.0.1:{demo.port}")
            top.until(SCREEN)
        top.until("refused; trying again")
        with running(listen=f"127.0.0.1:{demo.port}") as again:
            top.until(f"pid {again.process.pid}")
            top.press("q")
            top.until(r"\033\[\?1049l")
            self.assertEqual(top.end(), 0)

    def test_without_a_terminal_it_says_so(self):
        done = subprocess.run([program()], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, USAGE)
        self.assertIn("--batch", done.stderr)


def main():
    process_test.DEMO = sys.argv.pop(1)
    unittest.main()


if __name__ == "__main__":
    main()
