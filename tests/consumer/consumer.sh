#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Uses an installed spate as a stranger would.
#
#     consumer.sh install BUILD SCRATCH VERSION     fills SCRATCH/prefix
#     consumer.sh MODE SOURCE SCRATCH VERSION       uses it
#
# MODE is one of
#
#     cmake        find_package(): shared, static and from C++
#     pkg-config   shared, static, and all of it static
#     exports      what the shared library lets others see
#
# Every program must print VERSION twice: from the header, from the library.
# JEMALLOC is ON if spate was built with it; LIBDIR says where libraries lie
# below the prefix, if not in "lib".

set -eu
export LC_ALL=C

mode=$1
source=$2
scratch=$3
version=$4

# The name has a space in it, as somebody's will.
prefix="$scratch/a prefix"
JEMALLOC=${JEMALLOC:-ON}
lib="$prefix/${LIBDIR:-lib}"
out="$scratch/$mode"
CC=${CC:-cc}

die() {
	printf '%s\n' "consumer: $*" >&2
	exit 1
}

# needs_spate PROGRAM: is the shared library loaded with it?
needs_spate() {
	readelf -d "$1" | grep -q 'NEEDED.*\[libspate\.so\.[0-9]*\]'
}

# mallocs_alike PROGRAM: is malloc() of the program and of the library the
# same one, which is jemalloc's if spate was built with it?
mallocs_alike() {
	case $JEMALLOC in
	ON) home='libjemalloc\.so' ;;
	*) home='libc\.so' ;;
	esac
	LD_DEBUG=bindings LD_BIND_NOW=1 "$1" 2>&1 >/dev/null |
		grep "normal symbol .malloc'" >"$out/bindings"
	! grep -v " to [^ ]*$home" "$out/bindings" ||
		die "$1 has another malloc() than spate"
}

prints_version() {
	said=$("$1" | tr '\n' ' ')
	[ "$said" = "$version $version " ] ||
		die "$1 printed $said, and not $version twice"
}

check_cmake() {
	cmake -S "$source" -B "$out" -G Ninja -DCMAKE_PREFIX_PATH="$prefix"
	cmake --build "$out"
	for program in with_shared with_static with_cxx; do
		prints_version "$out/$program"
	done
	needs_spate "$out/with_shared" || die "with_shared is not"
	mallocs_alike "$out/with_shared"
	needs_spate "$out/with_cxx" || die "with_cxx is not shared"
	! needs_spate "$out/with_static" || die "with_static is shared"
}

# compile PROGRAM PKG-CONFIG-OPTION [FLAG...]
#
# pkg-config writes for a shell to read, with its quoting; hence eval.
compile() {
	program=$1
	option=$2
	shift 2
	flags=$(pkg-config "$option" --cflags --libs spate)
	eval "$CC -std=c11 -Wall -Wextra -Wpedantic -Werror \"\$@\" \
		\"\$source/main.c\" -o \"\$program\" $flags"
}

check_pkg_config() {
	export PKG_CONFIG_PATH="$lib/pkgconfig"
	pkg-config --validate spate
	[ "$(pkg-config --modversion spate)" = "$version" ] ||
		die "spate.pc has version $(pkg-config --modversion spate)"

	compile "$out/shared" --print-errors -Wl,-rpath,"$lib"
	prints_version "$out/shared"
	needs_spate "$out/shared" || die "shared is not"
	mallocs_alike "$out/shared"

	compile "$out/static" --static -static
	prints_version "$out/static"

	# The archive alone, the rest shared: what a prefix without the
	# shared library gives.
	cp -R "$prefix" "$out/archive"
	rm "$out/archive/${LIBDIR:-lib}"/libspate.so*
	PKG_CONFIG_PATH="$out/archive/${LIBDIR:-lib}/pkgconfig"
	compile "$out/mixed" --static
	prints_version "$out/mixed"
	! needs_spate "$out/mixed" || die "mixed is shared"
}

check_exports() {
	library="$lib/libspate.so"
	# jemalloc looks for malloc_conf by that name.
	others=$(nm -D --defined-only "$library" |
		awk '$3 !~ /^spate_|^malloc_conf$/ { print $3 }')
	[ -z "$others" ] || die "exported, but not spate_: $others"
	nm -D --defined-only "$library" | grep -q ' spate_version$' ||
		die "spate_version is not exported"

	flags=$(readelf -d "$library")
	case $flags in
	*NOW*) ;;
	*) die "bound lazily" ;;
	esac
	! readelf -lW "$library" | grep -q 'GNU_STACK.*RWE' ||
		die "an executable stack"
	readelf -lW "$library" | grep -q GNU_RELRO || die "no RELRO"
}

rm -rf "$out"
mkdir -p "$out"
case $mode in
install)
	rm -rf "$prefix"
	cmake --install "$source" --prefix "$prefix"
	;;
cmake) check_cmake ;;
pkg-config) check_pkg_config ;;
exports) check_exports ;;
*) die "no such mode: $mode" ;;
esac
