/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The short way through a head: the forms that nearly all requests have, and
 * one look at the end of the bytes for each line. On anything else, and on a
 * head that is not complete, it gives up without a word, and walk_whole()
 * starts anew. So it refuses nothing, and what it accepts is what
 * walk_whole() accepts; tests/unit/http_head_test.c and the fuzzers compare
 * the two.
 *
 * Included by framework/http_head_walk.h where there are blocks to scan by
 * (framework/http_scan_block.h). Hence no include guard.
 *
 * All positions are offsets from buf. Bytes behind the end are looked at, up
 * to SP_HTTP_PADDING, before a step finds that it has come too far.
 */

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "pairs, ports");

/* Two neighbours in *head by one store. */
SCAN_INLINE SCAN_TARGET void
short_pair(uint16_t *first, size_t a, size_t b)
{
	uint32_t both = (uint32_t)a | (uint32_t)b << 16;

	memcpy(first, &both, sizeof(both));
}

SCAN_INLINE SCAN_TARGET void
short_store(struct sp_http_field *field, size_t name, size_t name_size,
    size_t value, size_t value_size)
{
	field->name = (uint16_t)name;
	field->name_size = (uint16_t)name_size;
	field->value = (uint16_t)value;
	field->value_size = (uint16_t)value_size;
}

/*
 * The query behind a path that ends at stop.
 *
 * => Returns where it ends.
 */
SCAN_INLINE SCAN_TARGET size_t
short_query(struct sp_http_head *head, const char *buf, size_t stop, size_t end)
{
	size_t query = stop + 1;

	stop = (size_t)(scan_target(buf + query, buf + end) - buf);
	short_pair(&head->query, query, stop - query);
	return stop;
}

/*
 * "/path?query" at target, without '%' and a second '?'.
 *
 * => Returns the blank behind it, or something else, or 0. It may be behind
 *    the end.
 */
SCAN_INLINE SCAN_TARGET size_t
short_target(struct sp_http_head *head, const char *buf, size_t target,
    size_t end, size_t max, int *seen)
{
	scan_mask stops = block_not_in(buf + target, SP_HTTP_ROW_TARGET);
	size_t stop;

	if (sp_likely(stops != 0))
		stop = target + scan_first(stops);
	else
		stop = (size_t)(scan_target(buf + target, buf + end) - buf);
	short_pair(&head->target, target, stop - target);
	short_pair(&head->path, target, stop - target);
	short_pair(&head->query, 0, 0);
	if (sp_unlikely(buf[stop] == '?')) {
		stop = short_query(head, buf, stop, end);
		short_pair(&head->target, target, stop - target);
		*seen |= SP_HTTP_HAS_QUERY;
	}
	if (sp_unlikely(buf[target] != '/' || stop - target > max))
		return 0;
	return stop;
}

/*
 * A GET or POST by HTTP/1.1.
 *
 * => Returns the first field, or 0.
 */
SCAN_INLINE SCAN_TARGET size_t
short_request(struct sp_http_head *head, const char *buf, size_t end,
    size_t max, int *seen)
{
	size_t target = 4, at;
	uint8_t method = SP_HTTP_GET;

	if (sp_unlikely(!sp_http_same4(buf, "GET "))) {
		if (!sp_http_same4(buf, "POST") || buf[4] != ' ')
			return 0;
		method = SP_HTTP_POST;
		target = 5;
	}
	head->method = method;
	head->minor = 1;
	at = short_target(head, buf, target, end, max, seen);
	if (sp_unlikely(at == 0 || !sp_http_same8(buf + at, " HTTP/1.")
			|| !sp_http_same4(buf + at + 7, ".1\r\n")
			|| at + 11 > end))
		return 0;
	return at + 11;
}

/*
 * The bytes of a port and of its colon at p: up to five digits, of at most
 * SP_HTTP_PORT_MAX. Or 0.
 */
