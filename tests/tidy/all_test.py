#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What tests/all.py says of projects that pass, fail, and do both by turns.

    tests/tidy/all_test.py
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ALL = pathlib.Path(__file__).resolve().parents[1] / 'all.py'
PROJECT = '''
cmake_minimum_required(VERSION 3.25)
project(tried LANGUAGES NONE)
enable_testing()
'''
PRESETS = {
    'version': 6,
    'configurePresets': [{
        'name': 'tried', 'generator': 'Ninja',
        'binaryDir': '${sourceDir}/build/tried'}],
    'testPresets': [{
        'name': 'tried', 'configurePreset': 'tried',
        'output': {
            'outputJUnitFile': '${sourceDir}/build/tried/results.xml'}}],
    'workflowPresets': [{
        'name': 'tried', 'steps': [
            {'type': 'configure', 'name': 'tried'},
            {'type': 'test', 'name': 'tried'}]}],
}
# Fails when it runs first, and says so in the words given.
ONCE = 'test -e ran || { touch ran; echo "%s"; exit 1; }'


class AllTest(unittest.TestCase):

    def run_all(self, *scripts):
        """all.py over a project with these tests; (exit code, last lines)."""
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            (root / 'tests').mkdir()
            shutil.copy(ALL, root / 'tests')
            (root / 'CMakePresets.json').write_text(json.dumps(PRESETS))
            (root / 'CMakeLists.txt').write_text(PROJECT + ''.join(
                f'add_test(NAME one.{at} COMMAND sh -c [==[{script}]==])\n'
                f'set_tests_properties(one.{at} PROPERTIES\n'
                '  SKIP_RETURN_CODE 77)\n'
                for at, script in enumerate(scripts)))
            done = subprocess.run(
                [sys.executable, root / 'tests/all.py', 'tried'],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                check=False)
            return done.returncode, [
                line for line in done.stdout.splitlines()
                if line.startswith('make test: ')]

    def test_what_passes_passes(self):
        self.assertEqual(self.run_all('true', 'true'), (0, [
            'make test: tried: all 2 passed', 'make test: passed']))

    def test_a_failure_is_named_with_its_reason(self):
        self.assertEqual(
            self.run_all('true', 'echo; echo "the error is 7"; false'),
            (1, ['make test: tried: FAILED: one.1: the error is 7',
                 'make test: FAILED']))

    def test_what_is_skipped_says_why(self):
        told = 'echo "skip it: no such CPU"; echo "1 skipped"; exit 77'
        self.assertEqual(self.run_all('true', told, 'exit 77'), (0, [
            'make test: tried: all 1 passed',
            'make test: tried: skipped: one.1: no such CPU',
            'make test: tried: skipped: one.2: nothing said',
            'make test: passed']))

    def test_packages_that_cannot_be_had_are_told(self):
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            for folder in ('tests', 'cmake'):
                (root / folder).mkdir()
            shutil.copy(ALL, root / 'tests')
            (root / 'cmake/sysroot.sh').write_text('echo no >&2; exit 69\n')
            done = subprocess.run(
                [sys.executable, root / 'tests/all.py', 'aarch64'],
                capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout.splitlines()), (0, [
            'make test: aarch64: not run: no', 'make test: passed']))

    def test_what_fails_once_is_forgiven_aloud(self):
        self.assertEqual(self.run_all(ONCE % 'expected less'), (0, [
            'make test: tried: unsteady: one.0: expected less',
            'make test: passed']))

    def test_what_fails_by_turns_is_not_forgiven(self):
        code, said = self.run_all(
            'test -e ran && { rm ran; exit 0; }; touch ran; exit 1')
        self.assertEqual((code, said[-1]), (1, 'make test: FAILED'))

    def test_what_a_sanitizer_saw_is_not_forgiven(self):
        report = 'WARNING: ThreadSanitizer: data race'
        self.assertEqual(self.run_all(ONCE % report), (1, [
            f'make test: tried: FAILED: one.0: {report}',
            'make test: FAILED']))

    def test_many_at_once_are_not_forgiven(self):
        code, said = self.run_all(
            *(ONCE.replace('ran', f'ran{at}') % 'no' for at in range(6)))
        self.assertEqual((code, len(said)), (1, 7))

    def test_a_project_that_is_not_built_fails(self):
        code, said = self.run_all('true', ']==] broken(')
        self.assertEqual((code, said), (1, [
            'make test: tried: was not built: see above',
            'make test: FAILED']))


if __name__ == '__main__':
    unittest.main()
