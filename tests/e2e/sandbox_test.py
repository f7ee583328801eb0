#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a program in its sandbox can still do, and what not.

    SANDBOXED=PROGRAM tests/e2e/sandbox_test.py DEMO [NAME]

PROGRAM is sandboxed.c, whose handlers try what they should not. Where the
build has no seccomp, for it is one with a sanitizer, the rest is tested, and
that this is said.
"""

import ctypes
import functools
import json
import os
import pathlib
import re
import signal
import struct
import sys
import tempfile
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "fault"))

import process_test  # noqa: E402
import script  # noqa: E402
from process_test import UNAVAILABLE, USAGE, receive_all, run, running

SANDBOXED = os.environ.get("SANDBOXED")
SYSCALL_LANDLOCK = 444  # landlock_create_ruleset(), on every CPU


@functools.cache
def lacks():
    """=> Returns what this machine or this build lacks, of two words."""
    with running("--sandbox") as demo:
        return re.findall(r"sandbox: no (Landlock|seccomp):", demo.text())


def needs(word):
    def wrap(test):
        @functools.wraps(test)
        def run_it(self):
            if word in lacks():
                self.skipTest(f"no {word} here")
            test(self)
        return run_it
    return wrap


def refused(demo):
    return json.loads(demo.get("/stats")[1])["process"]["refused_calls"]


def without_landlock():
    """In the child: the call for it fails as on a kernel before 5.13."""
    load, equal, give = 0x20, 0x15, 0x06
    enosys, allow = 0x00050000 | 38, 0x7fff0000
    code = b"".join(struct.pack("=HBBI", *step) for step in [
        (load, 0, 0, 0), (equal, 0, 1, SYSCALL_LANDLOCK),
        (give, 0, 0, enosys), (give, 0, 0, allow)])
    memory = ctypes.create_string_buffer(code)
    program = struct.pack("@HxxxxxxP", 4, ctypes.addressof(memory))
    libc = ctypes.CDLL(None, use_errno=True)
    no_new_privs, set_seccomp, by_filter = 38, 22, 2
    assert libc.prctl(no_new_privs, 1, 0, 0, 0) == 0
    assert libc.prctl(set_seccomp, by_filter, program) == 0


class Program(process_test.Demo):
    """sandboxed.c."""

    def __init__(self, *flags, **settings):
        demo, process_test.DEMO = process_test.DEMO, SANDBOXED
        try:
            super().__init__("--sandbox", *flags, **settings)
        finally:
            process_test.DEMO = demo

    def says(self, path):
        status, body = self.get(path)
        assert status == 200, (path, status)
        return body.decode()

    def __enter__(self):
        return self.wait_ready()

    def __exit__(self, kind, *_):
        if kind is not None:
            sys.stderr.write(self.text())
        code = self.end()
        assert code == 0, code


class RoutesTest(unittest.TestCase):
    """The demo does all that it does, and no call of it is refused."""

    def test_two_hundred_requests_and_whatever_makes_threads(self):
        with script.site(process_test.DEMO, "--sandbox", "--shards", "2",
                         "--workers", "2", upstream=process_test.DEMO
                         ) as demo:
            self.assertTrue(demo.wait_ready())
            self.assertEqual(script.run_script(demo.port), [])
            client = script.Client(demo.port)
            for path in ["/offload?ms=2", "/block?ms=60", "/burn?us=3000",
                         "/stats", "/metrics", "/livez", "/readyz", "/",
                         "/debug/trace?ms=5", "/debug/events?n=5", "/demo"]:
                client.ask(script.get(path, body=None))
            client.ask(script.get("/debug/heap", 501, None))
            client.close()
            stats = demo.quiet_stats()
            self.assertEqual(list(script.counters_complain(stats)), [])
            url = f"http://127.0.0.1:{demo.port}/stats"
            with urllib.request.urlopen(url) as answer:
                process = json.load(answer)["process"]
            self.assertEqual(process["refused_calls"], 0, demo.text())
            self.assertEqual(demo.end(), (0, []))

    def test_a_request_under_way_is_finished(self):
        demo = process_test.Demo("--sandbox").wait_ready()
        with demo.connect() as link:
            link.sendall(b"GET /sleep?ms=300 HTTP/1.1\r\nHost: a\r\n\r\n")
            process_test.until(lambda: sum(
                shard["requests"] for shard in json.loads(
                    demo.get("/stats")[1])["shards"]) >= 2)
            demo.process.send_signal(signal.SIGTERM)
            self.assertTrue(receive_all(link).endswith(b"ok"))
        self.assertEqual(demo.end(None), 0)

    def test_a_unix_socket_is_removed(self):
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/socket"
            demo = process_test.Demo("--sandbox", listen=f"unix:{path}")
            process_test.until(lambda: "unix:" in demo.text())
            self.assertEqual(demo.end(), 0)
            self.assertFalse(os.path.exists(path))

    @unittest.skipIf(os.getuid(), "only root can become somebody else")
    def test_it_goes_with_another_user(self):
        with running("--sandbox", "--user", "12345:12346") as demo:
            self.assertEqual(demo.get("/plaintext")[0], 200)
            self.assertEqual(refused(demo), 0)


class FilesTest(unittest.TestCase):
    @needs("Landlock")
    def test_only_what_is_served_or_named_is_open(self):
        with tempfile.TemporaryDirectory() as mine, \
                tempfile.TemporaryDirectory() as other:
            pathlib.Path(other, "there").write_text("x")
            with Program(env={"SANDBOXED_FOLDER": mine}) as program:
                for path, wanted in [
                        ("/read?/etc/shadow", "EACCES"),
                        ("/read?/etc/passwd", "EACCES"),
                        (f"/read?{other}/there", "EACCES"),
                        (f"/read?/proc/{os.getpid()}/environ", "EACCES"),
                        (f"/write?{other}/new", "EACCES"),
                        (f"/write?{mine}/../new", "EACCES"),
                        ("/write?/etc/host.conf", "EACCES"),
                        (f"/write?{mine}/new", "0"),
                        (f"/read?{mine}/new", "0"),
                        ("/read?/proc/self/stat", "0"),
                        ("/read?/etc/host.conf", "0")]:
                    self.assertEqual(program.says(path), wanted, path)
            with Program("--sandbox=off") as program:
                self.assertEqual(program.says(f"/read?{other}/there"), "0")

    @needs("Landlock")
    def test_names_are_looked_up(self):
        """Of one that /etc/hosts has, and that is not ours to know."""
        hosts = pathlib.Path("/etc/hosts")
        lines = hosts.read_text().splitlines() if hosts.exists() else []
        names = [words[1] for words in map(str.split, lines)
                 if len(words) > 1 and words[0] == "127.0.0.1"
                 and not words[1].startswith("localhost")]
        if not names:
            self.skipTest("/etc/hosts has at most localhost")
        with running("--shards", "1") as demo, Program() as program:
            self.assertEqual(program.says(
                f"/call?http://{names[0]}:{demo.port}/plaintext"), "200")
            self.assertEqual(refused(program), 0)

    def test_a_crash_is_told_of_in_its_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "crash")
            program = Program("--crash-dump", str(path)).wait_ready()
            with program.connect() as link:
                link.sendall(b"GET /crash HTTP/1.1\r\nHost: a\r\n\r\n")
                receive_all(link)
            self.assertNotEqual(program.end(None), 0)
            if "seccomp" not in lacks():  # else a sanitizer is told first
                self.assertEqual(program.process.returncode, -signal.SIGSEGV)
                self.assertIn("handler /crash", path.read_text())


class CallsTest(unittest.TestCase):
    @needs("seccomp")
    def test_what_a_server_need_not_do_fails_and_is_counted(self):
        deeds = ["program", "process", "code", "memory", "listen", "packets",
                 "kill", "ptrace", "limit"]
        with Program() as program:
            self.assertEqual(refused(program), 0)
            for _ in range(2):
                for deed in deeds:
                    self.assertEqual(program.says(f"/do/{deed}"), "EPERM",
                                     deed)
            self.assertEqual(program.says("/do/new"), "ENOSYS")
            self.assertEqual(refused(program), 2 * len(deeds) + 1)
            self.assertIn("spate_sandbox_refused_total 19",
                          program.says("/metrics"))
        # All of the log is there when the program has ended.
        log = program.text()
        # Two of them are socket() and clone(), with other arguments.
        self.assertEqual(log.count("refused, which"), len(deeds) + 1, log)

    def test_without_it_they_are_made(self):
        with Program("--sandbox=off") as program:
            for deed in ["process", "code", "memory", "listen", "limit"]:
                self.assertEqual(program.says(f"/do/{deed}"), "0", deed)


class FlagTest(unittest.TestCase):
    def test_what_is_on_is_in_the_log(self):
        with running("--sandbox") as demo:
            for word, line in [("Landlock", r"Landlock \d+: files"),
                               ("seccomp", r"others than \d+ calls")]:
                (self.assertNotRegex if word in lacks()
                 else self.assertRegex)(demo.text(), f"sandbox: .*{line}")
        with running() as demo:
            self.assertNotIn("sandbox", demo.text())

    def test_another_word_is_usage(self):
        done = run("--sandbox=please")
        self.assertEqual(done.returncode, USAGE)
        self.assertIn("on, require or off", done.stderr)

    def test_without_landlock_it_warns_or_does_not_start(self):
        flags = ["--listen", "127.0.0.1:0"]
        done = run(*flags, "--sandbox=require", limits=without_landlock)
        self.assertEqual(done.returncode, UNAVAILABLE, done.stderr)
        self.assertRegex(done.stderr, "level=error.*no Landlock: Function")
        with running("--sandbox", limits=without_landlock) as demo:
            self.assertRegex(demo.text(), "level=warning.*no Landlock")
            self.assertEqual(demo.get("/plaintext")[0], 200)

    def test_a_variable_is_as_good(self):
        """And who requires what there is gets it."""
        env = {"SPATE_SANDBOX": "require"}
        if not lacks():
            with running(env=env) as demo:
                self.assertIn("seccomp", demo.text())
            return
        done = run("--listen", "127.0.0.1:0", env=env)
        self.assertEqual(done.returncode, UNAVAILABLE, done.stderr)
        self.assertRegex(done.stderr, f"level=error.*no {lacks()[0]}: ")


def main():
    process_test.DEMO = sys.argv.pop(1)
    for program in (process_test.DEMO, SANDBOXED):
        if program is None or not os.access(program, os.X_OK):
            sys.exit(f"{program}: no such program")
    unittest.main()


if __name__ == "__main__":
    main()
