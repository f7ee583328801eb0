/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Trailers: the fields behind a chunked body. Their bytes are gathered as
 * they come, and can be asked for once the body has come to its end.
 */

#include "framework/request.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

struct sp_trailers {
	uint32_t size;
	unsigned count; /* 0 until the end */
	struct sp_http_field fields[SP_HTTP_TRAILER_FIELDS];
	char data[SP_HTTP_TRAILER_BYTES];
};

int
sp_trailer_add(struct spate_req *req, const char *data, size_t size)
{
	struct sp_req_more *more = sp_req_more(req);
	struct sp_trailers *trailers;

	if (more == NULL)
		return -ENOMEM;
	trailers = more->trailers;
	if (trailers == NULL) {
		trailers = sp_bump_alloc(&req->memory, sizeof(*trailers));
		if (trailers == NULL)
			return -ENOMEM;
		trailers->size = trailers->count = 0;
		more->trailers = trailers;
	}
	if (size > sizeof(trailers->data) - trailers->size)
		return -EBADMSG;
	memcpy(trailers->data + trailers->size, data, size);
	trailers->size += (uint32_t)size;
	return 0;
}

void
sp_trailer_end(struct spate_req *req)
{
	struct sp_trailers *trailers = req->more != NULL ? req->more->trailers
							 : NULL;

	if (trailers != NULL)
		trailers->count = sp_http_trailer_split(
		    trailers->data, trailers->size, trailers->fields);
}

struct spate_str
spate_trailer(const struct spate_req *req, const char *name)
{
	const struct sp_trailers *trailers = req->more != NULL
						 ? req->more->trailers
						 : NULL;
	size_t size = strlen(name);

	for (unsigned i = 0; trailers != NULL && i < trailers->count; i++) {
		const struct sp_http_field *field = &trailers->fields[i];

		if (field->name_size == size
		    && strncasecmp(trailers->data + field->name, name, size)
			   == 0)
			return (struct spate_str){
				trailers->data + field->value,
				field->value_size,
			};
	}
	return (struct spate_str){ NULL, 0 };
}
