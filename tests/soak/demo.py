# SPDX-License-Identifier: BSD-2-Clause
"""A demo that is treated badly, and whether it has stood it."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
START_SECONDS, STOP_SECONDS = 10, 60


def reset(client):
    """Close with a reset instead of an end."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                      struct.pack("ii", 1, 0))
    client.close()


class Demo:
    """A process; what it says goes to PROGRAM.NAME.log."""

    def __init__(self, program, name, options):
        self.log = open(f"{program}.{name}.log", "w+b")
        env = dict(os.environ, SPATE_LISTEN="127.0.0.1:0")
        env.setdefault("TSAN_OPTIONS",
                       f"suppressions='{ROOT}/tests/tsan.supp'")
        command = [program, *options]
        if shutil.which("setarch"):
            command = ["setarch", "-R", *command]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=self.log, env=env)
        self.port = self._find_port()

    def _find_port(self):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            match = re.search(r"port (\d+)", self.said())
            if match:
                return int(match[1])
            time.sleep(0.02)
        self.kill()
        sys.exit("the demo did not start")

    def said(self):
        """Without a seek: the program writes where the file is at."""
        file = self.log.fileno()
        return os.pread(file, os.fstat(file).st_size, 0).decode(
            errors="replace")

    def stats(self):
        with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}/stats") as answer:
            return json.load(answer)

    def sums(self, *keys):
        """=> Returns counters, added up over shards."""
        shards = self.stats()["shards"]
        return {key: sum(shard[key] for shard in shards) for key in keys}

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self):
        """=> Returns what there is to complain of."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(STOP_SECONDS)
        bad = [line for line in self.said().splitlines()
               if re.search(r"Sanitizer|runtime error|check failed", line)]
        return ([f"exit code {code}"] if code != 0 else []) + bad[:10]


def judge(problems):
    print("\n".join(problems) if problems else "nothing to complain of")
    sys.exit(bool(problems))
