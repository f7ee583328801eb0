#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""spate-doctor, on machines that are made up.

    tests/e2e/doctor_test.py DEMO [NAME]

It is in the folder of the demo.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

DEMO = None
USAGE = 64
CLOCK = "sys/devices/system/clocksource/clocksource0/"
THP = "sys/kernel/mm/transparent_hugepage/enabled"
PORTS = "proc/sys/net/ipv4/ip_local_port_range"
WELL = {
    "proc/sys/net/core/somaxconn": "4096\n",
    "proc/self/limits": "Limit                     Soft Limit  Hard Limit\n"
                        "Max processes             7           7\n"
                        "Max open files            1024        1048576  f\n",
    "proc/self/cgroup": "0::/app\n",
    "sys/fs/cgroup/app/cpu.max": "max 100000\n",
    PORTS: "32768\t60999\n",
    THP: "always [madvise] never\n",
    CLOCK + "current_clocksource": "tsc\n",
    CLOCK + "available_clocksource": "tsc hpet acpi_pm\n",
    "proc/sys/kernel/osrelease": "6.1.0-40-amd64\n",
}


def doctor(*arguments):
    program = pathlib.Path(DEMO).parent / "spate-doctor"
    return subprocess.run([program, *arguments], capture_output=True,
                          text=True, timeout=60, check=False)


def at(changes, *arguments):
    """On a machine that is well but for these files; None: not there."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {**WELL, **changes}.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is not None:
                path.write_text(text)
        return doctor("--root", folder, *arguments)


class DoctorTest(unittest.TestCase):
    def expect_warning(self, changes, what, command, *arguments):
        done = at(changes, *arguments)
        lines = done.stdout.splitlines()
        warned = [i for i, line in enumerate(lines)
                  if line.startswith("WARN")]
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual(len(warned), 1, done.stdout)
        self.assertIn(what, lines[warned[0]])
        self.assertIn(command, lines[warned[0] + 1])

    def test_a_machine_that_is_well(self):
        done = at({})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual([line.split()[0] for line
                          in done.stdout.splitlines()], ["OK"] * 7)

    def test_each_thing_that_is_not(self):
        for changes, what, command in (
                ({"proc/sys/net/core/somaxconn": "128\n"}, "somaxconn",
                 "sysctl -w net.core.somaxconn=4096"),
                ({"proc/self/limits": "Max open files 1024 4096 files\n"},
                 "4096", "LimitNOFILE=65536"),
                ({PORTS: "60000\t60999\n"}, "60000 to 60999",
                 "ip_local_port_range="),
                ({THP: "[always] madvise never\n"}, "always",
                 "echo madvise >/sys/kernel/mm"),
                ({CLOCK + "current_clocksource": "hpet\n"}, "hpet",
                 "echo tsc >/sys/devices"),
                ({CLOCK + "current_clocksource": "acpi_pm\n",
                  CLOCK + "available_clocksource": "hpet acpi_pm\n"},
                 "acpi_pm", "dmesg"),
                ({"proc/sys/kernel/osrelease": "5.10.0-9-amd64\n"},
                 "5.10", "linux-image")):
            self.expect_warning(changes, what, command)

    def test_a_quota_that_is_less_than_the_shards(self):
        self.expect_warning({"sys/fs/cgroup/app/cpu.max": "100000 100000\n"},
                            "CPU quota", "--shards 1;", "--shards", "2")
        done = at({"sys/fs/cgroup/app/cpu.max": "100000 100000\n"})
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("1 CPUs for 1 shards", done.stdout)
        many = len(os.sched_getaffinity(0)) + 1
        self.expect_warning({}, "share CPUs", "--shards", "-s", str(many))

    def test_what_cannot_be_read_is_no_warning(self):
        done = at(dict.fromkeys(WELL))
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(done.stdout.count("cannot be read"), 6)
        done = at({PORTS: "x\n", THP: "\n", "proc/self/limits": ""})
        self.assertEqual(done.stdout.count("cannot be read"), 3)

    def test_this_machine_has_an_answer(self):
        done = doctor()
        self.assertIn(done.returncode, (0, 1))
        self.assertEqual("WARN" in done.stdout, done.returncode == 1)

    def test_flags_have_to_make_sense(self):
        for arguments in (["-s", "0"], ["-s", "257"], ["-s", "x"], ["--no"],
                          ["extra"], ["-r", "x" * 2000]):
            self.assertEqual(doctor(*arguments).returncode, USAGE, arguments)


def main():
    global DEMO
    DEMO = sys.argv.pop(1)
    unittest.main()


if __name__ == "__main__":
    main()
