#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Installs what a build of Spate needs and this machine lacks.
#
#     cmake/deps.sh [--check] [build|test|perf]...    build is always in it
#
#     build   the libraries and the demo service
#     test    build, and what the tests use
#     perf    build, and what the benchmarks use
#
# What is there already is left alone, whether Debian put it there or not; a
# machine that lacks nothing hears one line, and apt-get is not called. With
# --check it is never called.
#
#     0   everything is there
#     64  a bad argument                                  (EX_USAGE)
#     69  no apt-get, or it failed, or CMake is too old; with --check,
#         something is missing                            (EX_UNAVAILABLE)
#     77  not root, and no sudo that lets us be           (EX_NOPERM)

set -eu

# One row for each package: set, Debian package, how else to find it, why.
packages() {
	cat <<'ROWS'
build gcc             cmd:cc                C compiler
build g++             cmd:c++               C++ compiler: models, benchmarks
build libc6-dev       header:stdio.h        headers of the C library
build cmake           cmake:3.25            reads the presets (3.25 or later)
build ninja-build     cmd:ninja             runs the build
build pkg-config      cmd:pkg-config        finds the libraries
build gzip            cmd:gzip              packs the live page
build liburcu-dev     pc:liburcu-qsbr       RCU look-ups of poll descriptors
build libck-dev       pc:ck                 Concurrency Kit: the ready rings
build libjemalloc-dev pc:jemalloc           memory, an arena for each shard
build libseccomp-dev  pc:libseccomp         --sandbox: which calls it may make
build libssl-dev      pc:libcrypto          SHA-256 in the demo service
build libjansson-dev  pc:jansson            JSON in spate-top and an example
test  python3         cmd:python3           house rules, end-to-end tests
test  clang           cmd:clang             the tsan and fuzz presets
test  libclang-rt-dev clang_rt              Clang's sanitizers, run-time part
test  clang-tidy      cmd:clang-tidy        make lint
test  cppcheck        cmd:cppcheck          make lint
test  gcc-aarch64-linux-gnu cmd:aarch64-linux-gnu-gcc orders on another CPU
test  libc6-dev-arm64-cross file:/usr/aarch64-linux-gnu/include/stdio.h its libc
test  qemu-user       cmd:qemu-aarch64      runs tests for another CPU
test  llvm            cmd:llvm-symbolizer   function names for tests/tsan.supp
test  systemtap-sdt-dev header:sys/sdt.h    probes for bpftrace and perf
test  relacy-dev      header:relacy/atomic.hpp models under weak memory orders
test  spin            cmd:spin              models of the larger protocols
test  libbenchmark-dev pc:benchmark          benchmarks of the release preset
test  curl            cmd:curl              end-to-end tests, another's client
test  wrk             cmd:wrk               end-to-end tests, load
test  strace          cmd:strace            counts system calls
test  valgrind        cmd:valgrind          leaks, without sanitizers
test  procps          cmd:ps                end-to-end tests look at processes
test  prometheus      cmd:promtool          checks /metrics, and scrapes it
test  node-llhttp     file:/usr/share/llhttp/llhttp.c a parser to compare with
test  nodejs          cmd:node              another's client: undici
test  npm             cmd:npm               fetches undici and Playwright
test  golang-go       cmd:go                another's client: net/http
test  default-jdk-headless cmd:javac         another's client: java.net.http
test  chromium        cmd:chromium          another's client; the live page
perf  python3         cmd:python3           runs the benchmarks, sums them up
perf  libbenchmark-dev pc:benchmark          times the parts
perf  wrk             cmd:wrk               load
perf  curl            cmd:curl              waits for the service to answer
perf  linux-perf      cmd:perf              counts system calls in passing
perf  strace          cmd:strace            counts them where perf may not
perf  procps          cmd:ps                CPU time of the service
perf  slowhttptest    cmd:slowhttptest      clients that are slow on purpose
perf  node-llhttp     file:/usr/share/llhttp/llhttp.c a parser to compare with
perf  valgrind        cmd:valgrind          counts instructions
perf  util-linux      cmd:taskset           pins servers and clients
perf  nginx-light     cmd:nginx             a peer
perf  haproxy         cmd:haproxy           a peer
perf  h2o             cmd:h2o               a peer
perf  lighttpd        cmd:lighttpd          a peer
perf  golang-go       cmd:go                a peer: net/http
perf  golang-github-valyala-fasthttp-dev go:github.com/valyala/fasthttp a peer
perf  libevent-dev    pc:libevent           a peer: its evhttp
perf  libmicrohttpd-dev pc:libmicrohttpd     a peer
perf  python3-matplotlib py:matplotlib     draws the report
ROWS
}

# Those that Debian starts as a service, which nobody who measures asked for.
services='nginx haproxy h2o lighttpd'

