/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_FRAMEWORK_HTTP_HEAD_H
#define SPATE_FRAMEWORK_HTTP_HEAD_H

/*
 * The head of an HTTP/1 request: from bytes to offsets, or to the status
 * that refuses it. Pure code: no I/O, no allocation, no state between calls.
 *
 *     GET /a/b?c=1 HTTP/1.1\r\n      method, path, query, minor
 *     Host: example.com:80\r\n       fields[0]; host, checked
 *     Content-Length: 3\r\n          fields[1]; content_length, checked
 *     \r\n
 *     abc                            not looked at
 *     ^-- buf + head.size
 *
 * Everything that locates text is an offset from buf, so a head stays right
 * when its buffer is moved. An offset is 16 bits wide: a head is never
 * larger than SP_HTTP_HEAD_MAX, whatever the limits say.
 *
 * What is refused, and with which status. Where two apply, the one that is
 * further left in the bytes wins, so a verdict never depends on how the
 * bytes were cut into reads; those marked "end" are judged at the blank
 * line, in this order.
 *
 *    400  a CR without LF or an LF without CR, anywhere in the head
 *    400  NUL and other controls; HTAB is allowed within a value
 *    400  bytes above 0x7f outside of values
 *    400  more than SP_HTTP_BLANK_LINES empty lines in front of the request
 *    400  a method that is no token; more than one space, or a tab, in the
 *         request line; a version that is not HTTP/DIGIT.DIGIT
 *    501  a method that is not in enum sp_http_method, and CONNECT
 *    505  a version other than 1.0 and 1.1; the preface of HTTP/2
 *    400  a target with '#' or with a '%' that two hex digits do not follow;
 *         "*" unless the method is OPTIONS; an absolute target with a
 *         scheme other than http and https, with user information, or
 *         without a host
 *    414  a target longer than limits.target_bytes
 *    400  a line that starts with a space or a tab (an obsolete fold); a
 *         field without a name; anything between a name and its colon
 *    400  a Host that is not host[:port] as in RFC 3986, a second Host
 *    400  a Content-Length that is not one decimal number up to 2^63 - 1, a
 *         second Content-Length, even an equal one
 *    400  a Transfer-Encoding that is no list of names, or any on HTTP/1.0
 *    417  an Expect other than 100-continue
 *    431  more than limits.fields fields, more than limits.head_bytes bytes
 *    400  end: no Host on HTTP/1.1
 *    400  end: Transfer-Encoding together with Content-Length
 *    400  end: codings whose last is not "chunked", or with it twice
 *    501  end: a coding other than "chunked", followed by "chunked"
 *
 * A target may hold any other visible ASCII, since browsers send some of
 * what RFC 3986 excludes ("|", "[", "{"). Path and query are not decoded
 * here, and "%00" is left for whoever decodes.
 */

#include "framework/http_method.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SP_HTTP_FIELDS_MAX 100
#define SP_HTTP_HEAD_MAX 65535
#define SP_HTTP_BLANK_LINES 4

/* Bytes behind buf + size that must be readable. They may hold anything. */
#define SP_HTTP_PADDING 64

enum sp_http_flag {
	SP_HTTP_KEEP_ALIVE = 1 << 0,      /* another request may follow */
	SP_HTTP_HAS_LENGTH = 1 << 1,      /* content_length was given */
	SP_HTTP_CHUNKED = 1 << 2,         /* the body is chunked */
	SP_HTTP_EXPECT_CONTINUE = 1 << 3, /* never on HTTP/1.0 */
	SP_HTTP_UPGRADE = 1 << 4,         /* asked for; never on HTTP/1.0 */
	SP_HTTP_ABSOLUTE = 1 << 5,        /* target was http://host/path */
	SP_HTTP_ASTERISK = 1 << 6,        /* target was "*", and so is path */
	SP_HTTP_HAS_QUERY = 1 << 7,       /* there was a '?', if only that */
	SP_HTTP_ESCAPED = 1 << 8,         /* there is a '%' in the target */
	SP_HTTP_HAS_HOST = 1 << 9,        /* host is valid, perhaps empty */
};

/* Offsets from buf. The value is without the blanks around it. */
struct sp_http_field {
	uint16_t name;
	uint16_t name_size;
	uint16_t value;
	uint16_t value_size;
};

/*
 * After a complete head everything up to fields[nfields - 1] is valid.
 * Otherwise only error is, and that after a refusal alone.
 */
struct sp_http_head {
	uint8_t method; /* enum sp_http_method */
	uint8_t minor;  /* HTTP/1.minor */
	uint16_t flags; /* enum sp_http_flag */
	uint16_t size;  /* of the head, with blank lines before and after */
	uint16_t nfields;

