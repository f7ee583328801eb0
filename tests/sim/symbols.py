#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Does the server call anything that the simulation does not know of?

    tests/sim/symbols.py NM WRAPPED,... OBJECT...

A call that libc would pass on to the real kernel, with a simulated
descriptor, would make runs differ and checks lie. So what the layers leave to
be found elsewhere has to be replaced (wrap.h), the simulation's own, or one
of the functions that need no kernel.
"""

import subprocess
import sys

# Of libc and the compiler: memory in, memory out.
PURE = set("""
    memchr memcmp memcpy memmove memset strcasecmp strchr strchrnul strcmp
    strcspn strlen strncasecmp strncmp strnlen strrchr strsep strspn strstr
    strtod strtod_l strtoll strtoull strerrordesc_np snprintf vsnprintf
    inet_ntop inet_pton newlocale freelocale uselocale sigfillset
    __sched_cpualloc __sched_cpufree __errno_location __stack_chk_fail
    _GLOBAL_OFFSET_TABLE_
    __isoc99_sscanf __divti3 __udivti3 __cpu_indicator_init __cpu_model
    __ctype_b_loc __tls_get_addr qsort gmtime_r strftime
    sigdelset sigemptyset sigabbrev_np
""".split())

# Of the real process, and the same in each run: stacks and chunks, and what
# the process says before it aborts.
SAME = set("""
    pthread_attr_init pthread_attr_destroy pthread_attr_setstacksize
    madvise mprotect munmap sysconf mallinfo2 malloc_trim pthread_once
    abort fprintf stderr
""".split())

# For a program that crashes, which the simulated one does not ask for.
CRASH = set("sigaction sigaltstack raise pause".split())

# For a profile of the heap, which nobody asks of it.
HEAP = set("lseek memfd_create".split())

# For a program that is to become another user, likewise.
USER = set("""
    getuid geteuid getegid getpwnam getpwuid getgrnam initgroups setgroups
    setresuid setresgid setuid
""".split())

# For a Unix socket that has a file, which no server here listens at.
FILE = {"lstat"}

# For the sandbox, likewise.
SANDBOX = {"realpath"}

OURS = ("sp_", "spate_", "sim_", "rcu_")
SIMULATED = {"call_rcu", "get_default_call_rcu_data"}


def main():
    nm, wrapped, *objects = sys.argv[1:]
    known = PURE | SAME | CRASH | HEAP | USER | SANDBOX | SIMULATED | FILE
    known |= set(wrapped.split(","))
    output = subprocess.run([nm, "--undefined-only", *objects], check=True,
                            capture_output=True, text=True).stdout
    found = {line.split()[-1] for line in output.splitlines()
             if " U " in line}
    strange = sorted(name for name in found - known
                     if not name.startswith(OURS))
    for name in strange:
        print(f"{name}: replace it in tests/sim/wrap_*.c, or say in "
              "symbols.py that it asks nothing of the kernel")
    print(f"{len(found)} symbols, {len(strange)} strange")
    sys.exit(bool(strange) or not found)


if __name__ == "__main__":
    main()