# What the same things are called where there is no apt-get.
names='C and C++ compilers, CMake 3.25, Ninja, pkg-config,
userspace RCU (liburcu-qsbr 0.13), Concurrency Kit (ck 0.7), jemalloc (5),
libseccomp (2.5, or without that part of --sandbox),
OpenSSL (libcrypto), Jansson;
for the tests also Python 3, Clang with its sanitizers and
clang-tidy, cppcheck, GCC for aarch64-linux-gnu and qemu-aarch64, LLVM,
Relacy, Spin,
sys/sdt.h of SystemTap,
Google Benchmark, curl, wrk, strace, valgrind, procps, Node with npm, Go,
a JDK, Chromium;
for the benchmarks also Matplotlib, slowhttptest, and what there is of nginx,
HAProxy, h2o, lighttpd, fasthttp, libevent, libmicrohttpd'

say() {
	printf '%s\n' "deps: $*" >&2
}

die() {
	status=$1
	shift
	say "$*"
	exit "$status"
}

have() {
	command -v "$1" >/dev/null 2>&1
}

# A removed package keeps a record, so being known to dpkg is not enough.
installed() {
	have dpkg-query && [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" \
		2>/dev/null)" = installed ]
}

# at_least WANTED VERSION
at_least() {
	[ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

cmake_version() {
	cmake --version 2>/dev/null | sed -n 's/^cmake version //p'
}

found() {
	case $1 in
	cmd:*) have "${1#cmd:}" ;;
	pc:*) have pkg-config && pkg-config --exists "${1#pc:}" ;;
	header:*)
		[ -e "/usr/include/${1#header:}" ] ||
			[ -e "/usr/local/include/${1#header:}" ]
		;;
	file:*) [ -e "${1#file:}" ] ;;
	go:*) [ -e "/usr/share/gocode/src/${1#go:}" ] ;;
	py:*) have python3 && python3 -c "import ${1#py:}" 2>/dev/null ;;
	cmake:*) have cmake && at_least "${1#cmake:}" "$(cmake_version)" ;;
	clang_rt)
		have clang &&
			ls "$(clang -print-runtime-dir)"/libclang_rt.tsan* \
				>/dev/null 2>&1
		;;
	esac
}

# Prints the missing packages of the sets named, and on stderr the reasons.
missing() {
	seen=' '
	packages | while read -r set package probe why; do
		case " $* " in *" $set "*) ;; *) continue ;; esac
		case $seen in *" $package "*) continue ;; esac
		seen="$seen$package "
		if ! installed "$package" && ! found "$probe"; then
			printf 'deps: %-17s missing: %s\n' \
				"$package" "$why" >&2
			printf '%s ' "$package"
		fi
	done
}

# apt_get ARGUMENT...; as_root is empty or "sudo".
apt_get() {
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get "$@"
}

install() {
	line="apt-get install -y --no-install-recommends $*"
	have apt-get || die 69 "no apt-get here. Please install: $names"
	as_root=
	if [ "$(id -u)" -ne 0 ]; then
		as_root=sudo
		have sudo ||
			die 77 "not root, and no sudo. As root, run: $line"
		sudo true || die 77 "sudo says no. As root, run: $line"
	fi

	# Lists that know every package may still be stale, which shows when
	# the install fails; lists that do not are fetched at once.
	updated=
	if ! apt-cache show "$@" >/dev/null 2>&1; then
		apt_get update -q || die 69 "apt-get update failed"
		updated=yes
	fi
	if ! apt_get install -q -y --no-install-recommends "$@"; then
		[ -z "$updated" ] || die 69 "failed: $line"
		apt_get update -q || die 69 "apt-get update failed"
		apt_get install -q -y --no-install-recommends "$@" ||
			die 69 "failed: $line"
	fi
}

# stop_services PACKAGE...: what was just installed, not what was there before.
stop_services() {
	have systemctl && [ -d /run/systemd/system ] || return 0
	for service in $services; do
		case " $* " in
		*" $service "* | *" $service-"*)
			say "$service: not to run as a service"
			$as_root systemctl disable --now "$service" || :
			;;
		esac
	done
}

sets=build
check=
for arg in "$@"; do
	case $arg in
	--check) check=yes ;;
	build) ;;
	test | perf) sets="$sets $arg" ;;
	*) die 64 "usage: cmake/deps.sh [--check] [build|test|perf]..." ;;
	esac
done

# The sets and the packages are lists of words, to be split.
# shellcheck disable=SC2046,SC2086
{
	wanted=$(missing $sets)
	if [ -n "$wanted" ] && [ -n "$check" ]; then
		die 69 "make deps installs them"
	elif [ -n "$wanted" ]; then
		install $wanted
		stop_services $wanted
	fi
}
found cmake:3.25 ||
	die 69 "CMake 3.25 or later is needed; this is $(cmake_version)"
say "everything for $sets is there"