	uint16_t target; /* as it was sent */
	uint16_t target_size;
	uint16_t path; /* never empty: "http://host" has the path "/" */
	uint16_t path_size;
	uint16_t query; /* behind the '?' */
	uint16_t query_size;

	/*
	 * The authority of an absolute target, else the Host field. Starts
	 * at host: host_size bytes without the port (brackets around IPv6
	 * included), authority_size bytes with it.
	 */
	uint16_t host;
	uint16_t host_size;
	uint16_t authority_size;

	uint64_t content_length; /* 0 unless SP_HTTP_HAS_LENGTH */
	const char *error;       /* why it was refused; constant text */

	struct sp_http_field fields[SP_HTTP_FIELDS_MAX];
};

struct sp_http_limits {
	uint32_t head_bytes;   /* up to SP_HTTP_HEAD_MAX counts */
	uint32_t fields;       /* up to SP_HTTP_FIELDS_MAX counts */
	uint32_t target_bytes; /* of the target, at most */
};

#define SP_HTTP_LIMITS_DEFAULT                                                 \
	(struct sp_http_limits)                                                \
	{                                                                      \
		.head_bytes = 16384, .fields = 100, .target_bytes = 8192       \
	}

struct sp_http_repeat;

/*
 * sp_http_head_parse: read the request head at buf.
 *
 * => Reads size bytes and touches, without regard to their contents, up to
 *    SP_HTTP_PADDING more. Does not initialise what it does not use of *head.
 * => Returns the size of the head (> 0): it is complete, and *head is valid.
 * => Returns 0: nothing wrong so far; call again, with all bytes from the
 *    start, when there are more.
 * => Returns -status: answer with status and close. head->error says why.
 * => repeat makes no difference but of time: see framework/http_repeat.h. It
 *    may be NULL.
 *
 * Context: any thread; one at a time for each repeat.
 */
int sp_http_head_parse(struct sp_http_head *head, const char *buf, size_t size,
    const struct sp_http_limits *limits, struct sp_http_repeat *repeat);

/* head->error, by its address, of a 431 for limits->fields. */
extern const char sp_http_too_many_fields[];

/*
 * How far a head that arrives in pieces has been looked at. All zero before
 * the first piece of each head.
 */
struct sp_http_progress {
	uint32_t seen;  /* bytes searched for an end of head */
	uint32_t tried; /* size at the last attempt to parse */
};

/*
 * sp_http_head_worth_parsing: whether sp_http_head_parse() should be called.
 *
 * True at the first call, when the bytes since the last call may end a head,
 * when there are twice as many as at the last attempt, and when they reach
 * limits->head_bytes. A peer that sends a head byte by byte is thereby read
 * in linear time, and gets the verdict that it would get in one piece.
 *
 * => True counts as an attempt: call sp_http_head_parse() with this size.
 */
bool sp_http_head_worth_parsing(struct sp_http_progress *progress,
    const char *buf, size_t size, const struct sp_http_limits *limits);

/*
 * sp_http_head_find: the first field of that name, in any letter case.
 * sp_http_head_find_next: the next one with the name of field.
 *
 * => Returns a pointer into head->fields, or NULL.
 */
const struct sp_http_field *sp_http_head_find(const struct sp_http_head *head,
    const char *buf, const char *name, size_t name_size);
const struct sp_http_field *
sp_http_head_find_next(const struct sp_http_head *head, const char *buf,
    const struct sp_http_field *field);

/*
 * There are several builds of the parser, of which sp_http_head_parse() is
 * the best that this CPU can run. Tests and benchmarks call each by number.
 *
 * => sp_http_scan_available() is always true for SP_HTTP_SCAN_PORTABLE.
 * => sp_http_head_parse_by() aborts if scan is not available.
 */
enum sp_http_scan {
	SP_HTTP_SCAN_PORTABLE,
	SP_HTTP_SCAN_SSE42,
	SP_HTTP_SCAN_AVX2,
	SP_HTTP_SCAN_NEON,
	SP_HTTP_SCANS
};

bool sp_http_scan_available(enum sp_http_scan scan);
const char *sp_http_scan_name(enum sp_http_scan scan);
int sp_http_head_parse_by(enum sp_http_scan scan, struct sp_http_head *head,
    const char *buf, size_t size, const struct sp_http_limits *limits,
    struct sp_http_repeat *repeat);

#endif /* SPATE_FRAMEWORK_HTTP_HEAD_H */
