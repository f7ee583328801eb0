/* SPDX-License-Identifier: BSD-2-Clause */

/* What a user compiles, with no macro of ours: the version twice over. */

#include <spate.h>
#include <stdio.h>

int
main(void)
{
	printf("%d.%d.%d\n", SPATE_VERSION_MAJOR, SPATE_VERSION_MINOR,
	    SPATE_VERSION_PATCH);
	printf("%s\n", spate_version());
	return 0;
}
