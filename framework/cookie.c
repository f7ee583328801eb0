/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Cookies, RFC 6265 as its revision (6265bis) has them for servers.
 */

#include "framework/request.h"
#include "framework/text.h"
#include "framework/urlcode.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Browsers take no more for a name and its value. */
#define COOKIE_MAX 4096

struct spate_str
spate_cookie(const struct spate_req *req, const char *name)
{
	const struct sp_http_field *field = sp_http_head_find(
	    &req->head, req->base, "Cookie", 6);
	struct sp_cookie cookie;

	for (; field != NULL;
	     field = sp_http_head_find_next(&req->head, req->base, field)) {
		if (sp_cookie_get(req->base + field->value, field->value_size,
			name, &cookie)
		    == 0)
			return (struct spate_str){ cookie.value,
				cookie.value_size };
	}
	return (struct spate_str){ NULL, 0 };
}

struct spate_cookie_options
spate_cookie_options_default(void)
{
	return (struct spate_cookie_options){
		.size = sizeof(struct spate_cookie_options),
		.max_age = -1,
	};
}

/* Cookie octets: what neither ends the value nor quotes it. */
static bool
value_is_ok(const char *value)
{
	for (const char *at = value; *at != '\0'; at++) {
		uint8_t c = (uint8_t)*at;

		if (c <= ' ' || c >= 0x7f || c == '"' || c == ',' || c == ';'
		    || c == '\\')
			return false;
	}
	return true;
}

static bool
path_is_ok(const char *path)
{
	if (path[0] != '/')
		return false;
	for (; *path != '\0'; path++) {
		if (*path < ' ' || *path >= 0x7f || *path == ';')
			return false;
	}
	return true;
}

static bool
domain_is_ok(const char *domain)
{
	size_t size = strspn(domain,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");

	return size != 0 && domain[size] == '\0';
}

static bool
begins_with(const char *name, const char *prefix)
{
	return strncasecmp(name, prefix, strlen(prefix)) == 0;
}

/* A browser throws away what breaks these rules, and says nothing. */
static bool
promises_are_kept(const char *name, const struct spate_cookie_options *options)
{
	if (options->same_site == SPATE_SAME_SITE_NONE && !options->secure)
		return false;
	if (begins_with(name, "__Secure-"))
		return options->secure;
	if (begins_with(name, "__Host-"))
		return options->secure && options->domain == NULL
		       && strcmp(options->path, "/") == 0;
	return true;
}

static bool
is_ok(const char *name, const char *value,
    const struct spate_cookie_options *options)
{
	size_t name_size = strlen(name);

	return sp_token_ok(name, name_size) && value_is_ok(value)
	       && name_size + strlen(value) <= COOKIE_MAX
	       && path_is_ok(options->path)
	       && (options->domain == NULL || domain_is_ok(options->domain))
	       && options->max_age >= -1
	       && (unsigned)options->same_site <= SPATE_SAME_SITE_NONE
	       && promises_are_kept(name, options);
}

int
spate_set_cookie(struct spate_req *req, const char *name, const char *value,
    const struct spate_cookie_options *given)
{
	static const char *const same_site[] = { "Lax", "Strict", "None" };
	struct spate_cookie_options options = spate_cookie_options_default();
	char age[40] = "";
	char *field;

	if (given != NULL && given->size > sizeof(options))
		return -EINVAL;
	if (given != NULL)
		memcpy(&options, given, given->size);
	if (options.path == NULL)
		options.path = "/";
	if (!is_ok(name, value, &options))
		return -EINVAL;
	if (options.max_age >= 0)
		snprintf(
		    age, sizeof(age), "; Max-Age=%" PRId64, options.max_age);
	field = sp_bump_printf(&req->memory,
	    "%s=%s; Path=%s%s%s%s%s%s; SameSite=%s", name, value, options.path,
	    options.domain != NULL ? "; Domain=" : "",
	    options.domain != NULL ? options.domain : "", age,
	    options.secure ? "; Secure" : "",
	    options.for_scripts ? "" : "; HttpOnly",
	    same_site[options.same_site]);
	if (field == NULL)
		return -ENOMEM;
	return spate_add_header(req, "Set-Cookie", field);
}
