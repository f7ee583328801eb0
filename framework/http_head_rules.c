/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/http_head_rules.h"

#include "framework/http_scan.h"

#include <arpa/inet.h>

#define PREFACE "PRI * HTTP/2.0\r\n"
#define VERSION_BYTES 10 /* "HTTP/1.1\r\n" */

const char sp_http_too_many_fields[] = "too many fields";

int
sp_http_refuse(struct sp_http_head *head, int status, const char *error)
{
	head->error = error;
	return -status;
}

int
sp_http_rule_blank(struct sp_http_head *head, const char *p, const char *end)
{
	int lines = 0;

	while (p < end && *p == '\r') {
		if (p + 1 >= end)
			return 0;
		if (p[1] != '\n')
			return sp_http_refuse(head, 400, "CR without LF");
		if (++lines > SP_HTTP_BLANK_LINES)
			return sp_http_refuse(
			    head, 400, "too many blank lines");
		p += 2;
	}
	return p < end ? lines * 2 : 0;
}

int
sp_http_rule_method(struct sp_http_head *head, const char *p,
    const char *token_end, const char *end)
{
	const size_t size = (size_t)(token_end - p);
	size_t have;
	int method;

	if (token_end >= end)
		return 0;
	if (size == 0 || *token_end != ' ')
		return sp_http_refuse(head, 400, "malformed method");
	method = sp_http_method_parse(p, size);
	if (method >= 0 && method != SP_HTTP_CONNECT) {
		head->method = (uint8_t)method;
		return (int)size + 1;
	}
	if (method == SP_HTTP_CONNECT)
		return sp_http_refuse(head, 501, "CONNECT is not supported");

	have = (size_t)(end - p);
	if (have >= strlen(PREFACE))
		have = strlen(PREFACE);
	if (memcmp(p, PREFACE, have) != 0)
		return sp_http_refuse(head, 501, "unknown method");
	if (have < strlen(PREFACE))
		return 0;
	return sp_http_refuse(head, 505, "the preface of HTTP/2");
}

int
sp_http_rule_version(struct sp_http_head *head, const char *p, const char *end)
{
	static const char shape[VERSION_BYTES + 1] = "HTTP/#.#\r\n";

	for (int i = 0; i < VERSION_BYTES; i++) {
		if (p + i >= end)
			return 0;
		if (shape[i] == '#' ? !sp_http_is_digit(p[i])
				    : p[i] != shape[i])
			return sp_http_refuse(head, 400, "malformed version");
	}
	if (p[5] != '1' || p[7] > '1')
		return sp_http_refuse(head, 505, "unsupported version");
	return 1 + (p[7] - '0');
}

int
sp_http_rule_stop(struct sp_http_head *head, const char *name, const char *p)
{
	if (sp_http_is_blank(*p))
		return sp_http_refuse(head, 400,
		    p == name ? "folded field" : "space before a colon");
	if (*p == ':')
		return sp_http_refuse(head, 400, "field without a name");
	if (*p == '\r' || *p == '\n')
		return sp_http_refuse(head, 400, "field without a colon");
	return sp_http_refuse(head, 400, "bad byte in the name of a field");
}

/* => Returns whether the text in brackets is an address of IPv6. */
static bool
is_ipv6(const char *p, const char *end)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;
	size_t size = (size_t)(end - p);

	if (size >= sizeof(text))
		return false;
	memcpy(text, p, size);
	text[size] = '\0';
	return inet_pton(AF_INET6, text, &address) == 1;
}

/*
 * => Returns whether the text in brackets is an address of a later version
 *    of IP: "v", hex digits, ".", and what a name may have, or colons.
 */
static bool
is_ipvfuture(const char *p, const char *end)
{
	const char *digits, *rest;

	if (p == end || (*p != 'v' && *p != 'V'))
		return false;
	for (digits = ++p; p < end && sp_http_is(*p, SP_HTTP_HEX); p++)
		;
	if (p == digits || p == end || *p != '.')
		return false;
	for (rest = ++p; p < end; p++) {
		if (*p != ':' && !sp_http_is(*p, SP_HTTP_REG_NAME))
			return false;
	}
	return p != rest;
}

/*
 * Reads host[:port].
 *
 * => Returns the end of the host, or NULL if it is malformed.
 */
static const char *
read_authority(const char *p, const char *end)
{
	const char *host = p, *host_end;
	unsigned port = 0;

	if (p < end && *p == '[') {
		p = memchr(p, ']', (size_t)(end - p));
		if (p == NULL
		    || (!is_ipv6(host + 1, p) && !is_ipvfuture(host + 1, p)))
			return NULL;
		p++;
	} else {
		while (p < end) {
			if (sp_http_is(*p, SP_HTTP_REG_NAME))
				p++;
			else if (*p == '%' && end - p > 2
				 && sp_http_is(p[1], SP_HTTP_HEX)
				 && sp_http_is(p[2], SP_HTTP_HEX))
				p += 3;
			else
				break;
		}
		if (p == host && p < end)
			return NULL;
	}
	host_end = p;
	if (p == end)
		return host_end;
	if (*p != ':')
		return NULL;
	for (p++; p < end && sp_http_is_digit(*p) && port <= SP_HTTP_PORT_MAX;
	     p++)
		port = port * 10 + (unsigned)(*p - '0');
	return p == end && port <= SP_HTTP_PORT_MAX ? host_end : NULL;
}

