# SPDX-License-Identifier: BSD-2-Clause
"""Calls that fail while a server starts and while it ends.

A process for each N. One that cannot start says why in one line and has an
exit code for it; one that can do without serves the whole script. While it
ends, whoever is being answered gets the whole answer, unless it was theirs
that failed, and the process ends as if nothing had been.
"""

import contextlib
import ctypes

import control
import script

SYS_LANDLOCK_CREATE_RULESET = 444
SANDBOX = ("sandboxed", "--sandbox")
USER = ("as nobody", "--user", "nobody")
NUMBER = ("as a number", "--user", "12345:12346")

# Call, error, and how else it starts with which flags.
STARTING = [
    ("malloc", "ENOMEM"), ("calloc", "ENOMEM"), ("realloc", "ENOMEM"),
    ("posix_memalign", "ENOMEM"), ("mmap", "ENOMEM"), ("munmap", "ENOMEM"),
    ("open", "EMFILE"), ("read", "EIO"),
    ("socket", "EMFILE"), ("bind", "EADDRINUSE"), ("listen", "EADDRINUSE"),
    ("setsockopt", "ENOMEM"), ("getsockname", "ENOBUFS"),
    ("epoll_create1", "EMFILE"), ("epoll_ctl", "ENOMEM"),
    ("eventfd", "EMFILE"), ("timerfd_create", "EMFILE"),
    ("pthread_create", "EAGAIN"), ("sigaltstack", "ENOMEM"),
    ("getrandom", "ENOSYS"), ("getrlimit", "EPERM"), ("setrlimit", "EPERM"),
    ("sched_getaffinity", "EINVAL"), ("sched_setaffinity", "EINVAL"),
    ("sched_setattr", "EPERM"), ("prctl", "EINVAL"), ("epoll_pwait", "EINTR"),
    ("fcntl", "EMFILE"), ("strdup", "ENOMEM"), ("write_log", "EINTR"),
    ("poll", "EINTR"), ("close", "EINTR"), ("futex", "EINTR"),
    ("madvise", "EINVAL"),
    # Nobody stays root; whoever has no Landlock is told.
    ("initgroups", "EPERM", *USER), ("setresgid", "EPERM", *USER),
    ("setresuid", "EAGAIN", *USER), ("prctl", "EINVAL", *USER),
    ("capset", "EPERM", *USER), ("setgroups", "EPERM", *NUMBER),
    ("landlock_create_ruleset", "ENOSYS", *SANDBOX),
    ("landlock_add_rule", "ENOMEM", *SANDBOX),
    ("landlock_restrict_self", "E2BIG", *SANDBOX),
    ("prctl", "EINVAL", *SANDBOX), ("realpath", "ENOENT", *SANDBOX),
]

# Call, error, how many of those that are being answered it may fail.
ENDING = [
    ("ioctl", "EINVAL", 0), ("recv", "EINTR", 0), ("recv", "ECONNRESET", 1),
    ("send", "SHORT", 0), ("send", "EINTR", 0), ("send", "EPIPE", 1),
    ("sendmsg", "EINTR", 0), ("sendmsg", "EPIPE", 1),
    ("epoll_pwait", "EINTR", 0), ("futex", "EINTR", 0),
    ("futex", "EAGAIN", 0), ("poll", "EINTR", 0),
    ("clock_nanosleep", "EINTR", 0), ("close", "EINTR", 0),
    ("close", "EIO", 0), ("write_log", "ENOSPC", 0),
]


class Starting:
    """Until one has no failure."""

    def __init__(self, options, report, behind):
        self.options, self.report = options, report
        self.behind = behind

    def once(self, call, error, at, flags):
        """=> Returns fired, requests, and complaints."""
        faults = control.Faults()
        env = {**faults.env, "SPATE_FAULT":
               f"{call}:{control.code_of(error)}:{at}:1"}
        clients = 1 if self.options.short else script.CLIENTS
        with script.site(self.options.demo, *control.DEMO, *flags,
                         behind=self.behind, env=env) as demo:
            try:
                if not demo.wait_ready():
                    return faults[control.FIRED], 0, self.without(demo)
                faults.disarm()
                why = [str(f) for f in demo.run_script(clients)]
            except script.Failed as failure:
                why = [str(failure)]
            why += control.exit_complains(demo)
        return faults[control.FIRED], clients * script.EACH, why

    @staticmethod
    def without(demo):
        """It has not started. => Returns complaints."""
        text = demo.text()
        code, said = demo.end()
        if not 64 <= code <= 78:
            said.append(f"exit code {code}: {text}")
        if len(text.splitlines()) != 1:
            said.append(f"instead of one line: {text}")
        return said

    def run(self, call, error, how="starting", *flags):
        complaints = []
        runs = hit = requests = 0
        for at, (fired, asked, why) in control.in_turn(
                lambda at: self.once(call, error, at, flags),
                self.options.short):
            complaints += [f"N = {at}: {text}" for text in why]
            runs += 1
            requests += asked
            hit += fired != 0
        self.report.row(f"{call} {error}, {how}", runs, requests, hit, 0,
                        complaints)


