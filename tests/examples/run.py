#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The examples do what their head comments say.

    tests/examples/run.py NAME FOLDER

Starts FOLDER/NAME on a free port, asks it, and ends it by SIGTERM: it must
exit with 0. NAME "texts" starts nothing: it compares the program in the
README with the one in spate.h and the one that is built.
"""

import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ANY = "127.0.0.1:0"
PATIENCE_S = 60  # for what should take no time; no test waits that long


def expect(got, wanted):
    if got != wanted:
        raise AssertionError(f"got {got!r}, not {wanted!r}")


class Example:
    """A program while it runs. It says where it listens on one of its first
    lines: "port N" on its own, "..., port N; ..." in spate_main()'s log."""

    def __init__(self, folder, name, *arguments, **environment):
        clean = {key: value for key, value in os.environ.items()
                 if not key.startswith("SPATE_")}
        self.process = subprocess.Popen(
            [folder / name, *arguments], env={**clean, **environment},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.said = ""
        self.port = None
        while self.port is None:
            line = self.process.stdout.readline()
            self.said += line
            if not line:
                raise AssertionError(f"{name} ended at once: {self.said}")
            match = re.search(r"\bport (\d+)", line)
            self.port = match and int(match[1])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        said, _ = self.process.communicate(timeout=PATIENCE_S)
        self.said += said
        if self.process.returncode != 0:
            raise AssertionError(
                f"exit status {self.process.returncode}: {self.said}")

    def ask(self, method, path, body=None, **fields):
        """=> Returns the status and the body, as text."""
        link = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=PATIENCE_S)
        with contextlib.closing(link):
            link.request(method, path, body=body, headers=fields)
            answer = link.getresponse()
            return answer.status, answer.read().decode()

    def connect(self):
        return socket.create_connection(
            ("127.0.0.1", self.port), timeout=PATIENCE_S)


@contextlib.contextmanager
def running(*arguments, **environment):
    example = Example(*arguments, **environment)
    try:
        yield example
    except BaseException:
        example.process.kill()
        said, _ = example.process.communicate()
        print(example.said + said, file=sys.stderr)
        raise
    example.stop()


def receive(link, size):
    data = b""
    while len(data) < size:
        piece = link.recv(size - len(data))
        if not piece:
            break
        data += piece
    return data


# ---------------------------------------------------------------- examples


def hello(folder):
    with running(folder, "hello", SPATE_LISTEN=ANY) as it:
        expect(it.ask("GET", "/"), (200, "Hello, World!\n"))
        expect(it.ask("GET", "/nowhere")[0], 404)
        expect(it.ask("DELETE", "/")[0], 405)
    # A flag has the last word.
    with running(folder, "hello", "--listen", ANY,
                 SPATE_LISTEN="127.0.0.1:1") as it:
        expect(it.ask("HEAD", "/"), (200, ""))


def echo_stream(folder):
    data = bytes(range(256)) * 4096
    with running(folder, "echo_stream", ECHO_LISTEN=ANY) as it:
        with it.connect() as link, it.connect() as other:
            other.sendall(b"one")
            expect(receive(other, 3), b"one")
            other.sendall(b"two")
            expect(receive(other, 3), b"two")
            for start in range(0, len(data), 65536):
                piece = data[start:start + 65536]
                link.sendall(piece)
                expect(receive(link, len(piece)), piece)
            link.shutdown(socket.SHUT_WR)
            expect(link.recv(1), b"")


def unix_socket(folder):
    with tempfile.TemporaryDirectory() as home:
        path = f"{home}/socket"
        with running(folder, "unix_socket", SPATE_SHARDS="2",
                     SPATE_LISTEN=f"unix:{path}"):
            for _ in range(8):
                with socket.socket(socket.AF_UNIX) as link:
                    link.settimeout(PATIENCE_S)
                    link.connect(path)
                    link.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n"
                                 b"Connection: close\r\n\r\n")
                    answer = http.client.HTTPResponse(link)
                    answer.begin()
                    expect(answer.status, 200)
                    body = answer.read().decode()
                    if not re.fullmatch(r"here by shard [01]\n", body):
                        raise AssertionError(body)
        expect(os.path.exists(path), False)


def broadcast_clock(folder):
    with running(folder, "broadcast_clock", ANY) as it:
        with it.connect() as one, it.connect() as two:
            two.sendall(b"of no interest")
            for link in one, two, one:
                line = receive(link, len("00:00:00 UTC\n")).decode()
                if not re.fullmatch(r"\d\d:\d\d:\d\d UTC\n", line):
                    raise AssertionError(line)


def embed(folder):
    with running(folder, "embed") as it:
        status, body = it.ask("GET", "/")
        expect(status, 200)
        if not re.search(r"embed, with spate \d+\.\d+\.\d+\n$", body):
            raise AssertionError(body)


