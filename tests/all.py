#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every preset named has its turn: configure, build, every test.

usage: tests/all.py PRESET...

One run tells of every failure, and its last lines say all that matters, for
who sees no more than those. A test that failed runs again by itself, with
nothing beside it: if it passes REPEATS times in a row it is called unsteady,
which is a bug of the test or of what it tests, but not of the change at hand,
so that it is told and forgiven. A report of a sanitizer or of valgrind, or a
death by a signal, is never forgiven: what it saw is there, however rarely.
What is skipped says why, and so does a preset whose packages cannot be had.
"""

import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parents[1]
REPEATS = 3
# What a preset has to fetch before, and what that ends with if there is none.
FETCHES = {'aarch64': ['sh', 'cmake/sysroot.sh', 'build/sysroot-aarch64']}
UNAVAILABLE = 69
# More than this is no matter of bad luck.
FORGIVEN_AT_MOST = 5
SEEN_FOR_SURE = re.compile(
    r'(Thread|Address|Leak|UndefinedBehavior)Sanitizer|runtime error:'
    r'|ERROR SUMMARY: [1-9]|SIG(SEGV|ABRT|BUS|ILL|FPE)\b'
    r'|Segmentation fault|Assertion .* failed')
# What is worth a place in the last lines of a run.
TELLING = re.compile(r'\b(Error|error|Failure|FAIL|failed|expected|WARNING)\b')


def read_results(path):
    """{name: output} of what failed, of what was skipped; and how many
    passed."""
    failed, skipped, passed = {}, {}, 0
    for case in xml.parse(path).getroot().iter('testcase'):
        output = case.findtext('system-out') or ''
        if case.find('failure') is not None or case.get('status') == 'fail':
            failed[case.get('name')] = output
        elif case.find('skipped') is not None:
            skipped[case.get('name')] = output
        else:
            passed += 1
    return failed, skipped, passed


def passes_alone(build, name):
    """True if a test passes REPEATS times with nothing beside it."""
    return subprocess.run(
        ['ctest', '--test-dir', build, '-R', f'^{re.escape(name)}$',
         '--repeat', f'until-fail:{REPEATS}', '--output-on-failure',
         '--no-tests=error'], cwd=ROOT, check=False).returncode == 0


def telling_line(output):
    """The line of an output that says most of why it failed."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    sure = [line for line in lines if SEEN_FOR_SURE.search(line)]
    told = [line for line in lines if TELLING.search(line)]
    return ((sure or told[-1:] or lines[-1:] or ['nothing said'])[0])[:120]


def reason(output):
    """Why a test was skipped: tests/harness.h, or the last it had to say."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    told = [line.partition(': ')[2] for line in lines
            if line.startswith('skip ')]
    return ((told or lines[-1:] or ['nothing said'])[0])[:120]


def fetch(preset):
    """Why what a preset needs cannot be had, or None."""
    if preset not in FETCHES:
        return None
    done = subprocess.run(FETCHES[preset], cwd=ROOT, check=False, text=True,
                          stderr=subprocess.PIPE)
    return done.stderr.strip() if done.returncode == UNAVAILABLE else None


def run_preset(preset):
    """Builds and tests one preset; (passed, the lines to say of it)."""
    missing = fetch(preset)
    if missing is not None:
        return True, [f'{preset}: not run: {missing}']
    build = ROOT / 'build' / preset
    results = build / 'results.xml'
    results.unlink(missing_ok=True)
    code = subprocess.run(['cmake', '--workflow', '--preset', preset],
                          cwd=ROOT, check=False).returncode
    if not results.exists():
        return False, [f'{preset}: was not built: see above']
    failed, skipped, count = read_results(results)
    if code != 0 and not failed:
        return False, [f'{preset}: ctest ended with {code}: see above']
    said = [f'{preset}: skipped: {name}: {reason(output)}'
            for name, output in skipped.items()]
    if not failed:
        return True, [f'{preset}: all {count} passed', *said]
    passed = len(failed) <= FORGIVEN_AT_MOST
    for name, output in failed.items():
        if len(failed) > FORGIVEN_AT_MOST or SEEN_FOR_SURE.search(output):
            steady = False
        else:
            steady = passes_alone(build, name)
        passed = passed and steady
        said.append(f'{preset}: {"unsteady" if steady else "FAILED"}: '
                    f'{name}: {telling_line(output)}')
    return passed, said


def main(presets):
    passed = True
    said = []
    for preset in presets:
        good, lines = run_preset(preset)
        passed = passed and good
        said += lines
    print('\n'.join('make test: ' + line for line in said))
    print(f'make test: {"passed" if passed else "FAILED"}', flush=True)
    return 0 if passed else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
