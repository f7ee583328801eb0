/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The walk over a head, from left to right and once. Included by each
 * framework/http_head_*.c that is a build of the parser, behind one of
 * framework/http_scan_*.h and with the name of its function in SP_HTTP_WALK.
 * Hence no include guard.
 *
 * Each step asks for the bytes that it judges and for no others, so a head
 * that is cut short gets the verdict of the whole or none. A byte that is
 * looked at before it is known to be in front of the end, only ever decides
 * where a scan starts or stops, and that is then compared with the end.
 */

#include "framework/http_head_rules.h"
#include "framework/http_repeat.h"

#include "alloc/cacheline.h"
#include "alloc/check.h"

struct walk {
	struct sp_http_head *head;
	const char *buf;
	const char *end;
	const struct sp_http_field *last; /* one behind the last allowed */
	int seen;
	int verdict; /* if a step returned NULL: 0 or -status */
};

SCAN_INLINE SCAN_TARGET const char *
walk_stop(struct walk *walk, int verdict)
{
	walk->verdict = verdict;
	return NULL;
}

SCAN_INLINE SCAN_TARGET const char *
walk_refuse(struct walk *walk, int status, const char *error)
{
	return walk_stop(walk, sp_http_refuse(walk->head, status, error));
}

SCAN_INLINE SCAN_TARGET const char *
walk_method(struct walk *walk, const char *p)
{
	int skip;

	if (sp_likely(walk->end - p >= 5)) {
		if (sp_http_same4(p, "GET ")) {
			walk->head->method = SP_HTTP_GET;
			return p + 4;
		}
		if (sp_http_same4(p, "POST") && p[4] == ' ') {
			walk->head->method = SP_HTTP_POST;
			return p + 5;
		}
	}
	if (p == walk->end)
		return walk_stop(walk, 0);
	if (*p == '\r') {
		skip = sp_http_rule_blank(walk->head, p, walk->end);
		if (skip <= 0)
			return walk_stop(walk, skip);
		p += skip;
	}
	skip = sp_http_rule_method(
	    walk->head, p, scan_token(p, walk->end), walk->end);
	return skip > 0 ? p + skip : walk_stop(walk, skip);
}

/*
 * Steps over a byte at p that ends a plain run of the target.
 *
 * => Returns what follows it, or NULL.
 */
SCAN_INLINE SCAN_TARGET const char *
walk_target_byte(struct walk *walk, const char *p, const char **query)
{
	if (*p == '?') {
		walk->seen |= SP_HTTP_HAS_QUERY;
		if (*query == NULL)
			*query = p + 1;
		return p + 1;
	}
	if (*p != '%')
		return walk_refuse(walk, 400, "bad byte in the target");
	walk->seen |= SP_HTTP_ESCAPED;
	if (walk->end - p < 3)
		return walk_stop(walk, 0);
	if (!sp_http_is(p[1], SP_HTTP_HEX) || !sp_http_is(p[2], SP_HTTP_HEX))
		return walk_refuse(walk, 400, "bad '%' in the target");
	return p + 3;
}

/* => Returns what follows the target and its space, or NULL. */
SCAN_INLINE SCAN_TARGET const char *
walk_target(struct walk *walk, const char *target, ptrdiff_t max)
{
	struct sp_http_head *head = walk->head;
	const char *query = NULL, *p = scan_target(target, walk->end);

	for (;;) {
		if (sp_unlikely(p >= walk->end)) {
			if (walk->end - target > max)
				return walk_refuse(walk, 414, "long target");
			return walk_stop(walk, 0);
		}
		if (*p == ' ' && sp_likely(p - target <= max))
			break;
		if (p - target >= max)
			return walk_refuse(walk, 414, "long target");
		p = walk_target_byte(walk, p, &query);
		if (p == NULL)
			return NULL;
		p = scan_target(p, walk->end);
	}
	head->target = head->path = (uint16_t)(target - walk->buf);
	head->target_size = head->path_size = (uint16_t)(p - target);
	head->query = 0;
	head->query_size = 0;
	if (query != NULL) {
		head->path_size = (uint16_t)(query - 1 - target);
		head->query = (uint16_t)(query - walk->buf);
		head->query_size = (uint16_t)(p - query);
	}
	if (sp_unlikely(*target != '/')) {
		walk->seen = sp_http_rule_target(head, walk->buf, walk->seen);
		if (walk->seen < 0)
			return walk_stop(walk, walk->seen);
	}
	return p + 1;
}

/* => Returns the first field, or NULL. */
SCAN_INLINE SCAN_TARGET const char *
walk_version(struct walk *walk, const char *p)
{
	int one_more;

	if (sp_likely(walk->end - p >= 10 && sp_http_same8(p, "HTTP/1.1")
		      && sp_http_same2(p + 8, "\r\n"))) {
		walk->head->minor = 1;
		return p + 10;
	}
	one_more = sp_http_rule_version(walk->head, p, walk->end);
	if (one_more <= 0)
		return walk_stop(walk, one_more);
	walk->head->minor = (uint8_t)(one_more - 1);
	if (one_more == 1)
		walk->seen |= SP_HTTP_SEEN_1_0;
	return p + 10;
}

/* => Returns the first field, or NULL. */
SCAN_INLINE SCAN_TARGET const char *
walk_request(struct walk *walk, const char *p, ptrdiff_t max)
{
	p = walk_method(walk, p);
	if (p != NULL)
		p = walk_target(walk, p, max);
	if (p != NULL)
		p = walk_version(walk, p);
	return p;
}