def json_params(folder):
    with running(folder, "json_params", SPATE_LISTEN=ANY) as it:
        _, body = it.ask("GET", "/users/a%20%22b%22/posts/7?page=2&lang=de")
        expect(json.loads(body), {
            "user": 'a "b"', "post": "7", "lang": "de", "page": 2})
        _, body = it.ask("GET", "/users/ann/posts/%01")
        expect(json.loads(body), {
            "user": "ann", "post": "\x01", "lang": None, "page": 1})
        expect(it.ask("GET", "/users/ann/posts/7?page=two")[0], 400)
        expect(it.ask("GET", "/users/ann")[0], 404)
        _, body = it.ask("GET", "/files/a/b.txt", **{"User-Agent": "tests"})
        got = json.loads(body)
        expect((got["path"], got["agent"], got["host"]),
               ("a/b.txt", "tests", f"127.0.0.1:{it.port}"))


def upload_count(folder):
    line = b"0123456789abcde\n"
    with running(folder, "upload_count", SPATE_LISTEN=ANY) as it:
        wanted = (200, f"{16 << 20} bytes, {1 << 20} lines\n")
        expect(it.ask("PUT", "/", line * (1 << 20)), wanted)
        # An iterable goes out in chunks, one for each element.
        pieces = (line * 4096 for _ in range(256))
        expect(it.ask("POST", "/", pieces), wanted)
        expect(it.ask("POST", "/"), (200, "0 bytes, 0 lines\n"))
        expect(it.ask("GET", "/")[0], 405)


def chunks(folder):
    with running(folder, "chunks", SPATE_LISTEN=ANY) as it:
        expect(it.ask("GET", "/primes?below=12"),
               (200, "2\n3\n5\n7\n11\n"))
        expect(it.ask("GET", "/primes?below=0"), (200, ""))
        expect(it.ask("GET", "/primes?below=many")[0], 400)
        with it.connect() as link:
            link.sendall(b"GET /primes?below=4 HTTP/1.1\r\nHost: a\r\n"
                         b"Connection: close\r\n\r\n")
            answer = b""
            while piece := link.recv(4096):
                answer += piece
        expect(b"\r\nTransfer-Encoding: chunked\r\n" in answer, True)
        expect(answer.partition(b"\r\n\r\n")[2],
               b"2\r\n2\n\r\n2\r\n3\n\r\n0\r\n\r\n")


def middleware(folder):
    with running(folder, "middleware", SPATE_LISTEN=ANY) as it:
        expect(it.ask("GET", "/"), (200, "hello\n"))
        expect(it.ask("GET", "/admin/door"),
               (401, "401 Unauthorized: say the word\n"))
        expect(it.ask("GET", "/admin/door", Authorization="Bearer sesame"),
               (200, "open, visitor\n"))
        expect(it.ask("GET", "/nowhere")[0], 404)
    for line in ("200 GET /\n", "401 GET /admin/door\n",
                 "200 GET /admin/door\n", "404 GET /nowhere\n"):
        expect(line in it.said, True)


def forms_cookies(folder):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    with running(folder, "forms_cookies", SPATE_LISTEN=ANY) as it:
        expect(it.ask("GET", "/"), (200, "Who are you?\n"))
        expect(it.ask("POST", "/", "name=Ann&age=30", **form),
               (200, "Ann, aged 30\n"))
        expect(it.ask("GET", "/", Cookie="name=Ann"),
               (200, "Hello again, Ann!\n"))
        expect(it.ask("POST", "/", "name=Ann&age=old", **form),
               (400, "400 Bad Request: form field 'age' is malformed\n"))
        expect(it.ask("POST", "/", "name=a%3Bb&age=1", **form)[0], 400)
        expect(it.ask("POST", "/", "{}")[0], 415)


def static_files(folder):
    with tempfile.TemporaryDirectory() as home:
        pathlib.Path(home, "a.txt").write_text("abcdef\n")
        with running(folder, "static_files", SPATE_LISTEN=ANY,
                     STATIC_FOLDER=home) as it:
            expect(it.ask("GET", "/a.txt"), (200, "abcdef\n"))
            expect(it.ask("GET", "/a.txt", Range="bytes=1-3"), (206, "bcd"))
            expect(it.ask("GET", "/b.txt"), (404, "<h1>Lost?</h1>\n"))
            expect(it.ask("GET", "/b.txt", Accept="text/plain"),
                   (404, "404 Not Found\n"))


def events_from(link, path, count, last=None):
    """=> Returns the data of the first events of a stream."""
    again = f"Last-Event-ID: {last}\r\n" if last else ""
    link.sendall(f"GET {path} HTTP/1.0\r\n{again}\r\n".encode())
    data = []
    for line in link.makefile():
        if line.startswith("data: "):
            data.append(line[6:].rstrip("\n"))
            if len(data) == count:
                break
    return data


def sse(folder):
    with contextlib.ExitStack() as clients:
        with running(folder, "sse", SPATE_LISTEN=ANY) as it:
            one = clients.enter_context(it.connect())
            two = clients.enter_context(it.connect())
            expect(events_from(one, "/events", 3), ["1", "2", "3"])
            expect(events_from(two, "/events", 2, 7), ["8", "9"])
            expect("EventSource" in it.ask("GET", "/")[1], True)
        # The streams have ended, and have not kept the program.


