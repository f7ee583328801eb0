/* SPDX-License-Identifier: BSD-2-Clause */

/* The header in C++11; that it links says that it has C linkage there. */

#include <cstdio>
#include <spate.h>

int
main()
{
	std::printf("%d.%d.%d\n", SPATE_VERSION_MAJOR, SPATE_VERSION_MINOR,
	    SPATE_VERSION_PATCH);
	std::printf("%s\n", spate_version());
	return 0;
}
