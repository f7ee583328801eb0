/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Values by name and type, from the path, the query and a form. A failure
 * is remembered in words, for a handler that returns it.
 */

#include "framework/request.h"
#include "framework/urlcode.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#define FORM_TYPE "application/x-www-form-urlencoded"
#define QUERY_VALUE "query parameter"
#define PATH_VALUE "path parameter"
#define FORM_VALUE "form field"

/* ---------------------------------------------------------------- memory */

char *
spate_strndup(struct spate_req *req, const char *data, size_t size)
{
	return sp_req_memory(
	    req, sp_bump_strndup(&req->memory, data, size));
}

char *
spate_strdup(struct spate_req *req, const char *string)
{
	return spate_strndup(req, string, strlen(string));
}

char *
spate_printf(struct spate_req *req, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = sp_bump_vprintf(&req->memory, format, args);
	va_end(args);
	return sp_req_memory(req, text);
}

/* ----------------------------------------------------------------- query */

static int
result(struct spate_req *req, const char *what, const char *name, int error)
{
	if (error == 0)
		return 0;
	return sp_req_bad_value(req, what, name, error);
}

int
spate_query_u64(struct spate_req *req, const char *name, uint64_t *value)
{
	struct spate_str query = spate_query(req);

	return result(req, QUERY_VALUE, name,
	    sp_query_u64(query.data, query.size, name, value));
}

int
spate_query_i64(struct spate_req *req, const char *name, int64_t *value)
{
	struct spate_str query = spate_query(req);

	return result(req, QUERY_VALUE, name,
	    sp_query_i64(query.data, query.size, name, value));
}

int
spate_query_double(struct spate_req *req, const char *name, double *value)
{
	struct spate_str query = spate_query(req);

	return result(req, QUERY_VALUE, name,
	    sp_query_double(query.data, query.size, name, value));
}

int
spate_query_bool(struct spate_req *req, const char *name, bool *value)
{
	struct spate_str query = spate_query(req);

	return result(req, QUERY_VALUE, name,
	    sp_query_bool(query.data, query.size, name, value));
}

/* ------------------------------------------------------------------ path */

int
spate_param_u64(struct spate_req *req, const char *name, uint64_t *value)
{
	struct spate_str text = spate_param(req, name);

	return result(req, PATH_VALUE, name,
	    text.data == NULL ? -ENOENT
			      : sp_parse_u64(text.data, text.size, value));
}

int
spate_param_i64(struct spate_req *req, const char *name, int64_t *value)
{
	struct spate_str text = spate_param(req, name);

	return result(req, PATH_VALUE, name,
	    text.data == NULL ? -ENOENT
			      : sp_parse_i64(text.data, text.size, value));
}

/* ----------------------------------------------------------------- forms */

/* The type without its parameters, of which a form may have a charset. */
static bool
is_form(const struct spate_req *req)
{
	struct spate_str type = spate_header(req, "Content-Type");
	size_t size = sizeof(FORM_TYPE) - 1;

	return type.size >= size && strncasecmp(type.data, FORM_TYPE, size) == 0
	       && (type.size == size || type.data[size] == ';'
		   || type.data[size] == ' ' || type.data[size] == '\t');
}

/* The form, which is read when it is first asked for. */
static int
form_of(struct spate_req *req, struct spate_str *form)
{
	struct sp_req_more *more = sp_req_more(req);

	if (more == NULL)
		return -ENOMEM;
	if (!more->form_read) {
		more->form_read = true;
		more->form_error = is_form(req) ? spate_body(req, &more->form)
						: -EMEDIUMTYPE;
	}
	*form = more->form;
	return more->form_error;
}

int
spate_form_str(struct spate_req *req, const char *name, struct spate_str *value)
{
	struct sp_query_pair pair;
	struct spate_str form;
	ssize_t size;
	char *memory;
	int error = form_of(req, &form);

	if (error != 0)
		return error;
	if (!sp_query_find(form.data, form.size, name, &pair))
		return result(req, FORM_VALUE, name, -ENOENT);
	memory = spate_alloc(req, pair.value_size + 1);
	if (memory == NULL)
		return -ENOMEM;
	size = sp_query_value(&pair, memory, pair.value_size);
	if (size < 0)
		return result(req, FORM_VALUE, name, (int)size);
	*value = (struct spate_str){ memory, (size_t)size };
	return 0;
}

int
spate_form_u64(struct spate_req *req, const char *name, uint64_t *value)
{
	struct spate_str form;
	int error = form_of(req, &form);

	if (error != 0)
		return error;
	return result(req, FORM_VALUE, name,
	    sp_query_u64(form.data, form.size, name, value));
}

int
spate_form_i64(struct spate_req *req, const char *name, int64_t *value)
{
	struct spate_str form;
	int error = form_of(req, &form);

	if (error != 0)
		return error;
	return result(req, FORM_VALUE, name,
	    sp_query_i64(form.data, form.size, name, value));
}

int
spate_form_double(struct spate_req *req, const char *name, double *value)
{
	struct spate_str form;
	int error = form_of(req, &form);

	if (error != 0)
		return error;
	return result(req, FORM_VALUE, name,
	    sp_query_double(form.data, form.size, name, value));
}

int
spate_form_bool(struct spate_req *req, const char *name, bool *value)
{
	struct spate_str form;
	int error = form_of(req, &form);

	if (error != 0)
		return error;
	return result(req, FORM_VALUE, name,
	    sp_query_bool(form.data, form.size, name, value));
}
