# SPDX-License-Identifier: BSD-2-Clause
"""The 200 requests of faults.py and chaos.py, and the demo they ask.

Four clients of fifty requests each, all at once; each client connects anew
after every ten, and after a failure. They know each answer to the byte.
"""

import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import threading
import time

PATIENCE = 30
CLIENTS, EACH, PER_CONNECTION = 4, 50, 10
HELLO = b"Hello, World!"
FILE = bytes(range(256)) * 1200
PIECE = 1 << 20
ALPHABET = b"abcdefghijklmnopqrstuvwxyz"
ROOT = pathlib.Path(__file__).resolve().parents[2]
SANITIZER = re.compile(r"Sanitizer|runtime error|check failed")


def get(path, status=200, body=HELLO):
    return (f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode(), status, body)


def post(path, body, answer):
    head = (f"POST {path} HTTP/1.1\r\nHost: a\r\n"
            f"Content-Length: {len(body)}\r\n\r\n")
    return head.encode() + body, 200, answer


def chunked(body, path="/echo"):
    head = (f"POST {path} HTTP/1.1\r\nHost: a\r\n"
            "Transfer-Encoding: chunked\r\n\r\n")
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    return head.encode() + chunks, 200, body


def refused():
    """Its connection is closed, but not before the client has the answer."""
    return (b"GET /no thing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            b"\r\n", 400, None)


class InHalves(bytes):
    """A request whose second half waits for the begin of the answer."""


class ToAdmin(bytes):
    """A request for the admin's listener, on a connection of its own."""


def admin(path):
    """By a name of this machine: to others' names it says nothing."""
    wire = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"
    return ToAdmin(wire.encode()), 200, None


def proxied_both_ways(body):
    """What stands behind /proxy gives back each piece as it comes."""
    wire, status, _ = chunked(body, "/proxy/echo")
    return InHalves(wire), status, body


def letters(count):
    """What /bytes/COUNT gives, in pieces that begin anew."""
    piece = (ALPHABET * (PIECE // 26 + 1))[:PIECE]
    return (piece * (count // PIECE + 1))[:count]


REQUESTS = [
    get("/plaintext"),
    get("/json", body=b'{"message":"Hello, World!"}'),
    post("/echo", b"e" * 3000, b"e" * 3000),
    get("/users/42", body=b"42"),
    get("/proxy/plaintext"),
    get("/bytes/100000", body=letters(100000)),
    chunked(b"c" * 20000),
    get("/sleep?ms=1", body=b"ok"),
    get("/files/file.bin", body=FILE),
    get("/nowhere", 404, None),
    post("/discard", b"d" * 30000, HELLO),
    get("/fanout?n=3", body=None),
    get("/files/none", 404, None),
    post("/proxy/echo", b"p" * 5000, b"p" * 5000),
    get("/offload?ms=1", body=b"ok"),
    get("/tasks?n=5", body=b"55"),
    get("/burn?us=300", body=b"ok"),  # heavy: a thread of its own
    get("/blocking?ms=1", body=b"ok"),  # one of those that may block
    proxied_both_ways(b"b" * 60000),
    get("/chunks/4", body=None),
    get("/stats", body=None),
    get("/metrics", body=None),
    get("/debug/events", body=None),
    get("/debug/trace?ms=1", body=None),
    get("/debug/heap", 501, None),
    refused(),
]

# Where the demo has a listener for its admin, that is part of the script.
ADMIN = [admin("/debug/connections"), admin("/debug/shards"),
         admin("/debug/latency"), admin("/debug/config")]


class Failed(Exception):
    """A request that got no answer, or not the one it should."""


class Wrong(Failed):
    """An answer, but not that one."""

    def __init__(self, wire, status, size):
        super().__init__(f"{wire[:40]}: {status}, {size} bytes")
        self.status = status


class Hung(Failed):
    """It got none within PATIENCE, which no fault excuses."""


def read_chunks(stream):
    body = b""
    while size := int(stream.readline().strip() or b"x", 16):
        body += stream.read(size)
        stream.readline()
    stream.readline()
    return body


def read_answer(stream):
    """=> Returns status and body."""
    words = stream.readline().split()
    if len(words) < 2:
        raise Failed("closed instead of an answer")
    fields = {}
    while line := stream.readline().strip():
        name, _, value = line.partition(b":")
        fields[name.lower()] = value.strip()
    if fields.get(b"transfer-encoding") == b"chunked":
        return int(words[1]), read_chunks(stream)
    size = int(fields.get(b"content-length", 0))
    body = stream.read(size)
    if len(body) != size:
        raise Failed(f"{len(body)} of {size} bytes")
    return int(words[1]), body


class Client:
    """One at a time, on a connection that is kept for a while."""

    def __init__(self, port, admin_port=None):
        self.port = port
        self.admin_port = admin_port
        self.link = self.stream = None

    def close(self):
        if self.link is not None:
            self.stream.close()
            self.link.close()
            self.link = None

    def connect(self):
        self.link = socket.create_connection(("127.0.0.1", self.port),
                                             PATIENCE)
        self.stream = self.link.makefile("rb")

    def ask(self, request):
        wire, status, body = request
        if isinstance(wire, ToAdmin):
            other = Client(self.admin_port)
            other.ask((bytes(wire), status, body))
            other.close()
            return
        try:
            if self.link is None:
                self.connect()
            half = len(wire)
            if isinstance(wire, InHalves):
                half //= 2
            self.link.sendall(wire[:half])
            if half != len(wire) and self.stream.peek(1):
                self.link.sendall(wire[half:])
            got = read_answer(self.stream)
            if b"\r\nConnection: close\r\n" in wire:
                self.close()
        except TimeoutError as error:
            self.close()
            raise Hung(wire[:40]) from error
        except (OSError, ValueError, Failed) as error:
            self.close()
            raise Failed(f"{wire[:40]}: {error}") from error
        if got[0] != status or body is not None and got[1] != body:
            self.close()
            raise Wrong(wire, got[0], len(got[1]))


def run_client(client, number, failures, requests=None):
    if requests is None:
        every = REQUESTS + (ADMIN if client.admin_port else [])
        requests = [every[(i + 3 * number) % len(every)]
                    for i in range(EACH)]
    for i, request in enumerate(requests):
        try:
            client.ask(request)
        except Failed as error:
            failures.append(error)
        if i % PER_CONNECTION == PER_CONNECTION - 1:
            client.close()
    client.close()


def run_script(port, clients=CLIENTS, admin_port=None):
    """=> Returns what failed, in no order."""
    failures = []
    threads = [threading.Thread(target=run_client,
                                args=(Client(port, admin_port), i, failures))
               for i in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


class Demo:
    """A demo with a log in a file of its own."""

    def __init__(self, program, *flags, env=None, stderr=None, port=0):
        self.log = tempfile.TemporaryFile("w+b")
        settings = {**os.environ, "TSAN_OPTIONS":
                    f"suppressions='{ROOT}/tests/tsan.supp'", **(env or {})}
        self.process = subprocess.Popen(
            [program, "--listen", f"127.0.0.1:{port}", *flags], env=settings,
            stdout=subprocess.DEVNULL, stderr=stderr or self.log)
        self.port = self.admin_port = None
        self.has_admin = "--admin" in flags
        self.upstream = None

    def wait_ready(self):
        """=> Returns False: it has ended instead."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            ports = re.findall(r"port (\d+)", self.text())
            if len(ports) > self.has_admin:
                self.port = int(ports[0])
                self.admin_port = int(ports[1]) if self.has_admin else None
                return True
            if self.process.poll() is not None:
                return False
            time.sleep(0.005)
        raise Hung("it does not start")

    def client(self):
        return Client(self.port, self.admin_port)

    def run_script(self, clients=CLIENTS):
        return run_script(self.port, clients, self.admin_port)

    def text(self):
        """Without a seek: the program writes where the file is at."""
        file = self.log.fileno()
        return os.pread(file, os.fstat(file).st_size, 0).decode(
            errors="replace")

    def stats(self):
        client = Client(self.port)
        client.connect()
        try:
            client.link.sendall(get("/stats")[0])
            stats = json.loads(read_answer(client.stream)[1])
        finally:
            client.close()
        shards, routes = stats["shards"], stats["routes"]
        sums = {key: sum(shard[key] for shard in shards)
                for key, value in shards[0].items()
                if isinstance(value, int)}
        sums["responses"] = sum(sum(shard["responses"].values())
                                - shard["responses"].get("1xx", 0)
                                for shard in shards)
        sums["timeouts"] = sum(sum(shard["timeouts"].values())
                               for shard in shards)
        sums["log_lost"] = stats["log"]["lost"]
        sums["answered"] = sum(sum(route["codes"].values())
                               for route in routes)
        sums["unanswered"] = sum(route["aborted"] for route in routes)
        return sums

    def quiet_stats(self):
        """When everyone but who asks has left.

        Counters are read while workers go on, one after the other: of the
        last to leave one may be seen and another not. So a look at which
        they do not add up is followed by another.
        """
        end = time.monotonic() + PATIENCE
        while True:
            stats = self.stats()
            is_late = time.monotonic() > end
            if stats["connections"] <= 1 and (
                    is_late or not any(counters_complain(stats))):
                return stats
            if is_late:
                raise Failed(f"{stats['connections']} connections stay")
            time.sleep(0.002)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def rss_kib(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1])

    def end(self, number=15):
        """=> Returns the exit code, and what it should not have said."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait()

    def wait(self):
        """=> Returns the same, of one that has been told to end."""
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        said = [line for line in self.text().splitlines()
                if SANITIZER.search(line)]
        self.log.close()
        return code, said


@contextlib.contextmanager
def site(program, *flags, upstream=None, behind=None, **settings):
    """A demo with files, and an upstream: a program, or an address."""
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "file.bin").write_bytes(FILE)
        os.chmod(folder, 0o755)  # for --user
        other = None
        flags = ["--files", folder, *flags]
        if upstream is not None:
            other = Demo(upstream, "--shards", "1")
            other.wait_ready()
            behind = f"127.0.0.1:{other.port}"
        if behind is not None:
            flags += ["--upstream", behind]
        demo = Demo(program, *flags, **settings)
        demo.upstream = other
        try:
            yield demo
        finally:
            for one in (demo, other):
                if one is not None and one.process.poll() is None:
                    one.process.kill()
                    one.process.wait()


def counters_complain(stats):
    """=> Returns what does not add up, seen by the only one that is there."""
    if stats["accepted"] != stats["closed"] + stats["connections"]:
        yield "accepted is not closed + open"
    # The request for the counters has no answer yet.
    if stats["requests"] - 1 > stats["responses"] + stats["aborted"]:
        yield (f"{stats['requests'] - 1} requests, {stats['responses']} "
               f"answers, {stats['aborted']} aborted")
