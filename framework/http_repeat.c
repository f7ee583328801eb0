/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/http_repeat.h"

#include <string.h>

#define MISSES_MAX 6 /* 64 heads */

static bool
is_secret(const struct sp_http_head *head, const char *buf)
{
	return sp_http_head_find(head, buf, "cookie", 6) != NULL
	       || sp_http_head_find(head, buf, "authorization", 13) != NULL
	       || sp_http_head_find(head, buf, "proxy-authorization", 19)
		      != NULL;
}

/*
 * Where in buf begins what can repeat.
 *
 * => Returns 0: nothing can.
 */
static size_t
repeats_from(const struct sp_http_head *head, const char *buf)
{
	const int may = SP_HTTP_HAS_QUERY | SP_HTTP_ESCAPED;
	size_t at = (size_t)head->target + head->target_size;
	size_t size = head->size - at;

	if (head->minor != 1
	    || (head->flags & ~may) != (SP_HTTP_KEEP_ALIVE | SP_HTTP_HAS_HOST)
	    || head->nfields > SP_HTTP_REPEAT_FIELDS
	    || size < SP_HTTP_REPEAT_MIN || size > SP_HTTP_REPEAT_MAX
	    || is_secret(head, buf))
		return 0;
	return at;
}

static bool
learn(struct sp_http_repeat *repeat, const struct sp_http_head *head,
    const char *buf)
{
	size_t at = repeats_from(head, buf);

	if (at == 0)
		return false;
	repeat->size = (uint32_t)(head->size - at);
	memcpy(repeat->text, buf + at, repeat->size);
	repeat->nfields = head->nfields;
	repeat->host = (uint16_t)(head->host - at);
	repeat->host_size = head->host_size;
	repeat->authority_size = head->authority_size;
	for (unsigned i = 0; i < head->nfields; i++) {
		repeat->fields[i] = head->fields[i];
		repeat->fields[i].name = (uint16_t)(head->fields[i].name - at);
		repeat->fields[i].value = (uint16_t)(head->fields[i].value
						     - at);
	}
	return true;
}

void
sp_http_repeat_missed(struct sp_http_repeat *repeat,
    const struct sp_http_head *head, const char *buf, int verdict)
{
	if (repeat->wait != 0) {
		repeat->wait--;
		return;
	}
	if (verdict <= 0)
		return;
	if (!repeat->armed) {
		repeat->armed = learn(repeat, head, buf);
		if (repeat->armed)
			return;
	} else if (repeat->misses == 0) {
		/* The next may be as those before. */
		repeat->misses = 1;
		return;
	}
	repeat->armed = false;
	if (repeat->misses < MISSES_MAX)
		repeat->misses++;
	repeat->wait = (uint8_t)(1u << repeat->misses);
}
