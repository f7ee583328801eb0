/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The request that a call asks for: its URL, its fields, its head.
 */

#include "framework/client.h"
#include "framework/request.h"
#include "framework/text.h"
#include "framework/traceparent.h"
#include "framework/urlcode.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SCHEME "http://"
#define LOCAL "unix:"
#define LOCAL_HOST "localhost"

/* What the caller sets, so that it is not set here. */
#define HAS_HOST 1
#define HAS_TRACE 2

/* A URL in parts, in the text that it was given as. */
struct url {
	struct spate_str host;   /* for the field; an address too, if no path */
	struct spate_str target; /* may be empty or begin with '?' */
};

/* A '%' that begins no escape would be refused where it arrives. */
static bool
is_visible(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text <= ' ' || *text > '~' || *text == '#')
			return false;
		if (*text == '%'
		    && (sp_hex_digit(text[1]) < 0 || sp_hex_digit(text[2]) < 0))
			return false;
	}
	return true;
}

/* "unix:PATH:TARGET" behind the scheme. */
static int
split_local(struct sp_address *address, const char *text, struct url *url)
{
	char name[sizeof(address->text)];
	const char *colon = strchr(text + strlen(LOCAL), ':');
	size_t size = colon != NULL ? (size_t)(colon - text) : strlen(text);

	if (size >= sizeof(name))
		return -EINVAL;
	memcpy(name, text, size);
	name[size] = '\0';
	url->host = (struct spate_str){ LOCAL_HOST, sizeof(LOCAL_HOST) - 1 };
	text += size + (colon != NULL);
	url->target = (struct spate_str){ text, strlen(text) };
	return sp_address_parse(address, name);
}

/* A name, which has to be looked up, and its port. */
static int
take_name(struct spate_upstream *up, const char *name)
{
	const char *colon = strchr(name, ':');
	size_t size = (size_t)(colon - name);
	uint64_t port;

	if (!sp_name_ok(name, size)
	    || sp_parse_u64(colon + 1, strlen(colon + 1), &port) != 0
	    || port == 0 || port > UINT16_MAX)
		return -EINVAL;
	memcpy(up->name, name, size);
	up->name[size] = '\0';
	up->port = (uint16_t)port;
	return 0;
}

/* "HOST[:PORT]TARGET" behind the scheme; the host is a number or a name. */
static int
split_internet(struct spate_upstream *up, const char *text, struct url *url)
{
	char name[SP_NAME_SIZE + sizeof(":65535")];
	size_t size = strcspn(text, "/?");
	const char *bracket;
	bool has_port;

	/* What spate_listen() takes for every address is nobody's. */
	if (size == 0 || size >= sizeof(name) - 3 || text[0] == '*'
	    || text[0] == ':')
		return -EINVAL;
	memcpy(name, text, size);
	name[size] = '\0';
	bracket = strrchr(name, ']');
	has_port = strchr(bracket != NULL ? bracket : name, ':') != NULL;
	if (!has_port)
		memcpy(name + size, ":80", 4);
	url->host = (struct spate_str){ text, size };
	url->target = (struct spate_str){ text + size, strlen(text + size) };
	if (sp_address_parse(&up->address, name) == 0)
		return 0;
	return take_name(up, name);
}

static int
split(struct spate_upstream *up, const char *text, struct url *url)
{
	int error;

	if (text == NULL || !is_visible(text)
	    || strncasecmp(text, SCHEME, strlen(SCHEME)) != 0)
		return -EINVAL;
	text += strlen(SCHEME);
	if (strncmp(text, LOCAL, strlen(LOCAL)) == 0)
		error = split_local(&up->address, text, url);
	else
		error = split_internet(up, text, url);
	if (error == 0 && url->target.size != 0 && url->target.data[0] != '/'
	    && url->target.data[0] != '?')
		error = -EINVAL;
	return error;
}

static bool
is_ours(const char *name)
{
	static const char *const ours[] = { "Connection", "Content-Length",
		"Transfer-Encoding", "Keep-Alive", "Upgrade", "TE", "Trailer",
		"Expect" };

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		if (strcasecmp(ours[i], name) == 0)
			return true;
	}
	return false;
}

