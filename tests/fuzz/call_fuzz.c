/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Any bytes as the URL of a call to another server, and as a field of it, in
 * lines: method, URL, name, value.
 *
 * What is not refused is one request, to its last byte, as our own parser
 * reads it, with the method, the field and a Host; and the address is one.
 */

#include "framework/client.h"
#include "framework/http_head.h"

#include "tests/fuzz/fuzz.h"
#include "tests/http_check.h"

#include <sys/un.h>

enum { METHOD, URL, NAME, VALUE, LINES };

/* The next line, as a string of its own. Owned. */
static char *
line(const char **at, const char *end)
{
	const char *stop = *at < end ? memchr(*at, '\n', (size_t)(end - *at))
				     : NULL;
	char *copy;

	if (stop == NULL)
		stop = end;
	copy = strndup(*at, (size_t)(stop - *at));
	FUZZ_CLAIM(copy != NULL);
	*at = stop < end ? stop + 1 : end;
	return copy;
}

static void
check_address(const struct spate_upstream *up)
{
	const struct sp_address *to = &up->address;

	FUZZ_CLAIM(to->size <= sizeof(to->storage));
	FUZZ_CLAIM(strlen(up->name) < sizeof(up->name));
	FUZZ_CLAIM(up->name[0] != '\0' ? up->port != 0 : to->size != 0);
}

static void
check_request(const struct spate_upstream *up, char *const lines[LINES])
{
	struct sp_http_limits limits = SP_HTTP_LIMITS_DEFAULT;
	const struct sp_http_field *field;
	struct sp_http_head head;
	char *base = http_padded(up->buffer, up->request, up->request, 0);

	limits.head_bytes = limits.target_bytes = SP_HTTP_HEAD_MAX;
	FUZZ_CLAIM(sp_http_head_parse(&head, base, up->request, &limits, NULL)
		   == (ssize_t)up->request);
	FUZZ_CLAIM(head.method
		   == sp_http_method_parse(
		       lines[METHOD], strlen(lines[METHOD])));
	FUZZ_CLAIM((head.flags & SP_HTTP_HAS_HOST) && head.minor == 1);
	FUZZ_CLAIM(head.content_length == 0 && !(head.flags & SP_HTTP_CHUNKED));
	field = sp_http_head_find(
	    &head, base, lines[NAME], strlen(lines[NAME]));
	FUZZ_CLAIM(field != NULL);
	free(base);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;
	struct spate_upstream *up = calloc(1, sizeof(*up));
	struct spate_field field;
	struct spate_call call;
	char *lines[LINES];

	FUZZ_CLAIM(up != NULL);
	for (size_t i = 0; i < LINES; i++)
		lines[i] = line(&at, end);
	up->capacity = 4096;
	up->buffer = malloc(up->capacity);
	FUZZ_CLAIM(up->buffer != NULL);
	field = (struct spate_field) { lines[NAME], lines[VALUE] };
	call = spate_call_default(lines[METHOD], lines[URL]);
	call.untraced = true; /* there is no handler whose trace it could be */
	/* A Host of the program's own is the program's to get right. */
	if (strcasecmp(lines[NAME], "Host") != 0) {
		call.fields = &field;
		call.field_count = 1;
		if (sp_upstream_compose(up, &call) == 0) {
			check_address(up);
			check_request(up, lines);
		}
	}
	for (size_t i = 0; i < LINES; i++)
		free(lines[i]);
	free(up->buffer);
	free(up);
	return 0;
}
