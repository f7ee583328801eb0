# SPDX-License-Identifier: BSD-2-Clause
"""One run of spate-bench, pinned, as the object that it prints."""

import json
import subprocess
import time

import wrk

SETTLE_SECONDS = 0.3


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