def blocking(folder):
    with running(folder, "blocking", SPATE_LISTEN=ANY) as it:
        expect(it.ask("POST", "/diary", "dear diary"), (201, "written\n"))
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = pool.map(
                lambda i: it.ask("POST", "/diary", f"line {i}"), range(8))
            expect(set(answers), {(201, "written\n")})
        status, text = it.ask("GET", "/diary")
        expect((status, sorted(text.split("\n")[1:-1])),
               (200, [f"line {i}" for i in range(8)]))


def tasks(folder):
    with running(folder, "tasks", SPATE_LISTEN=ANY) as it:
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            answers = pool.map(
                lambda n: it.ask("GET", f"/square?n={n}"), range(60))
        for n, answer in enumerate(answers):
            expect(answer, (200, f"{n * n}\n"))
        expect(it.ask("GET", "/square?n=x")[0], 400)


def deferred(folder):
    with running(folder, "deferred", SPATE_LISTEN=ANY) as it:
        expect(it.ask("GET", "/slow?word=abc"), (200, "cba"))
        expect(it.ask("GET", "/slow")[0], 400)


def json_api(folder):
    with running(folder, "json_api", SPATE_LISTEN=ANY) as it:
        status, body = it.ask("POST", "/sum", '{"numbers":[1,2,3.5]}')
        expect((status, json.loads(body)), (200, {"sum": 6.5}))
        status, body = it.ask("POST", "/sum", '{"numbers":[1,')
        expect((status, "line 1" in body), (400, True))
        status, body = it.ask("POST", "/sum", '{"numbers":["x"]}',
                              Accept="application/json")
        expect(status, 400)
        expect(json.loads(body)["reason"], "member 'numbers' is malformed")
        status, body = it.ask("POST", "/sum", '{"numbers":[1e308,1e308]}')
        expect((status, "out of range" in body), (400, True))
        for deep in ["[" * 100000, '{"numbers":' * 2000,
                     "[" * 2000 + "]" * 2000]:
            expect(it.ask("POST", "/sum", deep)[0], 400)


def upload(folder):
    data = "0123456789abcdef" * 100000
    with tempfile.TemporaryDirectory() as home:
        with running(folder, "upload", SPATE_LISTEN=ANY,
                     UPLOAD_FOLDER=home) as it:
            expect(it.ask("PUT", "/a.txt", data), (201, "kept\n"))
            expect(it.ask("GET", "/a.txt"), (200, data))
            expect(it.ask("PUT", "/.a", data)[0], 400)
            expect(it.ask("PUT", "/..%2Fa", data)[0], 400)
            expect(os.listdir(home), ["a.txt"])


def fetch(folder):
    with running(folder, "fetch", SPATE_LISTEN=ANY) as it:
        expect(it.ask("GET", "/shout/hello"), (200, "HELLO!\n"))
        expect(it.ask("GET", "/shout/a%20b")[0], 502)


def trailers(folder):
    def send(link, trailer):
        link.sendall(b"POST / HTTP/1.1\r\nHost: a\r\n"
                     b"Transfer-Encoding: chunked\r\n"
                     b"Connection: close\r\n\r\n3\r\nabc\r\n0\r\n"
                     + trailer + b"\r\n")
        return link.makefile("rb").read().decode()

    with running(folder, "trailers", SPATE_LISTEN=ANY) as it:
        for trailer, wanted in ((b"Sum: 294\r\n", "294 it is\n"),
                                (b"Sum: 293\r\n", "422 Unprocessable"),
                                (b"Sum: x\r\n", "'Sum' is malformed"),
                                (b"", "'Sum' is missing")):
            with it.connect() as link:
                expect(wanted in send(link, trailer), True)


def watch_fd(folder):
    with running(folder, "watch_fd", SPATE_LISTEN=ANY) as it:
        status, body = it.ask("GET", "/?ms=20&n=5")
        expect((status, body.startswith("tick ")), (200, True))
        # A machine that is late may have several in one.
        expect(int(body.split()[-1]) >= 5, True)
        expect(it.ask("GET", "/?ms=0")[0], 400)


def texts(folder):
    """One program in three places."""
    built = (ROOT / "examples/hello.c").read_text()
    built = built[built.index("#include"):]
    readme = (ROOT / "README.md").read_text()
    expect(re.search(r"```c\n(.*?)```", readme, re.S)[1], built)
    header = (ROOT / "framework/include/spate.h").read_text()
    comment = "".join(f" *     {line}".rstrip() + "\n"
                      for line in built.expandtabs(8).splitlines())
    expect(comment in header, True)


EXAMPLES = {test.__name__: test for test in (
    hello, echo_stream, unix_socket, broadcast_clock, embed, json_params,
    upload_count, chunks, middleware, forms_cookies, static_files, sse,
    deferred, json_api, blocking, tasks, upload, fetch, trailers, watch_fd,
    texts)}


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in EXAMPLES:
        sys.exit(f"usage: run.py {'|'.join(EXAMPLES)} FOLDER")
    EXAMPLES[sys.argv[1]](pathlib.Path(sys.argv[2]))


if __name__ == "__main__":
    main()
