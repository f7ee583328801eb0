#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The demo as a process: flags, signals, exit codes, descriptors.

    tests/e2e/process_test.py DEMO [NAME]

Ports are free ones: the demo says in its log which one it has got.
"""

import contextlib
import json
import os
import pathlib
import pwd
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

DEMO = None
PATIENCE = 60
USAGE, UNAVAILABLE, CONFIG, NOPERM = 64, 69, 78, 77
READY = re.compile(r"port (\d+)")


class Demo:
    """A running demo; its log is read to the end by a thread."""

    def __init__(self, *flags, env=None, limits=None, listen="127.0.0.1:0",
                 program=None):
        arguments = [*(program or [DEMO]),
                     *(["--listen", listen] if listen else []), *flags]
        self.process = subprocess.Popen(
            arguments, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **(env or {})},
            preexec_fn=limits)
        self.log = []
        self.ready = threading.Event()
        self.port = None
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            self.log.append(line)
            found = READY.search(line)
            if found and self.port is None:
                self.port = int(found[1])
                self.ready.set()
        self.ready.set()

    def wait_ready(self):
        self.ready.wait(PATIENCE)
        if self.port is None:
            raise AssertionError("".join(self.log))
        return self

    def end(self, number=signal.SIGTERM):
        """number None: it has been told already."""
        if number is not None and self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        self.process.stderr.close()
        return code

    def text(self):
        return "".join(self.log)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE)

    def get(self, path):
        with self.connect() as link:
            link.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n"
                         "Connection: close\r\n\r\n".encode())
            data = receive_all(link)
        head, _, body = data.partition(b"\r\n\r\n")
        return int(head.split()[1]), body

    def descriptors(self):
        folder = pathlib.Path(f"/proc/{self.process.pid}/fd")
        links = []
        for entry in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                links.append(os.readlink(entry))
        return links

    def cpu_seconds(self):
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def receive_all(link):
    data = b""
    while part := link.recv(65536):
        data += part
    return data


@contextlib.contextmanager
def running(*flags, **settings):
    demo = Demo(*flags, **settings)
    try:
        yield demo.wait_ready()
    except BaseException:
        sys.stderr.write(demo.text())
        demo.end(signal.SIGKILL)
        raise
    code = demo.end()
    if code != 0:
        raise AssertionError(f"ended with {code}: {demo.text()}")


def run(*flags, env=None, limits=None, program=None):
    return subprocess.run([program or DEMO, *flags],
                          capture_output=True, text=True,
                          env={**os.environ, **(env or {})}, timeout=PATIENCE,
                          preexec_fn=limits, check=False)


def until(condition):
    """Wait for something that has no event to wait for."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it does not happen")
        time.sleep(0.01)


class FlagsTest(unittest.TestCase):
    def test_help(self):
        done = run("--help")
        self.assertEqual(done.returncode, 0)
        for flag in ["listen", "shards", "workers", "spares",
                     "max-connections", "log-level", "files", "upstream"]:
            self.assertIn("--" + flag, done.stdout)
        self.assertIn("SPATE_", done.stdout)

    def test_version(self):
        done = run("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^spate \d+\.\d+\.\d+\n$")

    def test_a_bad_flag_is_usage(self):
        for flags in [["--nonsense"], ["--shards", "x"], ["--shards", "-1"],
                      ["--shards"], ["--log-level", "loud"],
                      ["--listen", "nonsense"], ["--listen", "host:80"],
                      ["--listen", "127.0.0.1:65536"],
                      ["--max-connections", "99999999999"], ["--shards", ""],
                      ["operand"]]:
            with self.subTest(flags=flags):
                done = run(*flags)
                self.assertEqual(done.returncode, USAGE, done.stderr)
                self.assertTrue(done.stderr)
                self.assertEqual(done.stdout, "")

    def test_a_bad_variable_is_usage(self):
        done = run(env={"SPATE_SHARDS": "many"})
        self.assertEqual(done.returncode, USAGE)
        self.assertIn("many", done.stderr)

    def test_values_out_of_range_are_refused_in_one_line(self):
        for flags in [["--shards", "100000"], ["--workers", "0"],
                      ["--workers", "5000"], ["--spares", "4294967295"],
                      ["--log-queue", "1"]]:
            with self.subTest(flags=flags):
                done = run("--listen", "127.0.0.1:0", *flags)
                self.assertIn(done.returncode, (USAGE, CONFIG), done.stderr)
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
                name = flags[0].strip("-").replace("-", "_")
                self.assertIn(name, done.stderr)

    def test_a_flag_of_the_demo_wants_its_value(self):
        for flag in ["--files", "--upstream"]:
            done = run("--listen", "127.0.0.1:0", flag)
            self.assertEqual(done.returncode, USAGE, done.stderr)
            self.assertRegex(done.stderr, f"^spate-demo: {flag} wants a value")

    def test_variables_are_read_and_flags_win(self):
        env = {"SPATE_LISTEN": "127.0.0.1:0", "SPATE_SHARDS": "3",
               "SPATE_WORKERS": "2", "SPATE_MAX_CONNECTIONS": "77",
               "SPATE_LOG_LEVEL": "info", "SPATE_SPARES": "0"}
        with running(env=env, listen=None) as demo:
            self.assertRegex(demo.text(), r"3 shards, 2 workers.*77")
            self.assertEqual(demo.get("/plaintext")[0], 200)
        with running("--shards", "1", env=env) as demo:
            self.assertRegex(demo.text(), r"1 shards, 2 workers")


