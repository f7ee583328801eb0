# SPDX-License-Identifier: BSD-2-Clause
"""One run of spate-bench, pinned, as the object that it prints."""

import json
import subprocess
import time

import wrk

SETTLE_SECONDS = 0.3
TRIES = 3


def command(settings, url, *options, cpus=None):
    pinned = ",".join(map(str, cpus or settings.client_cpus))
    return ["taskset", "-c", pinned, str(settings.bench), "--json",
            *map(str, options), url]


def run(settings, url, *options, cpus=None):
    argv = command(settings, url, *options, cpus=cpus)
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise wrk.Failed(f"{' '.join(argv)}:\n{done.stderr}")
    return json.loads(done.stdout)


def watched(settings, url, *options, pids, cpus=None):
    """A run that reports what these processes spent.

    A client that is kept from its CPU for all of the time that counts has
    nothing to report. That is the machine's doing, so it gets another try.
    """
    for _ in range(TRIES):
        found = run(settings, url, *options, "--watch",
                    ",".join(map(str, pids)), cpus=cpus)
        if "watch" in found:
            return found
    raise wrk.Failed(f"the client did not run when it was to look, {TRIES} "
                     "times; is the machine that busy?")


def requests(settings, url, count, *options, connections=64, depth=1):
    """Exactly so many requests, all of which must be answered.

    options are more of spate-bench's, and the later ones hold.

    => The server has had time to see the connections close.
    """
    result = run(settings, url, "-c", connections, "-p", depth, "-n", count,
                 *options)
    answered = result["total_answered"]
    if answered != count or result["lost"] or result["all"]["not_2xx"]:
        raise wrk.Failed(f"{answered} of {count} requests were answered: "
                         f"{result}")
    time.sleep(SETTLE_SECONDS)
    return result
