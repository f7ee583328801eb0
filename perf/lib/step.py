# SPDX-License-Identifier: BSD-2-Clause
"""One step of perf/run as a script of its own."""

import copy
import sys

import servers
import settings as config
import table
import wrk


def take(name, settings, module, /, **options):
    """Runs a step and saves it. => Returns its claims, or None."""
    result = measure(name, settings, module, **options)
    return result and result.pop("made")


def measure(name, settings, module, /, **options):
    """=> Returns what was saved, and the claims as "made"; or None."""
    settings = copy.copy(settings)  # a step may change what is its own
    try:
        result, claims = module.run(settings, **options)
    except (servers.Unusable, wrk.Failed) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return None
    result["claims"] = [claim.record() for claim in claims]
    print(f"-> {settings.save(name, result)}\n", flush=True)
    return {**result, "made": claims}


def begin(args):
    servers.guard()
    servers.raise_descriptor_limit()
    return config.Settings(args)


def main(about, module, add=None, own=()):
    options = config.parser(about)
    if add:
        add(options)
    args = options.parse_args()
    try:
        claims = take(module.__name__, begin(args), module,
                      **{name: getattr(args, name) for name in own})
    except KeyboardInterrupt:
        sys.exit(130)
    if claims is None:
        sys.exit(1)
    if claims:
        print(table.claims(claims))
