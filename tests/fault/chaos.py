#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What happens around a server: each of it, while others are served.

    tests/fault/chaos.py [--short] DEMO UPSTREAM

DEMO is a spate-demo-faults, UPSTREAM a spate-demo, as for faults.py. Each
row has rude clients or a rude machine, and beside it the 200 requests of
script.py on connections of their own, all of which must be answered to the
byte. At the end of each row the process is there, the counters add up and
no connection is left.
"""

import argparse
import contextlib
import ctypes
import fcntl
import os
import pathlib
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time

import control
import script

TCP_REPAIR = 19
PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WALL = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long] * 4
LIBC.ptrace.restype = ctypes.c_long
HALF = b"GET /plaintext HTTP/1.1\r\nHos"
CLIENT = r"""
import socket, sys
link = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
link.sendall(b"GET /bytes/100000000 HTTP/1.1\r\nHost: a\r\n\r\n")
link.recv(1000)
print("under way", flush=True)
while True:
    link.recv(1)
"""


def reset(link):
    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    link.close()


def vanish(link):
    """As of a machine that has lost its power: nothing is sent any more.

    But by the kernel, to whoever still sends there: so not before the last
    that it has to say is here, the acknowledgement of what was sent.
    """
    while fcntl.ioctl(link, termios.TIOCOUTQ, bytes(4)) != bytes(4):
        time.sleep(0.001)
    with contextlib.suppress(PermissionError):
        link.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        link.close()


def ptrace(what, task):
    if LIBC.ptrace(what, task, 0, 0) < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


@contextlib.contextmanager
def standing_still(task):
    """SIGSTOP is for processes; a debugger stops a thread."""
    ptrace(PTRACE_SEIZE, task)
    try:
        ptrace(PTRACE_INTERRUPT, task)
        os.waitpid(task, WALL)
        yield
    finally:
        ptrace(PTRACE_DETACH, task)


def workers(pid):
    """=> Yields the threads of shards: spate/SHARD.WORKER."""
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(OSError):
            name = pathlib.Path(f"/proc/{pid}/task/{task}/comm").read_text()
            if re.match(r"spate/\d", name):
                yield int(task)


def connect(demo, source=None):
    return socket.create_connection(("127.0.0.1", demo.port), script.PATIENCE,
                                    source)


def beside(demo, rude):
    """Run the script while rude() runs, again until it has ended.

    => Returns requests and failures.
    """
    done = threading.Event()
    trouble = []

    def run():
        try:
            rude()
        except Exception as error:  # told of below, whatever it is
            trouble.append(script.Failed(f"the rude side: {error!r}"))
        finally:
            done.set()

    thread = threading.Thread(target=run)
    thread.start()
    scripts, failures = 0, []
    while scripts == 0 or not done.is_set():
        failures += demo.run_script()
        scripts += 1
    thread.join()
    return scripts * script.CLIENTS * script.EACH, failures + trouble


class Chaos:
    def __init__(self, options, report):
        self.options, self.report = options, report
        self.faults = control.Faults()
        self.demo = None

    def row(self, what, count, outcome, complaints=()):
        requests, failures = outcome
        beyond, why = control.judge(self.demo, failures, 0)
        stats = self.demo.quiet_stats()
        why = [*why, *complaints, *script.counters_complain(stats)]
        self.report.row(what, count, requests, count, beyond, why)
        return stats

    # ------------------------------------------------- clients that leave

    def reset_at_each_byte(self):
        """After each byte of an answer, with another on its way."""
        step = 7 if self.options.short else 1
        for path in ("/plaintext", "/chunks/4", "/proxy/plaintext"):
            answer = self.size_of(path)

            def rude(path=path, answer=answer):
                for size in range(0, answer + 1, step):
                    with contextlib.suppress(ConnectionError):
                        link = connect(self.demo)
                        link.sendall(script.get(path)[0]
                                     + script.get("/bytes/300000")[0])
                        got = 0
                        while got < size:
                            got += len(link.recv(size - got)) or size
                        reset(link)

            self.row(f"reset at each byte of {path}", answer // step + 1,
                     beside(self.demo, rude))

    def size_of(self, path):
        """=> Returns the bytes of its answer, head and all."""
        with connect(self.demo) as link:
            link.sendall(script.get(path)[0])
            got = b""
            while not got.endswith((script.HELLO, b"\r\n0\r\n\r\n")):
                got += link.recv(65536)
        return len(got)

    def head_of(self, path):
        with connect(self.demo) as link:
            link.sendall(script.get(path)[0])
            return link.recv(65536).partition(b"\r\n\r\n")[0] + b"\r\n\r\n"

    def reset_in_each_head(self):
        """Half a request, and away: by a reset and by an end."""
        wire = script.chunked(b"c" * 20)[0]
        step = 5 if self.options.short else 1

        def rude():
            for size in range(0, len(wire), step):
                for leave in (reset, socket.socket.close):
                    link = connect(self.demo)
                    link.sendall(wire[:size])
                    leave(link)

        self.row("half a request, then away", 2 * (len(wire) // step),
                 beside(self.demo, rude))

    def single_bytes(self):
        """A client that sends and takes one byte at a time."""
        wire = b"".join(r[0] for r in (
            script.get("/plaintext"), script.post("/echo", b"e" * 300, None),
            script.chunked(b"c" * 300), script.get("/users/42")))
        wrong = []

        def rude():
            with connect(self.demo) as link:
                link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for i in range(len(wire)):
                    link.sendall(wire[i:i + 1])
                link.shutdown(socket.SHUT_WR)
                got = b""
                while byte := link.recv(1):
                    got += byte
            if got.count(b"HTTP/1.1 200 OK") != 4 or not got.endswith(b"42"):
                wrong.append(f"one byte at a time: {got[-200:]}")

        self.row("single bytes both ways", len(wire),
                 beside(self.demo, rude), wrong)

    def killed_clients(self):
        """kill -9 of one that is taking a large answer."""
        rounds = 3 if self.options.short else 100

        def rude():
            for _ in range(rounds):
                client = subprocess.Popen(
                    [sys.executable, "-c", CLIENT, str(self.demo.port)],
                    stdout=subprocess.PIPE)
                client.stdout.readline()
                client.kill()
                client.wait()
                client.stdout.close()

        before = self.demo.quiet_stats()["aborted"]
        stats = self.row("kill -9 of a client", rounds,
                         beside(self.demo, rude))
        if stats["aborted"] - before != rounds:
            self.report.complain("kill -9", [
                f"{stats['aborted'] - before} are counted as aborted"])

    # ------------------------------------------------------------- crowds

    def half_open(self):
        count = 1000
        before = self.demo.rss_kib()
        with contextlib.ExitStack() as stack:
            self.crowd(stack, count)
            outcome = beside(self.demo, lambda: None)
            grown = self.demo.rss_kib() - before
        self.row(f"half open, {grown // count} KiB each", count, outcome)

    def wait_for(self, counter, value, each_look=0):
        """Who looks may be counted, too."""
        end = time.monotonic() + script.PATIENCE
        while (self.demo.stats()[counter] < (value := value + each_look)
               and time.monotonic() < end):
            time.sleep(0.1)

    def crowd(self, stack, count):
        """=> Returns connections with half a request each.

        From another address, lest somebody else gets the port of one that
        has vanished, and ends it.
        """
        links = [stack.enter_context(connect(self.demo, ("127.0.0.2", 0)))
                 for _ in range(count)]
        for link in links:
            link.sendall(HALF)
        return links

    def half_open_for_good(self):
        """Half of them are gone without a word; the others take a 408."""
        count = 20 if self.options.short else 1000
        stats = self.demo.quiet_stats()
        before = stats["timeouts"]
        wrong = []

        def rude():
            self.wait_for("timeouts", before + count)

        with contextlib.ExitStack() as stack:
            links = self.crowd(stack, count)
            # Read, and not only received: then nobody has more to send.
            self.wait_for("bytes_in", stats["bytes_in"] + count * len(HALF),
                          len(script.get("/stats")[0]))
            for link in links[::2]:
                vanish(link)
            outcome = beside(self.demo, rude)
            for link in links[1::2]:
                got = b"".join(iter(lambda link=link: link.recv(4096), b""))
                if not got.startswith(b"HTTP/1.1 408 "):
                    wrong.append(f"instead of 408: {got[:40]}")
        stats = self.row("half open until their time is up", count, outcome,
                         wrong)
        if stats["timeouts"] - before != count:
            self.report.complain("half open: timeouts", [
                f"tell of {stats['timeouts'] - before}"])

    def out_of_descriptors(self):
        """EMFILE from the kernel itself, from a limit that comes down."""
        pid = self.demo.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        held = [connect(self.demo) for _ in range(4)]
        failures = self.ask_all(held)  # so that they are in
        resource.prlimit(pid, resource.RLIMIT_NOFILE,
                         (self.demo.descriptors(), before[1]))
        crowd = []
        for _ in range(50):
            with contextlib.suppress(OSError):
                crowd.append(connect(self.demo))
        failures += self.ask_all(held)
        for link in held + crowd:
            link.close()
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        self.demo.quiet_stats()
        requests, more = beside(self.demo, lambda: None)
        stats = self.row("EMFILE of the kernel", 50,
                         (requests, failures + more))
        if stats["accept_errors"] == 0:
            self.report.complain("EMFILE: accept_errors", ["is 0"])

    @staticmethod
    def ask_all(links):
        failures = []
        for link in links:
            try:
                link.sendall(script.get("/plaintext")[0])
                if not link.recv(4096).endswith(script.HELLO):
                    failures.append(script.Failed("EMFILE: who is in"))
            except OSError as error:
                failures.append(script.Failed(f"EMFILE: {error}"))
        return failures

    def flood_at_the_limit(self):
        """Ten times as many as --max-connections, all at once, in turn."""
        limit, count = 20, 200
        with script.site(self.options.demo, "--shards", "2", "--workers", "2",
                         "--max-connections", str(limit),
                         upstream=self.options.upstream,
                         env=self.faults.env) as self.demo:
            self.demo.wait_ready()
            failures = []
            gate = threading.Barrier(count)

            def one():
                client = self.demo.client()
                gate.wait()
                try:
                    client.ask(script.get("/sleep?ms=5", body=b"ok"))
                    client.ask(script.get("/plaintext"))
                except script.Failed as error:
                    failures.append(error)
                client.close()

            threads = [threading.Thread(target=one) for _ in range(count)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            stats = self.row(f"flood at {limit} connections", count,
                             (2 * count, failures))
            if stats["limited"] == 0:
                self.report.complain("flood: limited", ["is 0"])
            self.finish()

    # ------------------------------------------------------- the machine

    def stopped(self):
        """SIGSTOP and SIGCONT, in the middle of answers."""
        rounds = 2 if self.options.short else 20

        def rude():
            for _ in range(rounds):
                self.demo.process.send_signal(signal.SIGSTOP)
                time.sleep(0.2)
                self.demo.process.send_signal(signal.SIGCONT)
                time.sleep(0.05)

        self.row("SIGSTOP, SIGCONT", rounds, beside(self.demo, rude))

    def stopped_workers(self):
        """One worker after another stands still, wherever it is.

        What it has in its hands waits for it, and whoever it has promised
        to look after; nothing of that is lost. Where nobody may trace, none
        is stopped, and the row says so.
        """
        rounds = 1 if self.options.short else 10
        stops = []

        def rude():
            for _ in range(rounds):
                for task in workers(self.demo.process.pid):
                    with contextlib.suppress(ProcessLookupError,
                                             ChildProcessError,
                                             PermissionError), \
                            standing_still(task):
                        time.sleep(0.05)
                        stops.append(task)

        outcome = beside(self.demo, rude)
        self.row("a worker stands still", len(stops), outcome)

    def signals(self):
        """Signals that are ignored still interrupt; so do traces."""
        rounds = 200

        def rude():
            for _ in range(rounds):
                for task in os.listdir(f"/proc/{self.demo.process.pid}/task"):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(task), signal.SIGWINCH)

        self.row("SIGWINCH to each thread", rounds, beside(self.demo, rude))

    def clock_jumps(self):
        """The time of day: a day ahead, a day back, 1970, 2106."""
        jumps = [86400, -86400, -int(time.time()), 1 << 32, 0]

        def rude():
            for jump in jumps:
                self.faults[control.CLOCK] = jump
                head = self.head_of("/json")
                if b"\r\nDate: " not in head or b"GMT\r\n" not in head:
                    raise AssertionError(head)

        outcome = beside(self.demo, rude)
        self.faults[control.CLOCK] = 0
        self.row("the clock jumps", len(jumps), outcome)

    def upstream_gone(self):
        """What is behind /proxy is killed and comes back elsewhere: 502."""
        with script.site(self.options.demo, "--shards", "2",
                         upstream=self.options.upstream,
                         env=self.faults.env) as self.demo:
            self.demo.wait_ready()
            self.demo.run_script()
            children = self.children_of_ours()
            for pid in children:
                os.kill(pid, signal.SIGKILL)
            client = self.demo.client()
            failures = []
            for _ in range(20):
                try:
                    client.ask(script.get("/proxy/plaintext", 502, None))
                    client.ask(script.get("/plaintext"))
                except script.Failed as error:
                    failures.append(error)
            client.close()
            stats = self.row("the upstream is killed", 20, (40, failures))
            if stats["upstream_errors"] == 0:
                self.report.complain("upstream_errors", ["is 0"])
            self.finish()

    def children_of_ours(self):
        """The upstream: a child of this process that is not the demo."""
        own = pathlib.Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
        return [int(pid) for pid in own.read_text().split()
                if int(pid) != self.demo.process.pid]

    def full_disk(self):
        """Each line of the log fails: /dev/full has no room for it."""
        with open("/dev/full", "wb", buffering=0) as full, \
                socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
            probe.close()
            with script.site(self.options.demo, "--log-level", "debug",
                             "--access-log", "1", stderr=full, port=port,
                             upstream=self.options.upstream) as self.demo:
                self.demo.port = port  # it has no log to say so
                end = time.monotonic() + script.PATIENCE
                while time.monotonic() < end:
                    with contextlib.suppress(ConnectionRefusedError):
                        connect(self.demo).close()
                        break
                    time.sleep(0.01)
                stats = self.row("no room for the log", 1,
                                 beside(self.demo, lambda: None))
                if stats["log_lost"] == 0:
                    self.report.complain("log: lost", ["is 0"])
                self.finish()

    def finish(self):
        code, said = self.demo.end()
        if code != 0 or said:
            self.report.complain("the process", [f"exit code {code}", *said])

    def run(self):
        with script.site(self.options.demo, *control.DEMO,
                         upstream=self.options.upstream,
                         env=self.faults.env) as self.demo:
            self.demo.wait_ready()
            before = self.demo.descriptors()
            for row in (self.reset_at_each_byte, self.reset_in_each_head,
                        self.single_bytes, self.killed_clients,
                        self.half_open, self.half_open_for_good,
                        self.out_of_descriptors, self.stopped,
                        self.stopped_workers, self.signals,
                        self.clock_jumps):
                row()
            why = list(control.ends_well(self.demo, before))
            if why:
                self.report.complain("the process", why)
        self.flood_at_the_limit()
        self.upstream_gone()
        self.full_disk()


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("demo")
    parser.add_argument("upstream")
    options = parser.parse_args()
    begin = time.monotonic()
    report = control.Report()
    Chaos(options, report).run()
    print(f"{report.total[1]} requests, {report.total[2]} failures beyond "
          f"the faulted; {time.monotonic() - begin:.0f} s")
    sys.exit(report.bad != 0)


if __name__ == "__main__":
    main()