def identity(task):
    """The lines of /proc/PID/task/TID/status that say who it is."""
    return {key: value.split() for key, _, value in (
        line.partition(":") for line in
        (task / "status").read_text().splitlines())
        if key in ("Uid", "Gid", "Groups", "CapPrm", "CapEff", "CapAmb",
                   "NoNewPrivs", "Name")}


class UserTest(unittest.TestCase):
    @staticmethod
    def for_anybody(folder):
        """Somebody else may not come to where the program is, or the
        suppressions of its sanitizer. => Returns program and environment."""
        program = shutil.copy(DEMO, folder)
        os.chmod(folder, 0o755)
        options = re.sub(
            "(?<=suppressions=)[^:]+",
            lambda found: shutil.copy(found[0].strip("'"), folder),
            os.environ.get("TSAN_OPTIONS", ""))
        return program, {"TSAN_OPTIONS": options}

    def test_unknown(self):
        for text in ["nobody-here", "", ":", "nobody:no-such-group",
                     "4294967295:0", "1x"]:
            done = run("--listen", "127.0.0.1:0", "--user", text)
            self.assertEqual(done.returncode, USAGE, text)
            self.assertIn("USER:GROUP", done.stderr)

    def test_only_root_can(self):
        with tempfile.TemporaryDirectory() as folder:
            program, env = self.for_anybody(folder)
            done = run("--listen", "127.0.0.1:0", "--user", "12345:12345",
                       limits=lambda: os.getuid() or os.setuid(54321),
                       program=program, env=env)
        self.assertEqual(done.returncode, NOPERM)
        self.assertIn("--user", done.stderr)

    def has_no_capability(self, who):
        for kind in ("CapPrm", "CapEff", "CapAmb"):
            self.assertEqual(int(who[kind][0], 16), 0, who)

    @unittest.skipIf(os.getuid(), "only root can become somebody else")
    def test_who_was_given_capabilities_keeps_none(self):
        """As by a supervisor's AmbientCapabilities, for a port below 1024."""
        given = ["setpriv", "--reuid", "nobody", "--clear-groups",
                 "--regid", str(pwd.getpwnam("nobody").pw_gid),
                 "--inh-caps", "+net_bind_service",
                 "--ambient-caps", "+net_bind_service"]
        with tempfile.TemporaryDirectory() as folder:
            program, env = self.for_anybody(folder)
            with running("--user", "nobody", program=[*given, program],
                         env=env) as demo:
                for task in pathlib.Path(
                        f"/proc/{demo.process.pid}/task").iterdir():
                    self.has_no_capability(identity(task))

    @unittest.skipIf(os.getuid(), "only root can become somebody else")
    def test_every_thread_is_somebody_else(self):
        """The socket was made where that user may not write."""
        nobody = pwd.getpwnam("nobody")
        for text, uid, gid in [
                ("nobody", nobody.pw_uid, nobody.pw_gid),
                ("nobody:12346", nobody.pw_uid, 12346),
                ("12345:12346", 12345, 12346)]:
            with running("--user", text,
                         limits=lambda: os.setgroups([0, 54321])) as demo:
                self.assertEqual(demo.get("/plaintext")[0], 200)
                tasks = list(pathlib.Path(
                    f"/proc/{demo.process.pid}/task").iterdir())
                self.assertGreater(len(tasks), 1)
                for task in tasks:
                    who = identity(task)
                    self.assertEqual(who["Uid"], [str(uid)] * 4, who)
                    self.assertEqual(who["Gid"], [str(gid)] * 4, who)
                    self.assertNotIn("0", who["Groups"], who)
                    self.assertNotIn("54321", who["Groups"], who)
                    self.has_no_capability(who)
                    if who["Name"][0].startswith("spate/"):
                        self.assertEqual(who["NoNewPrivs"], ["1"], who)
                process = json.loads(demo.get("/stats")[1])["process"]
                self.assertGreater(process["descriptors"], 0)

    @unittest.skipIf(os.getuid(), "only root can become somebody else")
    def test_sockets_are_made_before(self):
        with tempfile.TemporaryDirectory() as folder:  # of mode 0700
            path = f"{folder}/socket"
            demo = Demo("--user", "nobody", listen=f"unix:{path}")
            try:
                until(lambda: os.path.exists(path) or demo.ready.is_set())
                until(lambda: "unix:" in demo.text())
            finally:
                self.assertEqual(demo.end(), 0)


