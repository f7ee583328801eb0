#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Does `make faults` know of each call that the server makes?

    tests/fault/calls.py NM OBJECT...

What the layers leave to be found elsewhere has a WRAP(), is memory in and
memory out, or stands here with the reason why it is not failed. And each
WRAP() has a row: a call that nobody fails is not tested by being wrapped.
"""

import pathlib
import re
import subprocess
import sys

import faults
import turning_points

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "sim"))
import symbols  # noqa: E402

NOT_FAILED = {
    "memory in and memory out, of an unoptimised build": """
        __popcountdi2 bsearch htonl htons ntohs""",
    "says what the process ends with": "fprintf",
    "malloc()'s, where there is no jemalloc": "malloc_trim mallinfo2",
    "where a stack is, for a sanitizer": """
        pthread_getattr_np pthread_attr_getstack""",
    "cannot fail, or asks what is always there": """
        free getpid gettid getuid geteuid getegid getpriority sysconf getenv
        stderr program_invocation_short_name strsignal sigaddset abort pause
        pthread_self pthread_attr_init pthread_attr_destroy
        pthread_attr_setstacksize pthread_once pthread_sigmask sigwait
        sigaction raise pthread_join""",
    "is done without when it fails, and nothing more is asked": """
        pthread_setname_np unlink readdir closedir""",
    "at the first start only, of words that every process has": """
        pthread_key_create pthread_setspecific""",
    "fails on purpose: who is no longer root asks to be": "setuid",
    "of the socket that a killed server left; process_test": "lstat",
    "of a heap profile, which this build does not keep": "lseek",
    "a library's own; its errors have tests: process_test, names_test": """
        getgrnam getpwnam getpwuid getaddrinfo freeaddrinfo argp_parse
        argp_err_exit_status argp_program_version""",
    "not in the program that is failed, whose sanitizer it would hinder": """
        seccomp_init seccomp_attr_set seccomp_rule_add_array seccomp_release
        seccomp_syscall_resolve_name seccomp_load""",
    "a library's, with threads and memory of its own": """
        mallctl mallctlbymib mallctlnametomib compat_futex_async""",
    "the kernel does not fail these: faults.py": "timerfd_settime write",
}
# Compilers' and sanitizers', and liburcu's.
OTHERS = ("__asan_", "__ubsan_", "__lsan_", "__sanitizer_", "__tsan_",
          "__gcov_", "urcu_qsbr_", "sp_", "spate_")
CHECKED = re.compile(r"__(\w+)_chk$|__(openat)_2$")


def undefined(nm, objects):
    output = subprocess.run([nm, "--undefined-only", *objects], check=True,
                            capture_output=True, text=True).stdout
    for line in output.splitlines():
        if " U " in line:
            name = line.split()[-1]
            found = CHECKED.match(name)
            yield (found[1] or found[2]) if found else name


def main():
    nm, *objects = sys.argv[1:]
    reasons = {name for names in NOT_FAILED.values() for name in names.split()}
    wrapped = {name for path in HERE.glob("*.c") for name in
               re.findall(r"^WRAP\([^,]*, (\w+),", path.read_text(), re.M)}
    calls = set(re.findall(r"^\tX\((\w+)\)",
                           (HERE / "wrap.h").read_text(), re.M))
    rows = {row[0] for table in (
        faults.RUNNING, faults.COLD, faults.ALL_ALONG, faults.STORMS,
        turning_points.STARTING, turning_points.ENDING) for row in table}
    found = set(undefined(nm, objects))
    strange = {name for name in found if not name.startswith(OTHERS)}
    strange -= wrapped | reasons | symbols.PURE
    for name in sorted(strange):
        print(f"{name}: nobody fails it; wrap it, or say why in calls.py")
    idle = calls - rows - reasons
    for name in sorted(idle):
        print(f"{name}: it is wrapped, and no row has it fail")
    print(f"{len(found)} symbols, {len(rows)} calls that fail")
    sys.exit(bool(strange or idle) or not found)


if __name__ == "__main__":
    main()