static int
rule_host(struct sp_http_head *head, const char *buf,
    const struct sp_http_field *field, int seen)
{
	const char *value = buf + field->value, *host_end;

	if (seen & SP_HTTP_SEEN_HOST)
		return sp_http_refuse(head, 400, "second Host");
	host_end = read_authority(value, value + field->value_size);
	if (host_end == NULL)
		return sp_http_refuse(head, 400, "malformed Host");
	seen |= SP_HTTP_SEEN_HOST;
	if (seen & SP_HTTP_ABSOLUTE)
		return seen;
	head->host = field->value;
	head->host_size = (uint16_t)(host_end - value);
	head->authority_size = field->value_size;
	return seen | SP_HTTP_HAS_HOST;
}

static bool
is_folded(const char *p, const char *end, const char *small)
{
	while (p < end && *small != '\0' && sp_http_fold(*p) == *small) {
		p++;
		small++;
	}
	return p == end && *small == '\0';
}

int
sp_http_rule_target(struct sp_http_head *head, const char *buf, int seen)
{
	const char *p = buf + head->path, *end = p + head->path_size;
	const char *host, *host_end, *slash;

	if (head->path_size == 1 && *p == '*' && !(seen & SP_HTTP_HAS_QUERY)) {
		if (head->method != SP_HTTP_OPTIONS)
			return sp_http_refuse(head, 400, "'*' without OPTIONS");
		return seen | SP_HTTP_ASTERISK;
	}
	if (end - p > 7 && is_folded(p, p + 7, "http://"))
		host = p + 7;
	else if (end - p > 8 && is_folded(p, p + 8, "https://"))
		host = p + 8;
	else
		return sp_http_refuse(head, 400, "malformed target");
	slash = memchr(host, '/', (size_t)(end - host));
	if (slash == NULL) {
		/* The path is "/", and here is one, in front of the host. */
		slash = host - 1;
		head->path_size = 1;
		p = end;
	} else {
		head->path_size = (uint16_t)(end - slash);
		p = slash;
	}
	host_end = read_authority(host, p);
	if (host_end == NULL || host_end == host)
		return sp_http_refuse(head, 400, "malformed authority");
	head->path = (uint16_t)(slash - buf);
	head->host = (uint16_t)(host - buf);
	head->host_size = (uint16_t)(host_end - host);
	head->authority_size = (uint16_t)(p - host);
	return seen | SP_HTTP_ABSOLUTE | SP_HTTP_HAS_HOST;
}

/*
 * The next member of a list with commas, without the blanks around it.
 *
 * => Returns where the rest of the list starts, which is behind end after
 *    the last member.
 */
static const char *
next_member(const char *p, const char *end, const char **member,
    const char **member_end)
{
	const char *comma = p;

	while (comma < end && *comma != ',')
		comma++;
	*member_end = comma;
	while (p < *member_end && sp_http_is_blank(*p))
		p++;
	while (p < *member_end && sp_http_is_blank((*member_end)[-1]))
		(*member_end)--;
	*member = p;
	return comma + 1;
}

static bool
is_token(const char *p, const char *end)
{
	const char *start = p;

	while (p < end && sp_http_is(*p, SP_HTTP_TOKEN))
		p++;
	return p == end && p != start;
}

static int
rule_connection(const char *value, const char *value_end, int seen)
{
	const char *p = value, *member, *member_end;

	if (value_end - value == 10 && sp_http_fold8(value, "keep-ali")
	    && sp_http_fold4(value + 6, "live"))
		return seen | SP_HTTP_SEEN_KEEP;
	while (p <= value_end) {
		p = next_member(p, value_end, &member, &member_end);
		if (is_folded(member, member_end, "close"))
			seen |= SP_HTTP_SEEN_CLOSE;
		else if (is_folded(member, member_end, "keep-alive"))
			seen |= SP_HTTP_SEEN_KEEP;
		else if (is_folded(member, member_end, "upgrade"))
			seen |= SP_HTTP_WANT_UPGRADE;
	}
	return seen;
}

static int
rule_expect(struct sp_http_head *head, const char *value, const char *value_end,
    int seen)
{
	if (!is_folded(value, value_end, "100-continue"))
		return sp_http_refuse(head, 417, "unknown expectation");
	return seen | SP_HTTP_EXPECT_CONTINUE;
}