class AddressTest(unittest.TestCase):
    def test_a_busy_port_is_one_line(self):
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            address = "127.0.0.1:%d" % other.getsockname()[1]
            done = run("--listen", address)
        self.assertEqual(done.returncode, UNAVAILABLE)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(address, done.stderr)

    def test_a_port_of_another_demo_is_busy(self):
        with running("--shards", "2") as demo:
            done = run("--listen", f"127.0.0.1:{demo.port}", "--shards", "2")
            self.assertEqual(done.returncode, UNAVAILABLE)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertEqual(demo.get("/plaintext")[0], 200)

    def test_an_address_of_elsewhere_is_unavailable(self):
        done = run("--listen", "192.0.2.1:0")
        self.assertEqual(done.returncode, UNAVAILABLE)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_a_unix_socket_comes_and_goes(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "socket")
            with running("--shards", "2", listen="unix:" + path):
                for _ in range(10):
                    with socket.socket(socket.AF_UNIX) as link:
                        link.settimeout(PATIENCE)
                        link.connect(path)
                        link.sendall(b"GET /json HTTP/1.1\r\nHost: a\r\n"
                                     b"Connection: close\r\n\r\n")
                        self.assertIn(b"Hello", receive_all(link))
            self.assertFalse(os.path.exists(path))

    def test_a_unix_socket_of_who_was_killed_is_replaced(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "socket")
            for number, is_left in ((signal.SIGKILL, True),
                                    (signal.SIGKILL, True),
                                    (signal.SIGTERM, False)):
                demo = Demo("--shards", "2", listen="unix:" + path)
                demo.wait_ready()
                with socket.socket(socket.AF_UNIX) as link:
                    link.connect(path)
                demo.end(number)
                self.assertEqual(os.path.exists(path), is_left)

    def test_a_unix_socket_that_is_in_use_is_left_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "socket")
            with running("--shards", "2", listen="unix:" + path):
                done = run("--listen", "unix:" + path)
                self.assertEqual(done.returncode, UNAVAILABLE)
                with socket.socket(socket.AF_UNIX) as link:
                    link.connect(path)
            pathlib.Path(path).write_text("mine")
            done = run("--listen", "unix:" + path)
            self.assertEqual(done.returncode, UNAVAILABLE)
            self.assertEqual(pathlib.Path(path).read_text(), "mine")

    def test_a_unix_socket_goes_when_the_start_fails(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "socket")
            done = run("--listen", "unix:" + path, "--admin", "192.0.2.1:1")
            self.assertEqual(done.returncode, UNAVAILABLE)
            self.assertFalse(os.path.exists(path))

    def test_who_drains_leaves_the_unix_socket_of_the_next(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "socket")
            first = Demo("--shards", "2", listen="unix:" + path).wait_ready()
            with socket.socket(socket.AF_UNIX) as busy:
                busy.settimeout(PATIENCE)
                busy.connect(path)
                busy.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\n"
                             b"Expect: 100-continue\r\n"
                             b"Content-Length: 2\r\n\r\n")
                self.assertIn(b"100 Continue", busy.recv(65536))
                first.process.send_signal(signal.SIGTERM)
                until(lambda: not os.path.exists(path))
                with running("--shards", "2", listen="unix:" + path):
                    busy.sendall(b"ok")
                    self.assertTrue(receive_all(busy).endswith(b"ok"))
                    self.assertEqual(first.end(None), 0)
                    with socket.socket(socket.AF_UNIX) as link:
                        link.connect(path)

    def test_ipv6(self):
        try:
            with socket.socket(socket.AF_INET6) as probe:
                probe.bind(("::1", 0))
        except OSError:
            self.skipTest("no ::1 here")
        with running(listen="[::1]:0") as demo:
            with socket.create_connection(("::1", demo.port)) as link:
                link.sendall(b"GET /json HTTP/1.1\r\nHost: [::1]\r\n"
                             b"Connection: close\r\n\r\n")
                self.assertIn(b"Hello", receive_all(link))


