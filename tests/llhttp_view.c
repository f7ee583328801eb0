/* SPDX-License-Identifier: BSD-2-Clause */

#include "tests/llhttp_view.h"

#include <llhttp.h>
#include <string.h>

/* Given in one piece, so every span comes in one too. */
static int
on_span(struct view_text *text, const char *at, size_t size)
{
	if (text->at == NULL)
		text->at = at;
	text->size += size;
	return 0;
}

static int
on_method(llhttp_t *parser, const char *at, size_t size)
{
	return on_span(&((struct llhttp_view *)parser->data)->method, at, size);
}

static int
on_url(llhttp_t *parser, const char *at, size_t size)
{
	return on_span(&((struct llhttp_view *)parser->data)->url, at, size);
}

static int
on_url_complete(llhttp_t *parser)
{
	((struct llhttp_view *)parser->data)->complete_url = true;
	return 0;
}

static int
on_version_complete(llhttp_t *parser)
{
	struct llhttp_view *view = parser->data;

	view->version_done = true;
	view->major = parser->http_major;
	view->minor = parser->http_minor;
	return 0;
}

static int
on_field(llhttp_t *parser, const char *at, size_t size)
{
	struct llhttp_view *view = parser->data;

	if (view->nfields == LLHTTP_VIEW_FIELDS)
		return 0;
	return on_span(&view->names[view->nfields], at, size);
}

static int
on_value(llhttp_t *parser, const char *at, size_t size)
{
	struct llhttp_view *view = parser->data;

	if (view->nfields == LLHTTP_VIEW_FIELDS)
		return 0;
	return on_span(&view->values[view->nfields], at, size);
}

static int
on_value_complete(llhttp_t *parser)
{
	struct llhttp_view *view = parser->data;

	if (view->nfields < LLHTTP_VIEW_FIELDS)
		view->nfields++;
	return 0;
}

static int
on_headers_complete(llhttp_t *parser)
{
	struct llhttp_view *view = parser->data;

	view->head_done = true;
	view->nheads = view->nfields;
	return 0;
}

static int
on_body(llhttp_t *parser, const char *at, size_t size)
{
	struct llhttp_view *view = parser->data;

	view->body_size += size;
	view->body_hash = view_hash(view->body_hash, at, size);
	return 0;
}

static int
on_message_complete(llhttp_t *parser)
{
	((struct llhttp_view *)parser->data)->verdict = VIEW_DONE;
	return HPE_PAUSED;
}

void
llhttp_view_parse(struct llhttp_view *view, const char *input, size_t size)
{
	llhttp_settings_t settings;
	llhttp_errno_t error;
	llhttp_t parser;

	memset(view, 0, sizeof(*view));
	view->body_hash = VIEW_HASH;
	llhttp_settings_init(&settings);
	settings.on_method = on_method;
	settings.on_url = on_url;
	settings.on_url_complete = on_url_complete;
	settings.on_version_complete = on_version_complete;
	settings.on_header_field = on_field;
	settings.on_header_value = on_value;
	settings.on_header_value_complete = on_value_complete;
	settings.on_headers_complete = on_headers_complete;
	settings.on_body = on_body;
	settings.on_message_complete = on_message_complete;
	llhttp_init(&parser, HTTP_REQUEST, &settings);
	parser.data = view;

	error = llhttp_execute(&parser, input, size);
	if (error == HPE_OK) {
		view->end = size;
		return;
	}
	view->end = (size_t)(llhttp_get_error_pos(&parser) - input);
	if (view->verdict == VIEW_DONE)
		return;
	view->verdict = VIEW_REFUSED;
	view->reason = llhttp_get_error_reason(&parser);
}
