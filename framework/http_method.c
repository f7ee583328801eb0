/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/http_method.h"

#include <errno.h>
#include <string.h>

static const struct {
	char name[8];
	size_t size;
} methods[SP_HTTP_METHODS] = {
#define METHOD(name) [SP_HTTP_##name] = { #name, sizeof(#name) - 1 }
	METHOD(GET),
	METHOD(HEAD),
	METHOD(POST),
	METHOD(PUT),
	METHOD(DELETE),
	METHOD(OPTIONS),
	METHOD(PATCH),
	METHOD(TRACE),
	METHOD(CONNECT),
#undef METHOD
};

const char *
sp_http_method_name(enum sp_http_method method)
{
	return (unsigned)method < SP_HTTP_METHODS ? methods[method].name : NULL;
}

int
sp_http_method_parse(const char *text, size_t size)
{
	for (int method = 0; method < SP_HTTP_METHODS; method++) {
		if (methods[method].size == size
		    && memcmp(methods[method].name, text, size) == 0)
			return method;
	}
	return -EINVAL;
}
