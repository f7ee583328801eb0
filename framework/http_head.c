/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/http_head.h"

#include "alloc/check.h"
#include "framework/http_head_builds.h"
#include "framework/http_scan.h"

#include <string.h>

static const struct {
	const char *name;
	sp_http_head_parse_fn *parse;
} builds[SP_HTTP_SCANS] = {
	[SP_HTTP_SCAN_PORTABLE] = { "portable", sp_http_head_parse_portable },
#if defined(__x86_64__)
	[SP_HTTP_SCAN_SSE42] = { "sse42", sp_http_head_parse_sse42 },
	[SP_HTTP_SCAN_AVX2] = { "avx2", sp_http_head_parse_avx2 },
#elif defined(__aarch64__)
	[SP_HTTP_SCAN_NEON] = { "neon", sp_http_head_parse_neon },
#endif
};

/* Written before main() and constant from then on. */
static sp_http_head_parse_fn *best = sp_http_head_parse_portable;

bool
sp_http_scan_available(enum sp_http_scan scan)
{
	switch (scan) {
	case SP_HTTP_SCAN_PORTABLE:
		return true;
#if defined(__x86_64__)
	case SP_HTTP_SCAN_SSE42:
		return __builtin_cpu_supports("sse4.2");
	case SP_HTTP_SCAN_AVX2:
		return __builtin_cpu_supports("avx2")
		       && __builtin_cpu_supports("bmi");
#elif defined(__aarch64__)
	case SP_HTTP_SCAN_NEON:
		return true;
#endif
	default:
		return false;
	}
}

__attribute__((constructor)) static void
choose_best(void)
{
#if defined(__x86_64__)
	__builtin_cpu_init();
#endif
	for (enum sp_http_scan scan = 0; scan < SP_HTTP_SCANS; scan++)
		if (sp_http_scan_available(scan))
			best = builds[scan].parse;
}

const char *
sp_http_scan_name(enum sp_http_scan scan)
{
	return builds[scan].name != NULL ? builds[scan].name : "absent";
}

int
sp_http_head_parse(struct sp_http_head *head, const char *buf, size_t size,
    const struct sp_http_limits *limits, struct sp_http_repeat *repeat)
{
	return best(head, buf, size, limits, repeat);
}

int
sp_http_head_parse_by(enum sp_http_scan scan, struct sp_http_head *head,
    const char *buf, size_t size, const struct sp_http_limits *limits,
    struct sp_http_repeat *repeat)
{
	SP_CHECK(sp_http_scan_available(scan));
	return builds[scan].parse(head, buf, size, limits, repeat);
}

/* Whether a line that is empty but for its end, ends at or behind p. */
static bool
has_end(const char *buf, const char *p, const char *end)
{
	while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		if (p - buf >= 1 && p[-1] == '\n')
			return true;
		if (p - buf >= 2 && p[-1] == '\r' && p[-2] == '\n')
			return true;
		p++;
	}
	return false;
}

bool
sp_http_head_worth_parsing(struct sp_http_progress *progress, const char *buf,
    size_t size, const struct sp_http_limits *limits)
{
	const uint32_t seen = progress->seen;
	const size_t max = limits->head_bytes < SP_HTTP_HEAD_MAX
			       ? limits->head_bytes
			       : SP_HTTP_HEAD_MAX;

	if (size == seen)
		return false;
	progress->seen = (uint32_t)size;
	if (size < max && size / 2 < progress->tried
	    && !has_end(buf, buf + seen, buf + size))
		return false;
	progress->tried = (uint32_t)size;
	return true;
}

static bool
is_named(const struct sp_http_field *field, const char *buf, const char *name,
    size_t name_size)
{
	const char *p = buf + field->name;

	if (field->name_size != name_size)
		return false;
	for (size_t i = 0; i < name_size; i++)
		if (sp_http_fold(p[i]) != sp_http_fold(name[i]))
			return false;
	return true;
}

static const struct sp_http_field *
find_from(const struct sp_http_head *head, const char *buf,
    const struct sp_http_field *field, const char *name, size_t name_size)
{
	for (; field < head->fields + head->nfields; field++)
		if (is_named(field, buf, name, name_size))
			return field;
	return NULL;
}

const struct sp_http_field *
sp_http_head_find(const struct sp_http_head *head, const char *buf,
    const char *name, size_t name_size)
{
	return find_from(head, buf, head->fields, name, name_size);
}

const struct sp_http_field *
sp_http_head_find_next(const struct sp_http_head *head, const char *buf,
    const struct sp_http_field *field)
{
	return find_from(
	    head, buf, field + 1, buf + field->name, field->name_size);
}