class SignalTest(unittest.TestCase):
    def test_both_signals_stop(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            demo = Demo("--shards", "2").wait_ready()
            self.assertEqual(demo.get("/plaintext")[0], 200)
            self.assertEqual(demo.end(number), 0)

    def test_a_request_under_way_is_finished(self):
        demo = Demo("--shards", "1").wait_ready()
        with demo.connect() as link:
            link.sendall(b"GET /burn?us=1000000 HTTP/1.1\r\nHost: a\r\n\r\n")
            until(lambda: self.requests(demo) >= 2)
            demo.process.send_signal(signal.SIGTERM)
            data = receive_all(link)
        self.assertIn(b" 200 OK", data)
        self.assertIn(b"Connection: close", data)
        self.assertTrue(data.endswith(b"ok"))
        self.assertEqual(demo.end(None), 0)

    @staticmethod
    def requests(demo):
        """By a watcher's help, though the only worker is busy."""
        stats = json.loads(demo.get("/stats")[1])
        return sum(shard["requests"] for shard in stats["shards"])

    def test_a_second_signal_ends_at_once(self):
        demo = Demo("--shards", "2").wait_ready()
        with demo.connect() as link:
            link.sendall(b"GET /plaintext HT")
            # So that the half head has been read.
            until(lambda: sum(
                shard["bytes_in"] for shard in json.loads(
                    demo.get("/stats")[1])["shards"]) > 16)
            with demo.connect() as idle:
                demo.process.send_signal(signal.SIGTERM)
                self.assertEqual(idle.recv(1), b"")
            self.assertIsNone(demo.process.poll())
            self.assertEqual(demo.end(signal.SIGTERM), -signal.SIGTERM)

    def test_a_signal_while_it_starts_ends_it(self):
        """At any moment: by default before, cleanly after it has started."""
        for i in range(20):
            demo = Demo("--shards", "2", "--workers", "2")
            if i % 4 == 3:
                demo.ready.wait(PATIENCE)
            else:
                time.sleep(0.003 * i)
            demo.process.send_signal(signal.SIGTERM)
            code = demo.process.wait(PATIENCE)
            self.assertIn(code, (0, -signal.SIGTERM), demo.text())
            if demo.port is not None or i % 4 == 3:
                demo.reader.join(PATIENCE)
                self.assertEqual(code, 0, demo.text())
            demo.end(None)


class DescriptorsTest(unittest.TestCase):
    def test_two_shards_have_two_epolls(self):
        with running("--shards", "2") as demo:
            links = demo.descriptors()
            self.assertEqual(links.count("anon_inode:[eventpoll]"), 2)
            self.assertEqual(links.count("anon_inode:[eventfd]"), 2)

    def test_the_limit_is_raised(self):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        low = min(hard, 1024)

        def lower():
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, low))

        with running("--shards", "1", limits=lower) as demo:
            limit = resource.prlimit(demo.process.pid,
                                     resource.RLIMIT_NOFILE)
            self.assertEqual(limit, (low, low))

    def test_out_of_descriptors_it_waits_and_recovers(self):
        with running("--shards", "2") as demo:
            self.assertEqual(demo.get("/plaintext")[0], 200)
            limit = max(64, len(demo.descriptors()) + 8)
            hard = resource.prlimit(demo.process.pid,
                                    resource.RLIMIT_NOFILE)[1]
            resource.prlimit(demo.process.pid, resource.RLIMIT_NOFILE,
                             (limit, hard))
            with contextlib.ExitStack() as stack:
                links = [stack.enter_context(demo.connect())
                         for _ in range(limit + 20)]
                until(lambda: len(demo.descriptors()) >= limit - 2)
                before = demo.cpu_seconds()
                time.sleep(1)
                used = demo.cpu_seconds() - before
                self.assertLess(used, 0.5)  # a loop would use all of it
                # Who is in is served.
                links[0].sendall(b"GET /json HTTP/1.1\r\nHost: a\r\n\r\n")
                self.assertIn(b"Hello", links[0].recv(4096))
            until(lambda: len(demo.descriptors()) < limit / 2)
            status, body = demo.get("/stats")
            self.assertEqual(status, 200)
            shards = json.loads(body)["shards"]
            self.assertGreater(
                sum(shard["accept_errors_emfile"] for shard in shards), 0)
            for shard in shards:
                self.assertEqual(
                    shard["accept_errors"],
                    sum(count for key, count in shard.items()
                        if key.startswith("accept_errors_")))


