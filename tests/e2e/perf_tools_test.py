#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The tools that measure: do they count what is there?

    tests/e2e/perf_tools_test.py BUILD

Nothing here is timed. The floor must answer every blank line, however the
bytes arrive, and spate-bench must account for every request it made.
"""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import types
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "perf" / "lib"))

import claims
import counted
import load
import placement
import servers
import settings as config
import step
import syscalls
import workloads
import wrk

BUILD = None
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Settings:
    server_cpus = [min(config.os.sched_getaffinity(0))]

    def __init__(self):
        self.build = BUILD


def floor(*arguments):
    return servers.Server(servers.load("floor"), Settings(), free_port(),
                          arguments=arguments)


def bench(*arguments):
    """=> Returns the exit status and the report."""
    done = subprocess.run(
        [str(BUILD / "spate-bench"), "--json", *map(str, arguments)],
        capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout or "null")


def receive(link, size):
    data = b""
    while len(data) < size:
        part = link.recv(65536)
        if not part:
            break
        data += part
    return data


def answer_with_a_pause(listener, before, seconds):
    """One connection; after so many answers nothing for a while."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    link, _ = listener.accept()
    answered, left = 0, b""
    with link:
        while data := link.recv(65536):
            *requests, left = (left + data).split(b"\r\n\r\n")
            for _ in requests:
                if answered == before:
                    time.sleep(seconds)
                link.sendall(answer)
                answered += 1


