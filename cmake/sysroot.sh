#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Fetches the libraries for another CPU that its build is to link.
#
#     cmake/sysroot.sh FOLDER
#
# They are Debian's packages for arm64, by the mirrors, proxies and keys that
# this machine's apt has. apt gets lists of its own, and the packages are
# unpacked into FOLDER and not installed: the machine's own lists, packages
# and architectures stay as they are, and nobody has to be root. What is
# there already is not fetched again.
#
#     0   FOLDER has them
#     64  a bad argument                                  (EX_USAGE)
#     69  no apt-get, no network, no such packages        (EX_UNAVAILABLE)

set -eu

arch=arm64
packages='libck-dev libck0 libjemalloc-dev libjemalloc2 liburcu-dev liburcu8'
packages="$packages libseccomp-dev libseccomp2"

die() {
	status=$1
	shift
	printf '%s\n' "sysroot: $*" >&2
	exit "$status"
}

[ $# -eq 1 ] || die 64 "usage: cmake/sysroot.sh FOLDER"
[ "$(cat "$1/packages" 2>/dev/null)" != "$packages" ] || exit 0
command -v apt-get >/dev/null 2>&1 ||
	die 69 "no apt-get here to fetch packages for $arch"

# One that is interrupted leaves nothing that looks like a whole one.
mkdir -p "$1"
folder=$(cd "$1" && pwd)
apt=$folder/apt
rm -rf "$folder/usr" "$folder/packages" "$apt"
mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/debs"
: >"$apt/status"

# Hooks are cleared because they would tidy up, or tell others of, the lists
# of the machine. apt's own user may not be let into a folder of somebody
# else's; signatures and sums are checked as ever.
cat >"$apt/conf" <<CONF
#clear APT::Architectures;
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "1";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
Dir::State "$apt";
Dir::State::status "$apt/status";
Dir::Cache "$apt";
CONF

# A mirror that is of no use to us may fail, as long as others have what is
# wanted: whether they do shows in what follows.
apt_get() {
	LC_ALL=C apt-get -q -c "$apt/conf" "$@" >>"$apt/log" 2>&1
}

# shellcheck disable=SC2086 # a list of words
fetch() {
	apt_get update || :
	cd "$apt/debs" && apt_get download $packages
}

if ! (fetch); then
	why=$(grep -m 1 '^[EW]: ' "$apt/log" || tail -n 1 "$apt/log")
	die 69 "no packages for $arch to be had: $why"
fi
for deb in "$apt"/debs/*.deb; do
	dpkg-deb -x "$deb" "$folder" ||
		die 69 "cannot unpack $deb"
done
rm -rf "$apt"
printf '%s\n' "$packages" >"$folder/packages"
printf '%s\n' "sysroot: $packages for $arch" >&2