/* Whether a name may be one that has a rule; the rule will know. */
SCAN_INLINE SCAN_TARGET bool
walk_may_have_rule(const char *name, size_t name_size)
{
	return (SP_HTTP_RULE_SIZES >> name_size % 32 & 1) != 0
	       && (SP_HTTP_RULE_THIRD_LETTERS >> (uint8_t)name[2] % 32 & 1)
		      != 0;
}

/*
 * One line behind the request line, whatever it is.
 *
 * => Returns the next line; name if this is the blank one; or NULL.
 */
SCAN_INLINE SCAN_TARGET const char *
walk_line(struct walk *walk, const char *name, struct sp_http_field *field)
{
	const char *colon = scan_token(name, walk->end);
	const char *value, *value_end, *next;

	if (colon >= walk->end)
		return walk_stop(walk, 0);
	if (*colon != ':' || colon == name) {
		if (colon == name && *name == '\r')
			return name;
		return walk_stop(
		    walk, sp_http_rule_stop(walk->head, name, colon));
	}
	if (field == walk->last)
		return walk_refuse(walk, 431, sp_http_too_many_fields);
	value = colon + 1;
	while (value < walk->end && sp_http_is_blank(*value))
		value++;
	value_end = scan_value(value, walk->end);
	if (walk->end - value_end < 2)
		return walk_stop(walk, 0);
	if (!sp_http_same2(value_end, "\r\n"))
		return walk_refuse(walk, 400, "bad byte in a value");
	next = value_end + 2;
	while (value_end > value && sp_http_is_blank(value_end[-1]))
		value_end--;

	field->name = (uint16_t)(name - walk->buf);
	field->name_size = (uint16_t)(colon - name);
	field->value = (uint16_t)(value - walk->buf);
	field->value_size = (uint16_t)(value_end - value);
	if (walk_may_have_rule(name, (size_t)(colon - name))) {
		walk->seen = sp_http_rule_field(
		    walk->head, walk->buf, field, walk->seen);
		if (walk->seen < 0)
			return walk_stop(walk, walk->seen);
	}
	return next;
}

/* => Returns the blank line, or NULL. */
SCAN_INLINE SCAN_TARGET const char *
walk_lines(struct walk *walk, const char *p)
{
	struct sp_http_field *field = walk->head->fields;
	const char *next;

	for (; (next = walk_line(walk, p, field)) != p; field++) {
		if (next == NULL)
			return NULL;
		p = next;
	}
	walk->head->nfields = (uint16_t)(field - walk->head->fields);
	return p;
}

/* => Returns whether that was all, and then head->size is set. */
SCAN_INLINE SCAN_TARGET bool
walk_end(struct walk *walk, const char *p)
{
	struct sp_http_head *head = walk->head;

	if (sp_unlikely(walk->end - p < 2))
		return false; /* walk->verdict is 0 */
	if (sp_unlikely(!sp_http_same2(p, "\r\n"))) {
		walk_refuse(walk, 400, "CR without LF");
		return false;
	}
	if (sp_likely(
		(walk->seen & ~SP_HTTP_SEEN_PLAIN) == SP_HTTP_SEEN_HOST)) {
		head->flags = (uint16_t)(walk->seen | SP_HTTP_KEEP_ALIVE);
		if (!(walk->seen & SP_HTTP_HAS_LENGTH))
			head->content_length = 0;
	} else {
		walk->verdict = sp_http_rule_end(head, walk->seen);
		if (walk->verdict < 0)
			return false;
	}
	head->size = (uint16_t)(p + 2 - walk->buf);
	return true;
}

/* Every form that a head may have, from its start. */
static __attribute__((noinline)) SCAN_TARGET int
walk_whole(struct sp_http_head *head, const char *buf, size_t size,
    const struct sp_http_limits *limits)
{
	size_t max = limits->head_bytes, fields = limits->fields;
	struct walk walk;
	const char *p;

	if (max > SP_HTTP_HEAD_MAX)
		max = SP_HTTP_HEAD_MAX;
	if (fields > SP_HTTP_FIELDS_MAX)
		fields = SP_HTTP_FIELDS_MAX;
	walk.head = head;
	walk.buf = buf;
	walk.end = buf + (size < max ? size : max);
	walk.last = head->fields + fields;
	walk.seen = 0;
	walk.verdict = 0;
	p = walk_request(&walk, buf, (ptrdiff_t)limits->target_bytes);
	if (p != NULL)
		p = walk_lines(&walk, p);
	if (p != NULL && walk_end(&walk, p))
		return head->size;
	if (walk.verdict == 0 && size >= max)
		return sp_http_refuse(head, 431, "the head is too large");
	return walk.verdict;
}

#ifdef SCAN_BLOCK
#include "framework/http_head_short.h"
#endif

/* The forms that nearly all heads have, then any. */
static __attribute__((noinline)) SCAN_TARGET int
walk_anew(struct sp_http_head *head, const char *buf, size_t size,
    const struct sp_http_limits *limits, struct sp_http_repeat *repeat)
{
	int verdict = 0;

#ifdef SCAN_BLOCK
	verdict = (int)short_walk(head, buf, size, limits);
#endif
	if (sp_unlikely(verdict == 0))
		verdict = walk_whole(head, buf, size, limits);
	if (repeat != NULL)
		sp_http_repeat_missed(repeat, head, buf, verdict);
	return verdict;
}

SCAN_TARGET int
SP_HTTP_WALK(struct sp_http_head *head, const char *buf, size_t size,
    const struct sp_http_limits *limits, struct sp_http_repeat *repeat)
{
#ifdef SCAN_BLOCK
	if (sp_likely(repeat != NULL && repeat->armed)) {
		size_t n = repeat_walk(head, buf, size, limits, repeat);

		if (sp_likely(n != 0))
			return (int)n;
	}
#endif
	return walk_anew(head, buf, size, limits, repeat);
}