SCAN_INLINE SCAN_TARGET size_t
short_port(const char *p)
{
	uint64_t text, value, others;
	unsigned bits;

	if (*p != ':')
		return 0;
	memcpy(&text, p + 1, sizeof(text));
	value = text ^ 0x3030303030303030;
	/*
	 * The high bit of each byte that is no digit: a carry comes from no
	 * digit, so the first of them is right.
	 */
	others = ((value + 0x7676767676767676) | value) & 0x8080808080808080;
	bits = (unsigned)__builtin_ctzll(others | UINT64_C(1) << 63) - 7;
	if (sp_unlikely(bits == 0 || bits > 40))
		return 0;
	if (sp_likely(bits == 40)
	    && sp_unlikely(__builtin_bswap64(text) >> 24 > 0x3635353335))
		return 0; /* "65535" */
	return 1 + bits / 8;
}

/*
 * What comes next takes the line at at, which is to be the field.
 *
 * => Returns the next line, or 0.
 */

/* "Host: name:port", with a name no longer than a block. */
SCAN_INLINE SCAN_TARGET size_t
short_host(struct sp_http_head *head, const char *buf, size_t at,
    struct sp_http_field *field)
{
	const size_t value = at + 6;
	size_t size, stop;

	if (!sp_http_fold4(buf + at, "host")
	    || !sp_http_same2(buf + at + 4, ": "))
		return 0;
	size = scan_host_name(buf + value);
	stop = value + size;
	if (!sp_http_same2(buf + stop, "\r\n")) {
		stop += short_port(buf + stop);
		if (!sp_http_same2(buf + stop, "\r\n"))
			return 0;
	}
	if (sp_unlikely(size == 0))
		return 0;
	short_store(field, at, 4, value, stop - value);
	short_pair(&head->host, value, size);
	head->authority_size = (uint16_t)(stop - value);
	return stop + 2;
}

/* "Connection: keep-alive", as most send it. */
SCAN_INLINE SCAN_TARGET size_t
short_connection(const char *buf, size_t at, struct sp_http_field *field)
{
	const char *line = buf + at;

	if (!sp_http_fold8(line, "connecti") || !sp_http_fold4(line + 6, "tion")
	    || !sp_http_same8(line + 10, ": keep-a")
	    || !sp_http_same8(line + 16, "-alive\r\n"))
		return 0;
	short_store(field, at, 10, at + 12, 10);
	return at + 24;
}

/* The two that nearly all send, each once. */
SCAN_INLINE SCAN_TARGET size_t
short_known(struct sp_http_head *head, const char *buf, size_t at,
    struct sp_http_field *field, int *seen)
{
	const char first = buf[at] | 0x20;
	size_t next = 0;

	if (first == 'h' && !(*seen & SP_HTTP_SEEN_HOST)) {
		next = short_host(head, buf, at, field);
		if (sp_likely(next != 0))
			*seen |= SP_HTTP_SEEN_HOST | SP_HTTP_HAS_HOST;
	} else if (first == 'c') {
		next = short_connection(buf, at, field);
		if (sp_likely(next != 0))
			*seen |= SP_HTTP_SEEN_KEEP;
	}
	return next;
}

/* "Name: value", of visible ASCII, with single blanks around the value. */
SCAN_INLINE SCAN_TARGET size_t
short_line(struct sp_http_head *head, const char *buf, size_t at, size_t end,
    struct sp_http_field *field, int *seen)
{
	size_t name_size, stop = scan_line(buf, at, end, &name_size);
	const size_t value = at + name_size + 2;

	if (sp_unlikely(name_size == 0 || !sp_http_same2(buf + value - 2, ": ")
			|| (signed char)buf[value] <= ' '
			|| !sp_http_same2(buf + stop, "\r\n")
			|| buf[stop - 1] == ' '))
		return 0;
	short_store(field, at, name_size, value, stop - value);
	if (sp_unlikely(walk_may_have_rule(buf + at, name_size)))
		*seen = sp_http_rule_field(head, buf, field, *seen);
	return stop + 2;
}

