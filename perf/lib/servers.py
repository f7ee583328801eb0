# SPDX-License-Identifier: BSD-2-Clause
"""Servers under test: what perf/servers/NAME.json says, as a process.

A description has
    name      as it stands in the tables
    about     why these settings are its best
    package   optional: what Debian calls it
    argv      the command; {build}, {port}, {threads}, {perf}, and {run}, a
              folder of its own, are filled in
    files     optional: names of files that are made in {run} out of NAME.in
              beside the description; @port@ and the like are filled in
    variants  optional: more arguments for a workload of that name
    cannot    optional: for a workload of that name, what it lacks
    ready     optional: the path that is asked until it answers 200
    env       optional: environment to add; filled in likewise
Every server started here is ended here, by its pid, however the script ends.
"""

import atexit
import ctypes
import http.client
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from settings import PERF

READY_SECONDS = 15
STOP_SECONDS = 5
SAID = 2000  # bytes of what it printed
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)
_running = []


# Where Debian puts servers, which is not in everybody's PATH.
PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"

# What is served by those that serve files.
FILES = {"plaintext": b"Hello, World!",
         "json": b'{"message":"Hello, World!"}',
         "message.json": b'{"message":"Hello, World!"}',
         **{f"bytes/{size}": b"x" * size for size in (1024, 65536, 1048576)}}


class Unusable(Exception):
    """A server that cannot be measured; the message says why."""


def load(name):
    path = pathlib.Path(name)
    if path.suffix != ".json":
        path = PERF / "servers" / f"{name}.json"
    try:
        description = json.loads(path.read_text())
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from error
    description["folder"] = path.parent
    return description


def program(description, settings):
    """The path of what is run, or None if it is not there."""
    name = description["argv"][0].format(build=settings.build, perf=PERF)
    return shutil.which(name, path=PATH)


def lacking(description, settings):
    """=> Returns why it is skipped, or None."""
    if program(description, settings):
        return None
    package = description.get("package")
    return f"{description['name']}: skipped, it is not here" + (
        f": apt-get install {package}, or cmake/deps.sh perf, and build the "
        "target perf" if package else "")


def present(settings, names=None):
    """The descriptions of those, or of all asked for, that are there."""
    found = []
    for name in names or settings.servers:
        description = load(name)
        reason = lacking(description, settings)
        if reason:
            print(reason, flush=True)
        else:
            found.append(description)
    return found


def make_files(folder):
    """=> Returns a folder with what servers of files serve."""
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.stat().st_size != len(content):
            path.write_bytes(content)
    return folder


def port_is_free(port):
    """A listener with SO_REUSEPORT is found too: we do not set it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def raise_descriptor_limit():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


class Server:
    """One process (and its children), pinned, listening on its port."""

    def __init__(self, description, settings, port, *, variant=None,
                 cpus=None, arguments=(), prefix=(), env=None, threads=None):
        self.name = description["name"]
        self.port = port
        self.ready_path = description.get("ready", "/plaintext")
        self.cpus = cpus or settings.server_cpus
        self.description = description
        self.names = {"build": settings.build, "port": port, "perf": PERF,
                      "threads": threads or len(self.cpus)}
        self.folder = None
        self.variant = description.get("variants", {}).get(variant, [])
        self.prefix, self.arguments = prefix, arguments
        self.added = {**description.get("env", {}), **(env or {})}
        self.argv = []
        self.process = None
        self.output = None
        self.text = ""

    def url(self, path="/plaintext"):
        return f"http://127.0.0.1:{self.port}{path}"

    def _fill(self, parts):
        return [part.format(**self.names) for part in parts]

    def _prepare(self):
        """A folder to run in, with its configuration. => Returns argv."""
        self.folder = tempfile.TemporaryDirectory(prefix="spate-perf-")
        run = pathlib.Path(self.folder.name)
        self.names.update(run=run, www=make_files(run / "www")
                          if "files" in self.description else run)
        for name in self.description.get("files", []):
            text = (self.description["folder"] / f"{name}.in").read_text()
            for word, value in self.names.items():
                text = text.replace(f"@{word}@", str(value))
            (run / name).write_text(text)
        argv = self._fill([*self.description["argv"], *self.variant])
        argv[0] = shutil.which(argv[0], path=PATH) or argv[0]
        return [*self.prefix, *argv, *self.arguments]

    def _in_child(self):
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        os.sched_setaffinity(0, self.cpus)
        raise_descriptor_limit()

    def start(self, seconds=READY_SECONDS):
        if not port_is_free(self.port):
            raise Unusable(f"{self.name}: port {self.port} is taken; "
                           "choose others by --port")
        self.argv = self._prepare()
        self.output = tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=self.output,
                stderr=subprocess.STDOUT, preexec_fn=self._in_child,
                process_group=0,
                env={**os.environ, **dict(zip(
                    self.added, self._fill(self.added.values())))})
        except OSError as error:
            raise Unusable(f"{self.name}: {self.argv[0]}: "
                           f"{error.strerror}") from error
        _running.append(self)
        try:
            self._wait_until_ready(time.monotonic() + seconds)
        except BaseException:
            self.stop()
            raise
        return self

    def _wait_until_ready(self, end):
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                if self.get(self.ready_path)[0] == 200:
                    return
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)
        raise Unusable(f"{self.name}: does not answer {self.ready_path}: "
                       f"{' '.join(self.argv)}\n{self.said()}")

    def get(self, path):
        """=> Returns the status and the body of one request."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            link.request("GET", path)
            answer = link.getresponse()
            return answer.status, answer.read()
        finally:
            link.close()

    def stats(self, key):
        """The sum over shards of a counter in /stats."""
        status, body = self.get("/stats")
        if status != 200:
            raise Unusable(f"{self.name}: /stats answers {status}")
        return sum(shard[key] for shard in json.loads(body)["shards"])

    def answer_size(self, path="/plaintext"):
        """Bytes of an answer, head and body, as the load sees it."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as link:
            link.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n"
                         "Connection: keep-alive\r\n\r\n".encode())
            return len(link.recv(65536))

    def said(self):
        """The end of what it printed, also after it was stopped.

        The server writes where the file stands, and it is one file: so it is
        read without moving.
        """
        if not self.output.closed:
            file = self.output.fileno()
            size = os.fstat(file).st_size
            start = max(0, size - SAID)
            self.text = os.pread(file, size - start, start).decode(
                errors="replace")
        return self.text.strip()

    def pid(self):
        return self.process.pid

    def stop(self):
        """=> The process is gone. Returns its exit status."""
        if self in _running:
            _running.remove(self)
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                print(f"{self.name}: did not stop in {STOP_SECONDS} s",
                      file=sys.stderr)
                self.process.kill()
                self.process.wait()
        self.said()
        self.output.close()
        self.folder.cleanup()
        return self.process.returncode

    def __enter__(self):
        return self if self.process else self.start()

    def __exit__(self, *_):
        self.stop()


def stop_all():
    for server in list(_running):
        server.stop()


def _on_signal(number, _):
    sys.exit(128 + number)


def guard():
    """Has every server ended with the script, by a signal as well."""
    atexit.register(stop_all)
    signal.signal(signal.SIGTERM, _on_signal)
    signal.signal(signal.SIGHUP, _on_signal)
