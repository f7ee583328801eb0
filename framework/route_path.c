/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/route_path.h"

#include "framework/urlcode.h"

#include <errno.h>
#include <string.h>

static bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_unreserved(char c)
{
	return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_'
	       || c == '~';
}

static bool
is_dots(const char *segment, size_t size)
{
	return (size == 1 && segment[0] == '.')
	       || (size == 2 && segment[0] == '.' && segment[1] == '.');
}

int
sp_route_path_split(struct sp_route_path *path, const char *text, size_t size)
{
	uint32_t n = 0;
	size_t start = 1;

	if (size == 0 || size > SP_ROUTER_PATH || text[0] != '/')
		return -EINVAL;
	for (size_t i = 1; i <= size; i++) {
		if (i != size && text[i] != '/')
			continue;
		if (n == SP_ROUTER_SEGMENTS || is_dots(text + start, i - start))
			return -EINVAL;
		path->start[n++] = (uint16_t)start;
		start = i + 1;
	}
	path->start[n] = (uint16_t)start;
	path->segments = n;
	path->text = text;
	return 0;
}

ssize_t
sp_route_path_normalise(const char *in, size_t size, char *out, size_t capacity)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t n = 0;

	if (size > capacity)
		return -ENOSPC;
	for (size_t i = 0; i < size; i++) {
		int high, low;
		char c;

		if (in[i] != '%') {
			out[n++] = in[i];
			continue;
		}
		if (size - i < 3)
			return -EINVAL;
		high = sp_hex_digit(in[i + 1]);
		low = sp_hex_digit(in[i + 2]);
		if (high < 0 || low < 0)
			return -EINVAL;
		i += 2;
		c = (char)(high << 4 | low);
		if (is_unreserved(c)) {
			out[n++] = c;
			continue;
		}
		out[n++] = '%';
		out[n++] = digits[high];
		out[n++] = digits[low];
	}
	return (ssize_t)n;
}

static bool
is_name(const char *name, size_t size)
{
	if (size == 0 || is_digit(name[0]))
		return false;
	for (size_t i = 0; i < size; i++) {
		if (!is_alpha(name[i]) && !is_digit(name[i]) && name[i] != '_')
			return false;
	}
	return true;
}

/* Refuse what no path has, and escape what has it only escaped. */
static ssize_t
pattern_escape(const char *given, size_t size, char out[SP_ROUTER_PATH])
{
	size_t n = 0;

	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)given[i];
		ssize_t written = 1;

		if (c <= ' ' || c == '?' || c == '#' || c == 0x7f)
			return -EINVAL;
		if (n == SP_ROUTER_PATH)
			return -EINVAL;
		if (c < 0x80)
			out[n] = (char)c;
		else
			written = sp_url_encode(
			    given + i, 1, out + n, SP_ROUTER_PATH - n, 0);
		if (written < 0)
			return -EINVAL;
		n += (size_t)written;
	}
	return (ssize_t)n;
}

static int
pattern_name(struct sp_route_pattern *pattern, const char *given,
    struct sp_span span, uint32_t segment)
{
	const char *name = given + span.offset;

	if (!is_name(name, span.size) || pattern->params == SP_ROUTER_PARAMS)
		return -EINVAL;
	for (uint32_t i = 0; i < pattern->params; i++) {
		if (pattern->name[i].size == span.size
		    && memcmp(given + pattern->name[i].offset, name, span.size)
			   == 0)
			return -EINVAL;
	}
	pattern->name[pattern->params] = span;
	pattern->position[pattern->params++] = (uint8_t)segment;
	return 0;
}

/* Segments of the pattern as it was given and as normalised are the same. */
static int
pattern_segment(struct sp_route_pattern *pattern,
    const struct sp_route_path *given, uint32_t i)
{
	const char *text = sp_route_path_segment(given, i);
	uint16_t size = sp_route_path_segment_size(given, i);
	bool last = i + 1 == given->segments;
	struct sp_span span;

	pattern->kind[i] = SP_SEGMENT_BYTES;
	if (size == 0)
		return last ? 0 : -EINVAL;
	if (text[0] != ':' && text[0] != '*')
		return 0;
	pattern->kind[i] = text[0] == ':' ? SP_SEGMENT_NAME : SP_SEGMENT_REST;
	if (pattern->kind[i] == SP_SEGMENT_REST && !last)
		return -EINVAL;
	span.offset = (uint16_t)(given->start[i] + 1);
	span.size = (uint16_t)(size - 1);
	return pattern_name(pattern, given->text, span, i);
}

int
sp_route_pattern_parse(struct sp_route_pattern *pattern, const char *given)
{
	char escaped[SP_ROUTER_PATH];
	struct sp_route_path parts;
	ssize_t size;
	int error;

	error = sp_route_path_split(
	    &parts, given, strnlen(given, SP_ROUTER_PATH + 1));
	if (error != 0)
		return error;
	size = pattern_escape(given, parts.start[parts.segments] - 1u, escaped);
	if (size < 0)
		return -EINVAL;
	size = sp_route_path_normalise(
	    escaped, (size_t)size, pattern->text, sizeof(pattern->text));
	if (size < 0)
		return -EINVAL;
	pattern->size = (size_t)size;
	error = sp_route_path_split(
	    &pattern->path, pattern->text, pattern->size);
	if (error != 0)
		return error;
	pattern->params = 0;
	for (uint32_t i = 0; i < parts.segments && error == 0; i++)
		error = pattern_segment(pattern, &parts, i);
	pattern->by_bytes = pattern->params == 0;
	return error;
}