class Held:
    """Who is in the middle of an answer, and who waits for the next."""

    def __init__(self, demo):
        self.demo = demo
        self.idle = [demo.client() for _ in range(2)]
        self.body = b"b" * 60000
        self.half = script.proxied_both_ways(self.body)[0]
        self.size = 5000000
        self.taker, self.giver = demo.client(), demo.client()

    def begin(self):
        for client in self.idle:
            client.ask(script.get("/plaintext"))
        self.taker.connect()
        self.taker.link.sendall(script.get(f"/bytes/{self.size}")[0])
        self.giver.connect()
        self.giver.link.sendall(self.half[:30000])
        for client in (self.taker, self.giver):
            client.stream.peek(1)

    def finish(self):
        """=> Returns what failed."""
        failures = []

        def get(client, wire, right):
            try:
                client.link.sendall(wire)
                if script.read_answer(client.stream) != (200, right):
                    failures.append(script.Failed("another answer"))
            except TimeoutError:
                failures.append(script.Hung("while it ends"))
            except (OSError, ValueError, script.Failed) as error:
                failures.append(script.Failed(f"while it ends: {error}"))

        get(self.taker, b"", script.letters(self.size))
        get(self.giver, self.half[30000:], self.body)
        # A kept connection is closed without anything more.
        for client in self.idle:
            with contextlib.suppress(ConnectionResetError):
                try:
                    if client.stream.read(1):
                        failures.append(script.Failed("to an idle client"))
                except TimeoutError:
                    failures.append(script.Hung("an idle connection stays"))
        return failures

    def close(self):
        for client in (*self.idle, self.taker, self.giver):
            client.close()


class Ending:
    """Until one has no failure."""

    def __init__(self, options, report):
        self.options, self.report = options, report

    def once(self, call, error, at, allowed):
        """=> Returns fired, failures beyond, and complaints."""
        faults = control.Faults()
        with script.site(self.options.demo, *control.DEMO,
                         upstream=self.options.upstream,
                         env=faults.env) as demo:
            demo.wait_ready()
            held = Held(demo)
            with contextlib.closing(held):
                held.begin()
                faults.arm(call, error, at)
                demo.process.terminate()
                failures = held.finish()
            # A second SIGTERM would not let it end by itself.
            code, said = demo.wait()
        fired = faults[control.FIRED]
        hung = sum(isinstance(f, script.Hung) for f in failures)
        beyond = max(len(failures) - allowed * fired, hung)
        why = [str(f) for f in failures] if beyond else []
        why += said[:5] + ([f"exit code {code}"] if code else [])
        return fired, beyond, why

    def run(self, call, error, allowed):
        runs = hit = beyond = 0
        complaints = []
        for at, (fired, more, why) in control.in_turn(
                lambda at: self.once(call, error, at, allowed),
                self.options.short):
            runs += 1
            hit += fired
            beyond += more
            complaints += [f"N = {at}: {text}" for text in why]
        self.report.row(f"{call} {error}, ending", runs, 4 * runs, hit,
                        beyond, complaints)


def has_landlock():
    """Whether the kernel has it, by its version. It is not in every one."""
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.syscall(SYS_LANDLOCK_CREATE_RULESET, None, 0, 1) > 0


def run(options, report, wanted):
    """Each of these calls that is wanted."""
    with script.site(options.upstream) as other:
        other.wait_ready()
        starting = Starting(options, report, f"127.0.0.1:{other.port}")
        for row in STARTING:
            if wanted(row[0]) and (row[2:] != SANDBOX or has_landlock()):
                starting.run(*row)
    ending = Ending(options, report)
    for row in ENDING:
        if wanted(row[0]):
            ending.run(*row)
