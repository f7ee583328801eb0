# SPDX-License-Identifier: BSD-2-Clause
"""Servers under test: what perf/servers/NAME.json says, as a process.

A description has
    name      as it stands in the tables
    argv      the command; {build}, {port}, {threads}, {perf} are filled in
    variants  optional: more arguments for a workload of that name
    ready     optional: the path that is asked until it answers 200
    env       optional: environment to add
Every server started here is ended here, by its pid, however the script ends.
"""

import atexit
import ctypes
import http.client
import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time

from settings import PERF

READY_SECONDS = 15
STOP_SECONDS = 5
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)
_running = []


class Unusable(Exception):
    """A server that cannot be measured; the message says why."""


def load(name):
    path = pathlib.Path(name)
    if path.suffix != ".json":
        path = PERF / "servers" / f"{name}.json"
    try:
        return json.loads(path.read_text())
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from error


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
        names = {"build": settings.build, "port": port, "perf": PERF,
                 "threads": threads or len(self.cpus)}
        extra = description.get("variants", {}).get(variant, [])
        self.argv = [*prefix, *(part.format(**names) for part in
                                [*description["argv"], *extra]), *arguments]
        self.env = {**os.environ, **description.get("env", {}), **(env or {})}
        self.process = None
        self.output = None
        self.text = ""

    def url(self, path="/plaintext"):
        return f"http://127.0.0.1:{self.port}{path}"

    def _in_child(self):
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        os.sched_setaffinity(0, self.cpus)
        raise_descriptor_limit()

    def start(self, seconds=READY_SECONDS):
        if not port_is_free(self.port):
            raise Unusable(f"{self.name}: port {self.port} is taken; "
                           "choose others by --port")
        self.output = tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=self.output,
                stderr=subprocess.STDOUT, preexec_fn=self._in_child,
                env=self.env)
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
        """The end of what it printed, also after it was stopped."""
        if not self.output.closed:
            self.output.seek(0)
            self.text = self.output.read()[-2000:].decode(errors="replace")
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
