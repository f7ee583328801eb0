# SPDX-License-Identifier: BSD-2-Clause
#
# Names for what one types often. CMake does the work: see CMakePresets.json.

PRESETS = dev tsan release fuzz aarch64
DEMO = build/release/spate-demo

.NOTPARALLEL:
.PHONY: help run test deps build perf perf-tools perf-compare lint soak \
	coverage matrix faults fuzz clean

help:
	@echo 'make run    install what is missing, build, and serve on'
	@echo '            127.0.0.1:8080; ARGS="--shards 2" for options'
	@echo 'make test   install what is missing, then every test'
	@echo 'make deps   only the install step, for tests and benchmarks too'
	@echo 'make build  only the release build, into build/release/'
	@echo 'make perf   benchmarks beside other servers, ten minutes;'
	@echo '            PERF=quick for two'
	@echo 'make perf-compare A=main B=HEAD    two commits, and a verdict'
	@echo 'make fuzz   each parser on random input; FUZZ_SECONDS=60'
	@echo 'make lint   cppcheck, clang-tidy and -fanalyzer; five minutes'
	@echo 'make faults each call fails at each of its uses; half an hour'
	@echo 'make soak   all kinds of load at once; SOAK_SECONDS=7200'
	@echo 'make coverage  what the tests do not reach; ten minutes'
	@echo 'make matrix gcc and clang at each level; half an hour'
	@echo 'make clean  remove build/'

run:
	@sh cmake/deps.sh build
	@$(MAKE) --no-print-directory build
	@exec $(DEMO) $(ARGS)

# The fuzzers' is a short one. Another CPU's has packages to fetch.
test:
	@sh cmake/deps.sh test
	@FUZZ_SECONDS="$${FUZZ_SECONDS:-3}" python3 tests/all.py $(PRESETS)

deps:
	@sh cmake/deps.sh test perf

# Without what only tests and benchmarks need, unless they are set up already.
build:
	@{ \
		test -f build/release/build.ninja || \
		cmake --preset release -DSPATE_TESTS=OFF -DSPATE_PERF=OFF; \
	} && \
	cmake --build --preset release --target product || \
		{ sh cmake/deps.sh --check build; exit 1; }

perf: perf-tools
	@perf/run $(ARGS)

perf-tools:
	@sh cmake/deps.sh perf
	@test -f build/release/build.ninja || \
		cmake --preset release -DSPATE_TESTS=OFF
	@cmake -DSPATE_PERF=ON build/release
	@cmake --build --preset release --target product perf

perf-compare: perf-tools
	@perf/compare $(A) $(B) $(ARGS)

fuzz:
	@sh cmake/deps.sh test
	@cmake --workflow --preset fuzz

lint:
	@sh cmake/deps.sh test
	@cmake --preset release >/dev/null
	@python3 tests/tidy/lint.py build/release

faults:
	@sh cmake/deps.sh test
	@test -f build/dev/build.ninja || cmake --preset dev
	@cmake --build --preset dev --target spate-demo-faults spate-demo
	@failed=; \
	for part in chaos faults; do \
		python3 tests/fault/$$part.py $(ARGS) \
			build/dev/tests/fault/spate-demo-faults \
			build/dev/spate-demo || failed="$$failed $$part"; \
	done; \
	test -z "$$failed" || { echo "make faults:$$failed" >&2; exit 1; }

soak:
	@sh cmake/deps.sh test perf
	@cmake --preset release >/dev/null
	@cmake --build --preset release --target spate-demo spate-bench
	@python3 tests/soak/soak.py $(ARGS) build/release/spate-demo \
		build/release/spate-bench $${SOAK_SECONDS:-7200}

coverage:
	@sh cmake/deps.sh test
	@cmake --preset coverage >/dev/null
	@cmake --build --preset coverage
	@python3 tests/tidy/coverage.py build/coverage $(ARGS)

matrix:
	@sh cmake/deps.sh test
	@python3 tests/arch/matrix.py build/matrix $(ARGS)

clean:
	@cmake -E rm -rf build
