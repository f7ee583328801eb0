#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Is a run the same each time, alone and after others?

    tests/sim/same.py SPATE_SIM

By the hash of its events, which --hash prints. A bug that is found by a seed
is worth nothing if the seed does not find it again.
"""

import subprocess
import sys

SEEDS = 40


def hashes(*arguments):
    output = subprocess.run([sys.argv[1], "--hash", *arguments], check=True,
                            capture_output=True, text=True).stdout
    return dict(line.split() for line in output.splitlines()
                if len(line.split()) == 2)


def main():
    together = hashes("--seeds", str(SEEDS))
    differ = [seed for seed, value in together.items()
              if hashes("--seed", seed)[seed] != value]
    for seed in differ:
        print(f"seed {seed} is another run when it comes first")
    print(f"{len(together)} seeds, {len(set(together.values()))} hashes")
    sys.exit(bool(differ) or len(set(together.values())) != SEEDS)


if __name__ == "__main__":
    main()
