/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Fields that handlers add to an answer.
 */

#include "framework/request.h"
#include "framework/text.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define EXTRA_FIRST 512

static bool
is_ours(const char *name)
{
	static const char *const ours[] = { "Server", "Date", "Connection",
		"Content-Length", "Transfer-Encoding", "Content-Type",
		"Keep-Alive", "Upgrade", "Trailer" };

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		if (strcasecmp(ours[i], name) == 0)
			return true;
	}
	return false;
}

int
spate_add_header(struct spate_req *req, const char *name, const char *value)
{
	size_t name_size = strlen(name), value_size = strlen(value);
	size_t size = name_size + value_size + 4;
	char *at;

	if (req->answer > SP_ANSWER_PROMISED)
		return -EALREADY;
	if (!sp_token_ok(name, name_size)
	    || !sp_field_value_ok(value, value_size) || is_ours(name))
		return -EINVAL;
	if (req->extra_size + size > SP_FIELDS_MAX)
		return -ENOMEM;
	if (req->extra_size + size > req->extra_capacity) {
		uint32_t capacity = req->extra_capacity * 2 + EXTRA_FIRST;

		while (capacity < req->extra_size + size)
			capacity *= 2;
		at = sp_bump_alloc(&req->memory, capacity);
		if (at == NULL)
			return -ENOMEM;
		if (req->extra_size != 0)
			memcpy(at, req->extra, req->extra_size);
		req->extra = at;
		req->extra_capacity = capacity;
	}
	at = req->extra + req->extra_size;
	memcpy(at, name, name_size);
	memcpy(at + name_size, ": ", 2);
	memcpy(at + name_size + 2, value, value_size);
	memcpy(at + name_size + 2 + value_size, "\r\n", 2);
	req->extra_size += (uint32_t)size;
	req->usual = false;
	return 0;
}
