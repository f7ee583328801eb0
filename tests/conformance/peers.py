# SPDX-License-Identifier: BSD-2-Clause
"""The servers: how each is started, on a free port, and ended by its pid."""

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
SERVERS = HERE / "servers"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, process):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"ended with {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"nothing listens at {port}")


class Server:
    """As a context: runs while in it."""

    def __init__(self, name, program):
        self.name, self.program = name, program
        self.port, self.processes = 0, []

    def start(self, argv):
        self.processes.append(subprocess.Popen(
            argv, stdout=subprocess.DEVNULL, stderr=self.log))

    def configure(self, backend):
        template = {"nginx": "nginx.conf.in",
                    "haproxy": "haproxy.cfg.in"}[self.name]
        text = (SERVERS / template).read_text()
        for word, value in (("DIR", self.folder), ("PORT", self.port),
                            ("BACKEND", backend)):
            text = text.replace(f"@{word}@", str(value))
        file = pathlib.Path(self.folder) / "conf"
        file.write_text(text)
        return str(file)

    def argv(self):
        if self.name == "spate":
            return [self.program, "--listen", f"127.0.0.1:{self.port}",
                    "--shards", "1"]
        if self.name == "node":
            return [self.program, str(SERVERS / "node.js"), str(self.port)]
        backend = free_port()
        self.start([sys.executable, str(SERVERS / "backend.py"),
                    str(backend)])
        wait_for(backend, self.processes[-1])
        file = self.configure(backend)
        if self.name == "nginx":
            return [self.program, "-p", self.folder, "-c", file]
        return [self.program, "-db", "-f", file]

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="spate-conformance-")
        self.log = open(os.path.join(self.folder, "stderr"), "wb")
        self.port = free_port()
        try:
            self.start(self.argv())
            wait_for(self.port, self.processes[-1])
        except Exception:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.codes = []
        for process in reversed(self.processes):
            process.terminate()
        for process in reversed(self.processes):
            try:
                self.codes.append(process.wait(20))
            except subprocess.TimeoutExpired:
                process.kill()
                self.codes.append(process.wait())
        self.log.close()
        log = pathlib.Path(self.folder) / "stderr"
        self.said = log.read_text(errors="replace")
        shutil.rmtree(self.folder)


def version(name, program):
    """A line about a peer, as it tells itself."""
    flag = {"node": "--version", "nginx": "-v", "haproxy": "-v",
            "spate": "--version"}[name]
    result = subprocess.run([program, flag], capture_output=True, text=True)
    line = (result.stdout or result.stderr).strip().splitlines()[0]
    for noise in ("nginx version: nginx/", "HAProxy version ", "spate "):
        line = line.removeprefix(noise)
    return line.split()[0].removeprefix("v")