/* => Returns which of HAS_... are among them, or -EINVAL. */
static int
check_fields(const struct spate_call *call)
{
	int has = 0;

	for (size_t i = 0; i < call->field_count; i++) {
		const struct spate_field *field = &call->fields[i];

		if (!sp_token_ok(field->name, strlen(field->name))
		    || !sp_field_value_ok(field->value, strlen(field->value))
		    || is_ours(field->name))
			return -EINVAL;
		if (strcasecmp(field->name, "Host") == 0)
			has |= HAS_HOST;
		if (strcasecmp(field->name, "traceparent") == 0
		    || strcasecmp(field->name, "tracestate") == 0)
			has |= HAS_TRACE;
	}
	return has;
}

static void
put_field(struct sp_text *text, const char *name, const char *value,
    size_t value_size)
{
	sp_text_string(text, name);
	sp_text_string(text, ": ");
	sp_text_bytes(text, value, value_size);
	sp_text_string(text, "\r\n");
}

/* Methods to which a body belongs say so even when there is none. */
static void
put_framing(struct sp_text *text, const struct spate_call *call, int method)
{
	if (call->body_size < 0) {
		sp_text_string(text, "Transfer-Encoding: chunked\r\n");
	} else if (call->body_size > 0 || method == SP_HTTP_POST
		   || method == SP_HTTP_PUT || method == SP_HTTP_PATCH) {
		sp_text_string(text, "Content-Length: ");
		sp_text_u64(text, (uint64_t)call->body_size);
		sp_text_string(text, "\r\n");
	}
}

static void
put_head(struct sp_text *text, const struct spate_call *call, int method,
    const struct url *url, int has)
{
	struct spate_req *req = call->untraced || (has & HAS_TRACE)
	    ? NULL
	    : sp_req_current(sp_worker_self());

	sp_text_string(text, sp_http_method_name((enum sp_http_method)method));
	sp_text_char(text, ' ');
	if (url->target.size == 0 || url->target.data[0] == '?')
		sp_text_char(text, '/');
	sp_text_bytes(text, url->target.data, url->target.size);
	sp_text_string(text, " HTTP/1.1\r\n");
	if (!(has & HAS_HOST))
		put_field(text, "Host", url->host.data, url->host.size);
	for (size_t i = 0; i < call->field_count; i++)
		put_field(text, call->fields[i].name, call->fields[i].value,
		    strlen(call->fields[i].value));
	if (req != NULL)
		sp_traceparent_pass(text, req);
	put_framing(text, call, method);
	sp_text_string(text, "\r\n");
}

int
sp_upstream_compose(struct spate_upstream *up, const struct spate_call *call)
{
	struct sp_text text;
	struct url url = { 0 };
	int method = call->method != NULL ? sp_http_method_parse(
			 call->method, strlen(call->method))
					  : -1;
	int has = check_fields(call);
	size_t size = call->body_size > 0 ? (size_t)call->body_size : 0;

	if (method < 0 || method == SP_HTTP_CONNECT || has < 0
	    || split(up, call->url, &url) != 0
	    || (call->body != NULL && call->body_size < 0))
		return -EINVAL;
	sp_text_init(&text, up->buffer, up->capacity);
	put_head(&text, call, method, &url, has);
	if (text.overflow)
		return -EMSGSIZE;
	up->idempotent = method == SP_HTTP_GET || method == SP_HTTP_HEAD
			 || method == SP_HTTP_OPTIONS || method == SP_HTTP_PUT
			 || method == SP_HTTP_DELETE;
	up->to_head = method == SP_HTTP_HEAD;
	up->streamed = call->body == NULL && call->body_size != 0;
	if (up->streamed) {
		up->owed = call->body_size < 0 ? UINT64_MAX : size;
	} else if (size <= up->capacity - text.size) {
		sp_text_bytes(&text, call->body, size);
	} else {
		up->body = call->body;
		up->body_size = size;
	}
	up->request = (uint32_t)text.size;
	return 0;
}
