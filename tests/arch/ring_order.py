#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What gcc makes of the ready ring's dequeue on aarch64.

    tests/arch/ring_order.py [INCLUDE]

Concurrency Kit 0.7.1 orders the copy of a slot against the step of the head
by a barrier for stores alone. The copy is a load: if its value stays in a
register the slot may be read after the producer has used it again. So
shards/ready_ring.h has the dequeue not inlined, with memory to copy to: a
store that needs the load's value, in front of the barrier.

This compiles the header at each level and looks for load, store of what was
loaded, barrier and step, in this order; and compiles it once more without
"noinline", which has to show the load with nothing behind it, or else this
test sees nothing. INCLUDE has Concurrency Kit's headers for aarch64; without
it this machine's are told to be those. Exit code 77: there is no cross
compiler.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
GCC, OBJDUMP = "aarch64-linux-gnu-gcc", "aarch64-linux-gnu-objdump"
LEVELS = ["-O1", "-O2", "-O3", "-Os"]

# As its package for arm64 has them; the header here is this machine's.
CK = ["-DCK_MD_H", "-DCK_MD_RMO", "-DCK_MD_CACHELINE=64",
      "-DCK_MD_PAGESIZE=4096", "-DCK_MD_POINTER_PACK_DISABLE",
      "-idirafter", "/usr/include"]

SOURCE = """
#include "shards/ready_ring.h"

struct sp_task *
take(struct sp_ready_ring *ready)
{
	return sp_ready_ring_take(ready);
}
"""


def disassemble(*flags):
    """=> Returns function -> instructions."""
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "ring.c")
        source.write_text(SOURCE)
        subprocess.run(
            [GCC, *flags, "-D_GNU_SOURCE", "-std=gnu11",
             "-fno-strict-aliasing", f"-I{ROOT}",
             f"-I{ROOT}/framework/include", "-c", source,
             "-o", source.with_suffix(".o")], check=True)
        text = subprocess.run(
            [OBJDUMP, "-d", "--no-show-raw-insn", source.with_suffix(".o")],
            check=True, capture_output=True, text=True).stdout
    functions, name = {}, None
    for line in text.splitlines():
        if head := re.match(r"[0-9a-f]+ <([\w.]+)>:", line):
            name = head[1].partition(".")[0]  # "ready_ring_copy.isra.0"
            functions[name] = []
        elif name and (found := re.match(r"\s+[0-9a-f]+:\s+(.+)", line)):
            functions[name].append(re.sub(r"\s+", " ", found[1]).strip())
    return functions


def complain(code):
    """=> Returns what is wrong with the dequeue, or None."""
    steps = [i for i, line in enumerate(code) if line.startswith("ldxr")]
    if not steps:
        return "no step of the head"
    before = code[:steps[0]]
    barriers = [i for i, line in enumerate(before)
                if re.match(r"dmb (ishst|ish)$", line)]
    if not barriers:
        return "no barrier in front of the step"
    before = before[:barriers[-1]]
    # The slot is eight bytes by an index of four.
    loads = [(i, found[1]) for i, line in enumerate(before)
             if (found := re.match(r"ldr (x\d+), \[x\d+, [wx]\d+", line))]
    if not loads:
        return "no load of a slot"
    at, register = loads[-1]
    if not any(re.match(rf"str {register}, \[", line)
               for line in before[at:]):
        return "the copy stays in a register"
    if not any(line in ("dmb ishld", "dmb ish") for line in before[:at]):
        return "no barrier between the tail and the slot"
    return None


def main():
    if shutil.which(GCC) is None or shutil.which(OBJDUMP) is None:
        print(f"no {GCC}")
        sys.exit(77)
    headers = ["-isystem", sys.argv[1]] if len(sys.argv) > 1 else CK
    failed = False
    for level in LEVELS:
        wrong = complain(disassemble(level, *headers)["ready_ring_copy"])
        print(f"{level}: {wrong or 'in order'}")
        failed |= wrong is not None
    wrong = complain(
        disassemble("-O2", "-w", *headers, "-Dnoinline=always_inline")["take"])
    print(f"inlined: {wrong}")
    failed |= wrong != "the copy stays in a register"
    sys.exit(failed)


if __name__ == "__main__":
    main()