/* => Returns the size of a complete head, or 0. */
SCAN_INLINE SCAN_TARGET size_t
short_walk(struct sp_http_head *head, const char *buf, size_t size,
    const struct sp_http_limits *limits)
{
	const size_t end = size < limits->head_bytes ? size
						     : limits->head_bytes;
	struct sp_http_field *field = head->fields;
	const struct sp_http_field *last = field + limits->fields;
	int seen = 0;
	size_t at;

	if (sp_unlikely(
		end > SP_HTTP_HEAD_MAX || limits->fields > SP_HTTP_FIELDS_MAX))
		return 0;
	at = short_request(head, buf, end, limits->target_bytes, &seen);
	if (sp_unlikely(at == 0))
		return 0;
	for (; !sp_http_same2(buf + at, "\r\n"); field++) {
		size_t next;

		if (sp_unlikely(field == last))
			return 0;
		next = short_known(head, buf, at, field, &seen);
		if (next == 0)
			next = short_line(head, buf, at, end, field, &seen);
		if (sp_unlikely(next == 0 || next > end || seen < 0))
			return 0;
		at = next;
	}
	if (sp_unlikely(at + 2 > end
			|| (seen & ~SP_HTTP_SEEN_PLAIN) != SP_HTTP_SEEN_HOST))
		return 0;
	head->nfields = (uint16_t)(field - head->fields);
	head->flags = (uint16_t)(seen | SP_HTTP_KEEP_ALIVE);
	if (!(seen & SP_HTTP_HAS_LENGTH))
		head->content_length = 0;
	head->size = (uint16_t)(at + 2);
	return at + 2;
}

/* Whether all that *repeat has is at p, which is as long. */
SCAN_INLINE SCAN_TARGET bool
repeat_same(const struct sp_http_repeat *repeat, const char *p)
{
	const size_t last = repeat->size - SCAN_BLOCK;
	block differ = block_xor(
	    block_load(p + last), block_load(repeat->text + last));

	for (size_t i = 0; i < last; i += SCAN_BLOCK)
		differ = block_or(differ,
		    block_xor(block_load(p + i), block_load(repeat->text + i)));
	return block_is_zero(differ);
}

/* The offsets of the fields, moved by as much as the target takes. */
SCAN_INLINE SCAN_TARGET void
repeat_fields(
    struct sp_http_head *head, const struct sp_http_repeat *repeat, size_t at)
{
	const unsigned step = SCAN_BLOCK / sizeof(struct sp_http_field);
	const unsigned nfields = repeat->nfields;

	unsigned i = 0;

	/* There is at least one: Host. */
	do {
		block_move(&head->fields[i], &repeat->fields[i], (uint16_t)at);
		i += step;
	} while (i < nfields);
}

/*
 * A GET whose fields are those of an earlier head.
 *
 * => Returns its size, or 0.
 */
SCAN_INLINE SCAN_TARGET size_t
repeat_walk(struct sp_http_head *head, const char *buf, size_t size,
    const struct sp_http_limits *limits, struct sp_http_repeat *repeat)
{
	const size_t end = size < limits->head_bytes ? size
						     : limits->head_bytes;
	int seen = SP_HTTP_KEEP_ALIVE | SP_HTTP_HAS_HOST;
	size_t at;

	if (sp_unlikely(
		end > SP_HTTP_HEAD_MAX || repeat->nfields > limits->fields))
		return 0;
	if (sp_unlikely(!sp_http_same4(buf, "GET ")))
		return 0;
	at = short_target(head, buf, 4, end, limits->target_bytes, &seen);
	if (sp_unlikely(at == 0 || at + repeat->size > end
			|| !repeat_same(repeat, buf + at)))
		return 0;
	head->method = SP_HTTP_GET;
	head->minor = 1;
	head->flags = (uint16_t)seen;
	head->size = (uint16_t)(at + repeat->size);
	head->nfields = repeat->nfields;
	short_pair(&head->host, repeat->host + at, repeat->host_size);
	head->authority_size = repeat->authority_size;
	head->content_length = 0;
	repeat_fields(head, repeat, at);
	repeat->misses = 0;
	return at + repeat->size;
}