SHARD = ["id", "cpu", "connections", "accepted", "requests", "responses",
         "bytes_in", "bytes_out", "polls", "events", "stale_events",
         "breaks_sent", "breaks_coalesced", "ready_lists", "ready_published",
         "stolen", "ring_depth", "memory_bytes", "limited", "limited_peer",
         "limited_head", "limited_fields", "limited_target", "limited_body",
         "limited_unread", "limited_memory", "limited_pipeline",
         "limited_outq", "timeouts"]


class StatsTest(unittest.TestCase):
    def test_it_is_json_with_all_its_fields(self):
        with running("--shards", "2") as demo:
            status, body = demo.get("/stats")
            self.assertEqual(status, 200)
            stats = json.loads(body)
            self.assertGreaterEqual(stats["uptime_seconds"], 0)
            self.assertRegex(stats["version"], r"^\d+\.\d+\.\d+$")
            self.assertEqual([shard["id"] for shard in stats["shards"]],
                             [0, 1])
            for shard in stats["shards"]:
                for name in SHARD:
                    self.assertIn(name, shard)
                for status in ("2xx", "3xx", "4xx", "5xx"):
                    self.assertIn(status, shard["responses"])
                self.assertGreater(shard["memory_bytes"], 0)

    def test_it_adds_up(self):
        with running("--shards", "2") as demo:
            # All are there at once, so that both shards get some.
            links = [demo.connect() for _ in range(16)]

            def ask(link, count):
                with link:
                    stream = link.makefile("rb")
                    for i in range(count):
                        path = b"/plaintext" if i % 3 else b"/nowhere"
                        link.sendall(b"GET " + path
                                     + b" HTTP/1.1\r\nHost: a\r\n\r\n")
                        self.read_answer(stream)

            threads = [threading.Thread(target=ask, args=(link, 30 + i))
                       for i, link in enumerate(links)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            shards = json.loads(demo.get("/stats")[1])["shards"]
            total = sum(range(30, 46))
            lost = sum((30 + i + 2) // 3 for i in range(16))

            # The request for this is counted, its answer not yet.
            self.assertEqual(sum(s["requests"] for s in shards), total + 1)
            self.assertEqual(sum(s["responses"]["2xx"] for s in shards),
                             total - lost)
            self.assertEqual(sum(s["responses"]["4xx"] for s in shards), lost)
            self.assertEqual(sum(s["accepted"] for s in shards), 17)

    @staticmethod
    def read_answer(stream):
        length = 0
        while (line := stream.readline().strip()):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        stream.read(length)


def main():
    global DEMO
    DEMO = sys.argv.pop(1)
    if not os.access(DEMO, os.X_OK):
        sys.exit(f"{DEMO}: no such program")
    unittest.main()


if __name__ == "__main__":
    main()
