/* SPDX-License-Identifier: BSD-2-Clause */

#include <spate.h>

#define TEXT(x) TEXT_(x)
#define TEXT_(x) #x

const char *
spate_version(void)
{
	return TEXT(SPATE_VERSION_MAJOR) "." TEXT(SPATE_VERSION_MINOR) "." TEXT(
	    SPATE_VERSION_PATCH);
}