class FloorTest(unittest.TestCase):
    def test_blank_lines_are_found_in_pieces_of_every_size(self):
        with floor() as server:
            size = server.answer_size()
            for piece in range(1, 2 * len(REQUEST) + 1):
                stream = REQUEST * 3
                with socket.create_connection(
                        ("127.0.0.1", server.port), 10) as link:
                    link.setsockopt(
                        socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    for at in range(0, len(stream), piece):
                        link.sendall(stream[at:at + piece])
                    link.shutdown(socket.SHUT_WR)
                    self.assertEqual(len(receive(link, 4 * size)), 3 * size)

    def test_requests_of_every_length_around_a_block(self):
        with floor() as server:
            size = server.answer_size()
            for fill in range(140):
                request = b"GET /" + b"x" * fill + b" HTTP/1.1\r\n\r\n"
                with socket.create_connection(
                        ("127.0.0.1", server.port), 10) as link:
                    link.sendall(request * 5)
                    self.assertEqual(len(receive(link, 5 * size)), 5 * size)

    def test_answers_that_a_send_did_not_take_come_later(self):
        count = 100000
        with floor() as server:
            answer = server.answer_size()
            with socket.create_connection(
                    ("127.0.0.1", server.port), 30) as link:
                sender = threading.Thread(
                    target=link.sendall, args=(REQUEST * count,))
                sender.start()
                data = receive(link, count * answer)
                sender.join()
        self.assertEqual(len(data), count * answer)
        self.assertEqual(data, data[:answer] * count)

    def test_with_close_the_connection_ends(self):
        with floor("--close") as server:
            with socket.create_connection(
                    ("127.0.0.1", server.port), 10) as link:
                link.sendall(REQUEST)
                data = receive(link, 1 << 20)
        self.assertIn(b"Connection: close\r\n", data)
        self.assertTrue(data.endswith(b"Hello, World!"))


class BenchTest(unittest.TestCase):
    def check(self, server, *arguments, count=1000):
        status, report = bench("-n", count, *arguments, server.url("/a"))
        self.assertEqual(status, 0)
        self.assertEqual(report["total_answered"], count)
        self.assertEqual(report["all"]["answered"], count)
        self.assertEqual(report["lost"], 0)
        return report

    def test_a_number_of_requests_is_that_number(self):
        with floor() as server:
            self.check(server, "-c", 7)
            self.check(server, "-c", 7, "-t", 3)
            self.check(server, "-c", 3, "-p", 16)
            self.check(server, "-c", 1, "-p", 1024)

    def test_a_mix_adds_up(self):
        with floor() as server:
            report = self.check(server, "--mix", "/a=3,/b?c=d=1", "-p", 4)
        paths = report["paths"]
        self.assertEqual(
            paths["/a"]["answered"] + paths["/b?c=d"]["answered"], 1000)
        self.assertGreater(paths["/a"]["answered"],
                           paths["/b?c=d"]["answered"])

    def test_a_connection_for_each_request(self):
        with floor("--close") as server:
            report = self.check(server, "--close", "-c", 5)
        self.assertGreaterEqual(report["connects"], 1000)

    def test_dedicated_connections_ask_for_nothing_else(self):
        with floor() as server:
            status, report = bench(
                "-c", 4, "-d", 0.2, "-w", 0, "--dedicate", "/b=1,/c=1",
                server.url("/a"))
        self.assertEqual(status, 0)
        for path in ("/a", "/b", "/c"):
            self.assertGreater(report["paths"][path]["answered"], 0)

    def test_the_open_loop_accounts_for_all_that_was_due(self):
        for more in ([], ["--poisson"], ["-t", 2], ["-p", 8], ["--spin"]):
            with floor() as server:
                status, report = bench("-R", 2000, "-d", 0.3, "-w", 0.1,
                                       *more, server.url())
            self.assertEqual(status, 0)
            self.assertGreater(report["due"], 0)
            self.assertEqual(report["all"]["answered"] + report["late"]
                             + report["lost"], report["due"])
            self.assertEqual(report["behind"]["sent"], report["due"])

    def test_slow_and_half_open_clients_are_beside_the_load(self):
        with floor() as server:
            status, report = bench(
                "-c", 2, "-d", 0.5, "-w", 0, "--slow", "3@5000",
                "--half-open", 4, server.url())
        self.assertEqual(status, 0)
        self.assertEqual(report["connects"], 2 + 4)
        self.assertEqual(report["half_open_closed"], 0)

    def test_slow_readers_may_ask_for_something_else(self):
        with floor("--body", "20000") as server:
            status, report = bench(
                "-c", 2, "-d", 0.5, "-w", 0, "--slow", "3@400000/other",
                "--mix", "/a=1", server.url("/"))
        self.assertEqual(status, 0)
        self.assertGreater(report["slow_answered"], 0)
        self.assertGreater(report["paths"]["/a"]["answered"], 0)
        self.assertEqual(report["paths"]["/other"]["answered"], 0)

    def test_the_cpu_time_of_who_is_watched_is_reported(self):
        with floor() as server:
            _, watched = bench("-d", 0.4, "-w", 0.05, "--watch",
                               server.pid(), server.url())
            _, gone = bench("-d", 0.1, "-w", 0, "--watch", 2**22 - 1,
                            server.url())
            _, nobody = bench("-d", 0.1, "-w", 0, server.url())
        watch = watched["watch"]
        self.assertGreater(watch["window_ns"], 0)
        self.assertGreater(watch["server_ns"], 0)
        self.assertGreater(watch["client_ns"], 0)
        self.assertEqual(gone["watch"]["server_ns"], 0)
        self.assertNotIn("watch", nobody)

    def test_who_never_answers_is_charged_for_it(self):
        """Requests that were not even sent have waited too."""
        with socket.create_server(("127.0.0.1", 0)) as mute:
            status, report = bench(
                "-R", 1000, "-c", 2, "-d", 0.2, "-w", 0, "--drain", 0.1,
                f"http://127.0.0.1:{mute.getsockname()[1]}/")
        self.assertEqual(status, 69)
        self.assertEqual(report["late"], report["due"])
        self.assertLess(report["behind"]["sent"], report["due"])
        self.assertGreaterEqual(report["all"]["min_us"], 1e5)

    def test_requests_have_as_many_more_fields_as_asked_for(self):
        with socket.create_server(("127.0.0.1", 0)) as mute:
            bench("-c", 1, "-d", 0.1, "-w", 0, "--drain", 0, "--fields", 3,
                  f"http://127.0.0.1:{mute.getsockname()[1]}/")
            link, _ = mute.accept()
            with link:
                request = link.recv(4096)
        self.assertEqual(request.count(b"\r\nX-Field-"), 3)
        self.assertTrue(request.endswith(b"\r\n\r\n"))

    def test_a_pause_of_the_server_is_in_what_came_due_meanwhile(self):
        """Free of coordinated omission: 1,000 a second, and one connection.

        Whoever comes due in the first tenth of half a second in which nobody
        is answered has to wait for the rest of it, and is a tenth of all.
        """
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = threading.Thread(
                target=answer_with_a_pause, args=(listener, 100, 0.5))
            server.start()
            status, report = bench(
                "-R", 1000, "-c", 1, "-d", 1, "-w", 0, "--drain", 30,
                f"http://127.0.0.1:{listener.getsockname()[1]}/")
            server.join()
        self.assertEqual(status, 0)
        self.assertEqual(report["all"]["answered"], report["due"])
        self.assertGreaterEqual(report["all"]["max_us"], 500e3)
        self.assertGreaterEqual(report["all"]["p90_us"], 390e3)

    def test_connections_have_an_agent_each(self):
        with socket.create_server(("127.0.0.1", 0)) as mute:
            bench("-c", 4, "-p", 2, "-d", 0.1, "-w", 0, "--agents", 3,
                  "--mix", "POST:/a=1", "--body", 5,
                  f"http://127.0.0.1:{mute.getsockname()[1]}/")
            agents = []
            for _ in range(4):
                link, _ = mute.accept()
                with link:
                    request = receive(link, 4096)
                half = request[:len(request) // 2]
                self.assertEqual(request, half * 2)
                self.assertTrue(half.endswith(b"\r\n\r\nxxxxx"))
                agents += re.findall(rb"\r\nUser-Agent: (\S+)\r\n", half)
        self.assertEqual(sorted(agents), [b"client-000000", b"client-000000",
                                          b"client-000001", b"client-000002"])

    def test_why_nothing_was_answered_is_said(self):
        def why(*options, port):
            done = subprocess.run(
                [str(BUILD / "spate-bench"), "-w", "0", *options,
                 f"http://127.0.0.1:{port}/"],
                capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 69)
            return done.stderr

        self.assertIn("refused", why("-d", "0.1", port=free_port()))
        # Not for the ten minutes that so many may take.
        self.assertIn("refused", why("-n", "10", port=free_port()))
        with socket.create_server(("127.0.0.1", 0)) as mute:
            self.assertIn("silent", why("-d", "0.1",
                                        port=mute.getsockname()[1]))

    def test_nobody_there(self):
        status, report = bench(
            "-d", 0.1, "-w", 0, f"http://127.0.0.1:{free_port()}/")
        self.assertEqual(status, 69)
        self.assertGreater(report["connect_errors"], 0)

    def test_bad_options_are_refused(self):
        for bad in (["-c", "0"], ["-R", "fast"], ["--mix", "/a"],
                    ["--poisson"], ["--slow", "3"], ["--slow", "3@x/y"],
                    ["--watch", "1,x"], ["-n", "1", "-R", "1"],
                    ["-c", "1", "--dedicate", "/a=2"], ["--nonsense"], [],
                    ["-c", "1.5"], ["--mix", "/a b=1"], ["--cpus", "4095"]):
            url = ["http://127.0.0.1:1/"] if bad else []
            self.assertEqual(bench(*bad, *url)[0], 64, bad)
        for url in ("http://127.0.0.1:80x/", "http://127.0.0.1:80?a",
                    "https://127.0.0.1/", "http://127.0.0.1:0/", ""):
            self.assertEqual(bench(url)[0], 64, url)


class LibraryTest(unittest.TestCase):
    def test_a_taken_port_is_refused(self):
        with floor() as server:
            second = servers.Server(
                servers.load("floor"), Settings(), server.port)
            with self.assertRaisesRegex(servers.Unusable, "taken"):
                second.start()

    def test_a_server_that_ends_at_once_is_refused(self):
        server = servers.Server({"name": "false", "argv": ["false"]},
                                Settings(), free_port())
        with self.assertRaisesRegex(servers.Unusable, "does not answer"):
            server.start()

    def test_to_read_what_a_server_said_moves_nothing(self):
        """The server writes where the file stands."""
        server = servers.Server({"name": "a", "argv": ["a"]}, Settings(), 1)
        with tempfile.TemporaryFile() as server.output:
            file = server.output.fileno()
            os.write(file, b"x" * servers.SAID + b"last")
            os.lseek(file, 7, os.SEEK_SET)
            self.assertTrue(server.said().endswith("xlast"))
            self.assertEqual(len(server.said()), servers.SAID)
            self.assertEqual(os.lseek(file, 0, os.SEEK_CUR), 7)

    def test_a_step_leaves_the_next_one_its_servers(self):
        asked = types.SimpleNamespace(servers=["floor", "spate", "peer"])
        with mock.patch.object(load, "Fleet", side_effect=servers.Unusable):
            self.assertIsNone(step.take("placement", asked, placement))
        self.assertEqual(asked.servers, ["floor", "spate", "peer"])

    def test_a_configuration_is_filled_in(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "a.conf.in").write_text("@port@ @threads@ @other@")
            server = servers.Server(
                {"name": "a", "argv": ["cat", "{run}/a.conf"],
                 "files": ["a.conf"], "folder": folder}, Settings(), 1234)
            argv = server._prepare()
            self.assertEqual(pathlib.Path(argv[1]).read_text(),
                             "1234 1 @other@")
            self.assertEqual((pathlib.Path(argv[1]).parent / "www" / "bytes"
                              / "1024").stat().st_size, 1024)
            server.folder.cleanup()

    def test_every_workload_is_one_that_spate_bench_takes(self):
        for work in workloads.WORKLOADS.values():
            status, _ = bench(
                *workloads.options(work), "-d", 0.02, "-w", 0, "--drain", 0,
                f"http://127.0.0.1:{free_port()}/")
            self.assertEqual(status, 69, work["about"])

    def test_what_a_peer_cannot_do_is_said(self):
        known = {work.get("key") for work in workloads.WORKLOADS.values()}
        for path in (ROOT / "perf" / "servers").glob("*.json"):
            description = servers.load(str(path))
            for word in ("cannot", "variants"):
                self.assertLessEqual(set(description.get(word, {})), known)

    def test_claims_are_held_against_the_best_peer(self):
        def entry(cpu, rps=1.0, ratio=1.0):
            return {"cpu_us": {"median": cpu}, "rps": {"median": rps},
                    "ratio": {"median": ratio}, "p99_us": {"median": 500.0}}

        made = claims.of({
            "64": {"servers": {
                "floor": entry(4.0), "spate": entry(4.2, ratio=1.05),
                "slower": entry(6.0), "other": {"cannot": "it"},
                "peer": entry(4.1)}},
            "pipelined": {"servers": {
                "floor": entry(1.0), "spate": entry(1.0, 9, 1.2),
                "peer": entry(2.0, 3)}},
            "burn 4000": {"servers": {"spate": entry(1.0)}}})
        self.assertEqual([(claim.name.split(":")[0], claim.met)
                          for claim in made],
                         [("64", True), ("64", False), ("pipelined", False),
                          ("pipelined", True), ("burn 4000", True),
                          ("pipelined", True)])
        self.assertIn("(peer)", made[1].name)

    def test_wrk_is_understood(self):
        found = wrk.parse("""\
  Latency Distribution
     50%  188.00us
     75%  206.00us
     90%    1.36ms
     99%    2.00s
  352281 requests in 2.10s, 43.67MB read
  Socket errors: connect 1, read 2, write 0, timeout 4
  Non-2xx or 3xx responses: 17
Requests/sec: 167518.09
""")
        self.assertEqual(found, {
            "requests": 352281, "seconds": 2.1, "rps": 167518.09,
            "p50_us": 188, "p90_us": 1360, "p99_us": 2e6, "non_2xx": 17,
            "socket_errors": 7})

    def test_percentiles_that_are_none_are_left_out(self):
        found = wrk.parse("     50%  278.00us\n     90%    0.00us\n"
                          "     99%    0.00us\n"
                          "  10 requests in 1.00s, 1MB read\n"
                          "Requests/sec: 10.0\n")
        self.assertNotIn("p50_us", found)

    def test_strace_is_understood(self):
        found = syscalls.parse("""\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.020000           2     10000           sendto
 40.00    0.010000           1     10001         1 recvfrom
------ ----------- ----------- --------- --------- ----------------
100.00    0.030000           1     20001         1 total
""")
        self.assertEqual(found, {"sendto": 10000, "recvfrom": 10001})

    def test_parts_are_held_to_what_they_were(self):
        kept = {"same": 100, "more": 100, "fewer": 100, "tiny": 3, "gone": 1}
        now = {"same": 101.9, "more": 102.1, "fewer": 90, "tiny": 3.4,
               "new": 1}
        self.assertEqual(counted.differences(kept, now),
                         (["more"], ["fewer"], ["gone", "new"]))

    def test_perf_is_understood(self):
        few = syscalls.parse_perf(
            "spate/0.0-7,100,,raw_syscalls:sys_enter,1,100.00,,\n"
            "spate/0.0-7,60,,syscalls:sys_enter_sendto,1,100.00,,\n"
            "idle-9,<not counted>,,raw_syscalls:sys_enter,0,100.00,,\n")
        self.assertEqual(few, {"spate/0.0-7": {"all": 100, "sendto": 60}})
        many = {"spate/0.0-7": {"all": 2100, "sendto": 1060, "close": 7},
                "watcher-8": {"all": 3, "futex": 3}}
        calls, beside = syscalls.difference(few, many, 1000)
        self.assertEqual(beside, 3)
        self.assertAlmostEqual(calls["sendto"], 1.0)
        self.assertAlmostEqual(calls["close"], 0.007)
        self.assertAlmostEqual(calls["other"], 0.993)

    def test_lists_of_cpus(self):
        self.assertEqual(config.cpu_list("0,2-4"), [0, 2, 3, 4])
        self.assertEqual(config.cpu_list(None), [])


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    servers.guard()
    unittest.main()