static int
rule_length(struct sp_http_head *head, const char *value, const char *value_end,
    int seen)
{
	const char *p;
	uint64_t length = 0, digit;

	if (seen & SP_HTTP_HAS_LENGTH)
		return sp_http_refuse(head, 400, "second Content-Length");
	for (p = value; p < value_end && sp_http_is_digit(*p); p++) {
		digit = (uint64_t)(*p - '0');
		if (length > (INT64_MAX - digit) / 10)
			break;
		length = length * 10 + digit;
	}
	if (p != value_end || p == value)
		return sp_http_refuse(head, 400, "malformed Content-Length");
	head->content_length = length;
	return seen | SP_HTTP_HAS_LENGTH;
}

static int
rule_coding(struct sp_http_head *head, const char *value, const char *value_end,
    int seen)
{
	const char *p = value, *member, *member_end;

	if (head->minor == 0)
		return sp_http_refuse(
		    head, 400, "Transfer-Encoding on HTTP/1.0");
	seen |= SP_HTTP_SEEN_CODING;
	while (p <= value_end) {
		p = next_member(p, value_end, &member, &member_end);
		seen &= ~SP_HTTP_LAST_CHUNKED;
		if (is_folded(member, member_end, "chunked")) {
			seen |= SP_HTTP_LAST_CHUNKED
				| (seen & SP_HTTP_ONCE_CHUNKED
					? SP_HTTP_TWICE_CHUNKED
					: SP_HTTP_ONCE_CHUNKED);
			continue;
		}
		seen |= SP_HTTP_OTHER_CODING;
		if (!is_token(member, member_end))
			return sp_http_refuse(
			    head, 400, "malformed Transfer-Encoding");
	}
	return seen;
}

int
sp_http_rule_field(struct sp_http_head *head, const char *buf,
    const struct sp_http_field *field, int seen)
{
	const char *name = buf + field->name;
	const char *value = buf + field->value;
	const char *value_end = value + field->value_size;

	switch (field->name_size) {
	case 4:
		if (sp_http_fold4(name, "host"))
			return rule_host(head, buf, field, seen);
		break;
	case 6:
		if (sp_http_fold4(name, "expe")
		    && sp_http_fold4(name + 2, "pect"))
			return rule_expect(head, value, value_end, seen);
		break;
	case 7:
		if (sp_http_fold4(name, "upgr")
		    && sp_http_fold4(name + 3, "rade"))
			return seen | SP_HTTP_SEEN_UPGRADE;
		break;
	case 10:
		if (sp_http_fold8(name, "connecti")
		    && sp_http_fold4(name + 6, "tion"))
			return rule_connection(value, value_end, seen);
		break;
	case 14:
		if (sp_http_fold8(name, "content-")
		    && sp_http_fold8(name + 6, "t-length"))
			return rule_length(head, value, value_end, seen);
		break;
	case 17:
		if (sp_http_fold8(name, "transfer")
		    && sp_http_fold8(name + 8, "-encodin")
		    && sp_http_fold(name[16]) == 'g')
			return rule_coding(head, value, value_end, seen);
		break;
	}
	return seen;
}

int
sp_http_rule_end(struct sp_http_head *head, int seen)
{
	if (head->minor == 1 && !(seen & SP_HTTP_SEEN_HOST))
		return sp_http_refuse(head, 400, "no Host");
	if (seen & SP_HTTP_SEEN_CODING) {
		if (seen & SP_HTTP_HAS_LENGTH)
			return sp_http_refuse(
			    head, 400, "Content-Length and Transfer-Encoding");
		if (!(seen & SP_HTTP_LAST_CHUNKED)
		    || (seen & SP_HTTP_TWICE_CHUNKED))
			return sp_http_refuse(
			    head, 400, "Transfer-Encoding without an end");
		if (seen & SP_HTTP_OTHER_CODING)
			return sp_http_refuse(
			    head, 501, "unknown transfer coding");
		seen |= SP_HTTP_CHUNKED;
	}
	if (!(seen & SP_HTTP_HAS_LENGTH))
		head->content_length = 0;
	if (!(seen & SP_HTTP_SEEN_CLOSE)
	    && (head->minor == 1 || (seen & SP_HTTP_SEEN_KEEP)))
		seen |= SP_HTTP_KEEP_ALIVE;
	if (head->minor == 0)
		seen &= ~SP_HTTP_EXPECT_CONTINUE;
	else if ((seen & SP_HTTP_SEEN_UPGRADE) && (seen & SP_HTTP_WANT_UPGRADE))
		seen |= SP_HTTP_UPGRADE;
	if (!(seen & SP_HTTP_HAS_HOST)) {
		head->host = 0;
		head->host_size = 0;
		head->authority_size = 0;
	}
	head->flags = (uint16_t)seen;
	return 0;
}
