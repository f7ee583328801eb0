# SPDX-License-Identifier: BSD-2-Clause
"""What /proc knows of a server: CPU time and memory."""

import os
import pathlib

TICK_NS = 10**9 // os.sysconf("SC_CLK_TCK")


def tree(pid):
    """The process and all its descendants."""
    found = [pid]
    for one in found:
        for children in pathlib.Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found.extend(int(child) for child in
                             children.read_text().split())
            except OSError:
                continue
    return found


class Cpu:
    """CPU time of a process tree at one moment, in nanoseconds.

    The scheduler's count of each thread is exact; the split in user and
    system comes in ticks. A thread that has ended is missing from the first
    and part of the second.
    """

    def __init__(self, pid):
        self.exact = {}
        self.user = self.system = 0
        for one in tree(pid):
            for task in pathlib.Path(f"/proc/{one}/task").iterdir():
                try:
                    ran = (task / "schedstat").read_text().split()[0]
                except OSError:
                    continue
                self.exact[task.name] = int(ran)
            fields = pathlib.Path(f"/proc/{one}/stat").read_text()
            fields = fields.rpartition(")")[2].split()
            self.user += int(fields[11]) * TICK_NS
            self.system += int(fields[12]) * TICK_NS

    def since(self, before):
        """=> Returns user and system nanoseconds between the two."""
        user = self.user - before.user
        system = self.system - before.system
        total = user + system
        if set(before.exact) <= set(self.exact):
            total = sum(self.exact.values()) - sum(before.exact.values())
        share = user / (user + system) if user + system else 0.0
        return total * share, total * (1 - share)


def resident_bytes(pid):
    """What the process tree has in RAM."""
    total = 0
    for one in tree(pid):
        with open(f"/proc/{one}/smaps_rollup", encoding="ascii") as rollup:
            for line in rollup:
                if line.startswith("Rss:"):
                    total += int(line.split()[1]) * 1024
    return total
