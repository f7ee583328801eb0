/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_UNIT_HTTP_HEAD_VECTORS_H
#define SPATE_TESTS_UNIT_HTTP_HEAD_VECTORS_H

/*
 * Heads, and what becomes of them. A good one is complete at its last byte;
 * HTTP_REST bytes more may follow it. "-" as a query or a host says that
 * there is none.
 */

#include "framework/http_head.h"

#include <stdint.h>

struct http_good {
	const char *name;
	const char *input;
	const char *path;
	const char *query;
	const char *host; /* with the port */
	uint64_t length;
	unsigned flags; /* but HAS_QUERY and HAS_HOST, which follow */
};

struct http_bad {
	const char *name;
	const char *input;
	size_t size;
	int status;
};

#define GET_ "GET / HTTP/1.1\r\n"
#define POST_ "POST / HTTP/1.1\r\n"
#define HOST_ "Host: a\r\n"
#define OLD_ "GET / HTTP/1.0\r\n"
#define END_ "\r\n"

#define KEEP SP_HTTP_KEEP_ALIVE
#define LENGTH SP_HTTP_HAS_LENGTH
#define CHUNKED SP_HTTP_CHUNKED
#define EXPECT_100 SP_HTTP_EXPECT_CONTINUE
#define UPGRADE SP_HTTP_UPGRADE
#define ABSOLUTE SP_HTTP_ABSOLUTE
#define ASTERISK SP_HTTP_ASTERISK
#define ESCAPED SP_HTTP_ESCAPED

/* A request for "/" from host "a" with these fields. */
#define GOOD_FIELDS(name, fields, flags)                                       \
	{                                                                      \
		name, GET_ HOST_ fields END_, "/", "-", "a", 0, flags          \
	}
#define GOOD_TARGET(name, target, path, query, flags)                          \
	{                                                                      \
		name, "GET " target " HTTP/1.1\r\n" HOST_ END_, path, query,   \
		    "a", 0, KEEP | flags                                       \
	}
#define GOOD_ABSOLUTE(name, target, path, query, host)                         \
	{                                                                      \
		name, "GET " target " HTTP/1.1\r\nHost: b\r\n\r\n", path,      \
		    query, host, 0, KEEP | ABSOLUTE                            \
	}
#define GOOD_HOST(name, host)                                                  \
	{                                                                      \
		name, GET_ "Host: " host "\r\n\r\n", "/", "-", host, 0, KEEP   \
	}
#define GOOD_LENGTH(name, value, length)                                       \
	{                                                                      \
		name, POST_ HOST_ "Content-Length:" value END_ END_, "/", "-", \
		    "a", length, KEEP | LENGTH                                 \
	}
#define GOOD_METHOD(method)                                                    \
	{                                                                      \
		"method " method, method " / HTTP/1.1\r\n" HOST_ END_, "/",    \
		    "-", "a", 0, KEEP                                          \
	}

#define BAD(name, status, input)                                               \
	{                                                                      \
		name, input, sizeof(input) - 1, status                         \
	}
#define BAD_TARGET(name, status, target)                                       \
	BAD(name, status, "GET " target " HTTP/1.1\r\n" HOST_ END_)
#define BAD_LINE(name, status, line) BAD(name, status, line END_ HOST_ END_)
#define BAD_FIELDS(name, status, fields)                                       \
	BAD(name, status, GET_ HOST_ fields END_)
#define BAD_HOST(name, host) BAD(name, 400, GET_ "Host: " host END_ END_)
#define BAD_LENGTH(name, value)                                                \
	BAD(name, 400, POST_ HOST_ "Content-Length: " value END_ END_)
#define BAD_CODING(name, status, fields)                                       \
	BAD(name, status, POST_ HOST_ fields END_)

#define TE_ "Transfer-Encoding: "

static const struct http_good http_good[] = {
	{ "least of 1.1", GET_ "Host:a\r\n\r\n", "/", "-", "a", 0, KEEP },
	{ "least of 1.0", OLD_ END_, "/", "-", "-", 0, 0 },
	{ "1.0 with Host", OLD_ HOST_ END_, "/", "-", "a", 0, 0 },
	{ "1.0 kept", OLD_ "Connection: keep-alive\r\n\r\n", "/", "-", "-", 0,
	    KEEP },
	{ "1.0 kept and closed", OLD_ "Connection: keep-alive, close\r\n\r\n",
	    "/", "-", "-", 0, 0 },
	{ "1.0 Content-Length", OLD_ "Content-Length: 5\r\n\r\n", "/", "-", "-",
	    5, LENGTH },
	{ "1.0 Expect", OLD_ "Expect: 100-continue\r\n\r\n", "/", "-", "-", 0,
	    0 },
	{ "1.0 Upgrade", OLD_ "Connection: upgrade\r\nUpgrade: a\r\n\r\n", "/",
	    "-", "-", 0, 0 },
	{ "one blank line", "\r\n" GET_ HOST_ END_, "/", "-", "a", 0, KEEP },
	{ "four blank lines", "\r\n\r\n\r\n\r\n" GET_ HOST_ END_, "/", "-", "a",
	    0, KEEP },
	{ "blank line and 1.0", "\r\nHEAD /a HTTP/1.0\r\n\r\n", "/a", "-", "-",
	    0, 0 },
	GOOD_METHOD("HEAD"),
	GOOD_METHOD("POST"),
	GOOD_METHOD("PUT"),
	GOOD_METHOD("DELETE"),
	GOOD_METHOD("OPTIONS"),
	GOOD_METHOD("PATCH"),
	GOOD_METHOD("TRACE"),

	GOOD_TARGET("path", "/a/b.c", "/a/b.c", "-", 0),
	GOOD_TARGET("query", "/a?b=c", "/a", "b=c", 0),
	GOOD_TARGET("empty query", "/?", "/", "", 0),
	GOOD_TARGET("query of '?'", "/a?b?c", "/a", "b?c", 0),
	GOOD_TARGET("slash in query", "/a?/b", "/a", "/b", 0),
	GOOD_TARGET("escape", "/a%20b", "/a%20b", "-", ESCAPED),
	GOOD_TARGET("small escape", "/%c3%aF", "/%c3%aF", "-", ESCAPED),
	GOOD_TARGET("escaped NUL", "/%00", "/%00", "-", ESCAPED),
	GOOD_TARGET(
	    "escape in query", "/a?b=%2F%2f", "/a", "b=%2F%2f", ESCAPED),
	GOOD_TARGET("double slash", "//a//b", "//a//b", "-", 0),
	GOOD_TARGET("dots", "/../a", "/../a", "-", 0),
	GOOD_TARGET("what browsers send", "/a|b[c]{d}^`\"<>\\?e|f",
	    "/a|b[c]{d}^`\"<>\\", "e|f", 0),
	GOOD_TARGET(
	    "sub-delims", "/!$&'()*+,;=:@-._~", "/!$&'()*+,;=:@-._~", "-", 0),
	GOOD_TARGET("15 bytes", "/23456789012345", "/23456789012345", "-", 0),
	GOOD_TARGET("16 bytes", "/234567890123456", "/234567890123456", "-", 0),
	GOOD_TARGET("32 bytes", "/2345678901234567890123456789012",
	    "/2345678901234567890123456789012", "-", 0),
	GOOD_TARGET("33 bytes", "/23456789012345678901234567890123",
	    "/23456789012345678901234567890123", "-", 0),
	GOOD_TARGET("query behind 40",
	    "/234567890123456789012345678901234567890?a=%20",
	    "/234567890123456789012345678901234567890", "a=%20", ESCAPED),

	GOOD_ABSOLUTE("absolute", "http://h/p", "/p", "-", "h"),
	GOOD_ABSOLUTE("absolute port", "http://h:80/p?q", "/p", "q", "h:80"),
	GOOD_ABSOLUTE("absolute https", "HTTPS://h/", "/", "-", "h"),
	GOOD_ABSOLUTE("absolute, no path", "http://h", "/", "-", "h"),
	GOOD_ABSOLUTE("absolute, query only", "http://h?q", "/", "q", "h"),
	GOOD_ABSOLUTE(
	    "absolute IPv6", "http://[::1]:8/p", "/p", "-", "[::1]:8"),
	{ "absolute on 1.0", "GET http://h/p HTTP/1.0\r\n\r\n", "/p", "-", "h",
	    0, ABSOLUTE },
	{ "absolute escape", "GET http://h%41/p HTTP/1.1\r\nHost: b\r\n\r\n",
	    "/p", "-", "h%41", 0, KEEP | ABSOLUTE | ESCAPED },
	{ "asterisk", "OPTIONS * HTTP/1.1\r\n" HOST_ END_, "*", "-", "a", 0,
	    KEEP | ASTERISK },
	{ "OPTIONS of a path", "OPTIONS /a HTTP/1.1\r\n" HOST_ END_, "/a", "-",
	    "a", 0, KEEP },

	GOOD_HOST("name", "example.com"),
	GOOD_HOST("name and port", "example.com:8080"),
	GOOD_HOST("last port", "a:65535"),
	GOOD_HOST("port with zeros", "a:00080"),
	GOOD_HOST("no port", "a:"),
	GOOD_HOST("IPv4", "127.0.0.1"),
	GOOD_HOST("IPv6", "[2001:db8::1]"),
	GOOD_HOST("IPv6 and port", "[::1]:443"),
	GOOD_HOST("later IP", "[v1F.a~b!:c]"),
	GOOD_HOST("later IP and port", "[V7.:]:80"),
	GOOD_HOST("IPv6 of IPv4", "[::ffff:1.2.3.4]"),
	GOOD_HOST("escape in host", "a%2Db"),
	GOOD_HOST("escape and port", "a%2Db:1"),
	GOOD_HOST("sub-delims in host", "!$&'()*+,;=-._~"),
	GOOD_HOST("long name",
	    "a234567890.a234567890.a234567890.a234567890.a23456789"),
	GOOD_HOST("long name and port",
	    "a234567890.a234567890.a234567890.a234567890.a23456789:1"),
	{ "empty host", GET_ "Host:\r\n\r\n", "/", "-", "", 0, KEEP },
	{ "empty host, blanks", GET_ "Host: \t \r\n\r\n", "/", "-", "", 0,
	    KEEP },
	{ "blanks around host", GET_ "hOST: \t a:1 \t\r\n\r\n", "/", "-", "a:1",
	    0, KEEP },

	GOOD_LENGTH("length 0", " 0", 0),
	GOOD_LENGTH("length", " 12345", 12345),
	GOOD_LENGTH("length, no blank", "7", 7),
	GOOD_LENGTH("length, zeros", " 00012", 12),
	GOOD_LENGTH("length, blanks", " \t 12 \t ", 12),
	GOOD_LENGTH("length, most", " 9223372036854775807", INT64_MAX),

	{ "chunked", POST_ HOST_ TE_ "chunked\r\n\r\n", "/", "-", "a", 0,
	    KEEP | CHUNKED },
	{ "chunked in capitals",
	    POST_ HOST_ "TRANSFER-ENCODING:CHUNKED\r\n\r\n", "/", "-", "a", 0,
	    KEEP | CHUNKED },
	{ "chunked with blanks", POST_ HOST_ TE_ "\t chunked \t\r\n\r\n", "/",
	    "-", "a", 0, KEEP | CHUNKED },

	GOOD_FIELDS("close", "Connection: close\r\n", 0),
	GOOD_FIELDS("Close", "connection: CLOSE\r\n", 0),
	GOOD_FIELDS("keep-alive", "Connection: Keep-Alive\r\n", KEEP),
	GOOD_FIELDS("close in a list", "Connection: te,\t close ,x\r\n", 0),
	GOOD_FIELDS("empty members", "Connection: ,, close,\r\n", 0),
	GOOD_FIELDS("close in a second field",
	    "Connection: keep-alive\r\nConnection: close\r\n", 0),
	GOOD_FIELDS("closed is not close", "Connection: closed\r\n", KEEP),
	GOOD_FIELDS("clos is not close", "Connection: clos\r\n", KEEP),
	GOOD_FIELDS("Connection of nothing", "Connection:\r\n", KEEP),
	GOOD_FIELDS("Connexion", "Connexion_: close\r\n", KEEP),
	GOOD_FIELDS("upgrade", "Connection: Upgrade\r\nUpgrade: websocket\r\n",
	    KEEP | UPGRADE),
	GOOD_FIELDS("upgrade in a list",
	    "UPGRADE: a\r\nConnection: keep-alive, upgrade\r\n",
	    KEEP | UPGRADE),
	GOOD_FIELDS("upgrade in two fields",
	    "Connection: keep-alive\r\nConnection: upgrade\r\nUpgrade: a\r\n",
	    KEEP | UPGRADE),
	GOOD_FIELDS("Upgrade alone", "Upgrade: websocket\r\n", KEEP),
	GOOD_FIELDS("upgrade alone", "Connection: upgrade\r\n", KEEP),
	GOOD_FIELDS("Expect", "Expect: 100-Continue\r\n", KEEP | EXPECT_100),

	GOOD_FIELDS("no blank", "A:b\r\n", KEEP),
	GOOD_FIELDS("no value", "A:\r\n", KEEP),
	GOOD_FIELDS("blank value", "A: \t \r\n", KEEP),
	GOOD_FIELDS("blank inside", "A: b c\td\r\n", KEEP),
	GOOD_FIELDS("two blanks in front", "A:  b\r\n", KEEP),
	GOOD_FIELDS("tab in front", "A:\tb\r\n", KEEP),
	GOOD_FIELDS("blank behind", "A: b \r\n", KEEP),
	GOOD_FIELDS("tab behind", "A: b\t\r\n", KEEP),
	GOOD_FIELDS("bytes above 0x7f", "A: \x80\xff\xc3\xa4\r\n", KEEP),
	GOOD_FIELDS("bytes above 0x7f behind a block",
	    "A: 3456789012345678901234567890123\xe4 b\r\n", KEEP),
	GOOD_FIELDS("tab behind a block",
	    "A: 345678901234567890123456789012345678\tb\t\t\tc\r\n", KEEP),
	GOOD_FIELDS("colons in a value", "A: b:c: d\r\n", KEEP),
	GOOD_FIELDS("all of a token", "!#$%&'*+-.^_`|~09AZaz: b\r\n", KEEP),
	GOOD_FIELDS("name of 15", "A23456789012345: b\r\n", KEEP),
	GOOD_FIELDS("name of 16", "A234567890123456: b\r\n", KEEP),
	GOOD_FIELDS("name of 17", "A2345678901234567: b\r\n", KEEP),
	GOOD_FIELDS(
	    "name of 31", "A234567890123456789012345678901: b\r\n", KEEP),
	GOOD_FIELDS(
	    "name of 32", "A2345678901234567890123456789012: b\r\n", KEEP),
	GOOD_FIELDS(
	    "name of 33", "A23456789012345678901234567890123: b\r\n", KEEP),
	GOOD_FIELDS("name of 36 like Host",
	    "Host567890123456789012345678901234: close\r\n", KEEP),
	GOOD_FIELDS("name of 42 like Connection",
	    "Connection12345678901234567890123456789012: close\r\n", KEEP),
	GOOD_FIELDS("value to the end of a block",
	    "A: 3456789012345678901234567890\r\n", KEEP),
	GOOD_FIELDS("value over the end of a block",
	    "A: 34567890123456789012345678901\r\n", KEEP),
	GOOD_FIELDS("like Content-Length", "Content-Lengt_: x\r\n", KEEP),
	GOOD_FIELDS("like Transfer-Encoding", "Transfer-Encodin_: x\r\n", KEEP),
	GOOD_FIELDS("like Expect", "Expec_: x\r\nExpire: y\r\n", KEEP),
	GOOD_FIELDS("like Host", "Hos_: x\r\nHost-: y\r\n", KEEP),
};

static const struct http_bad http_bad[] = {
	/* Line ends and controls. */
	BAD("bare LF behind the request line", 400,
	    "GET / HTTP/1.1\n" HOST_ END_),
	BAD("bare LF behind a field", 400, GET_ "Host: a\n\r\n"),
	BAD("bare LF at the end", 400, GET_ HOST_ "\n"),
	BAD("bare LF alone", 400, "\n" GET_ HOST_ END_),
	BAD("nothing but LF", 400, "GET / HTTP/1.1\nHost: a\n\n"),
	BAD("bare CR behind the request line", 400,
	    "GET / HTTP/1.1\r" HOST_ END_),
	BAD("bare CR in front", 400, "\rGET / HTTP/1.1\r\n" HOST_ END_),
	BAD("bare CR at the end", 400, GET_ HOST_ "\rX"),
	BAD_FIELDS("bare CR in a value", 400, "A: b\rc\r\n"),
	BAD_FIELDS(
	    "bare CR as a colon", 400, "A:\rTransfer-Encoding: chunked\r\n"),
	BAD_FIELDS("CR in place of '-'", 400, "Connection: keep\ralive\r\n"),
	BAD_FIELDS("SUB in place of ':'", 400, "Connection\032 keep-alive\r\n"),
	BAD_FIELDS(
	    "NUL in place of a blank", 400, "Connection:\0keep-alive\r\n"),
	BAD("CR in place of '-' in a length", 400,
	    POST_ HOST_ "Content\rLength: 1\r\n\r\n"),
	BAD_FIELDS("CR CR LF", 400, "A: b\r\r\n"),
	BAD_FIELDS("bare CR in a name", 400, "A\rB: c\r\n"),
	BAD_FIELDS("bare LF in a value", 400, "A: b\nc\r\n"),
	BAD_FIELDS("fold with blank", 400, "A: b\r\n c\r\n"),
	BAD_FIELDS("fold with tab", 400, "A: b\r\n\tc\r\n"),
	BAD("fold of the first field", 400, GET_ " Host: a\r\n\r\n"),
	BAD("blank line of blanks", 400, GET_ HOST_ " \r\n\r\n"),
	BAD_FIELDS("NUL in a value", 400, "A: b\0c\r\n"),
	BAD_FIELDS("NUL in a name", 400, "A\0: b\r\n"),
	BAD_FIELDS("ESC in a value", 400, "A: b\033c\r\n"),
	BAD_FIELDS("DEL in a value", 400, "A: b\177\r\n"),
	BAD_FIELDS("DEL behind a block", 400,
	    "A: 34567890123456789012345678901234567\177\r\n"),
	BAD_FIELDS("NUL behind a tab", 400, "A: b\tc\0\r\n"),
	BAD("five blank lines", 400, "\r\n\r\n\r\n\r\n\r\n" GET_ HOST_ END_),

	/* Methods. */
	BAD_LINE("small method", 501, "get / HTTP/1.1"),
	BAD_LINE("mixed method", 501, "Get / HTTP/1.1"),
	BAD_LINE("unknown method", 501, "BREW / HTTP/1.1"),
	BAD_LINE("longer method", 501, "GETT / HTTP/1.1"),
	BAD_LINE("shorter method", 501, "GE / HTTP/1.1"),
	BAD_LINE("long method", 501,
	    "A23456789012345678901234567890123456789 / HTTP/1.1"),
	BAD_LINE("CONNECT", 501, "CONNECT a:443 HTTP/1.1"),
	BAD_LINE("CONNECT of nonsense", 501, "CONNECT \" HTTP/1.1"),
	BAD_LINE("blank in front", 400, " GET / HTTP/1.1"),
	BAD_LINE("tab in front", 400, "\tGET / HTTP/1.1"),
	BAD_LINE("no token", 400, "G(T / HTTP/1.1"),
	BAD_LINE("control in the method", 400, "GE\001T / HTTP/1.1"),
	BAD_LINE("colon in the method", 400, "GET: / HTTP/1.1"),
	BAD_LINE("method alone", 400, "GET"),
	BAD_LINE("tab behind the method", 400, "GET\t/ HTTP/1.1"),
	BAD_LINE("TLS", 400, "\026\003\001\002"),
	BAD_LINE("above 0x7f", 400, "G\303T / HTTP/1.1"),
	BAD("preface of HTTP/2", 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
	BAD_LINE("PRI of HTTP/1.1", 501, "PRI * HTTP/1.1"),
	BAD_LINE("PRI of a path", 501, "PRI / HTTP/2.0"),

	/* Targets. */
	BAD_LINE("two blanks before the target", 400, "GET  / HTTP/1.1"),
	BAD_LINE("two blanks behind it", 400, "GET /  HTTP/1.1"),
	BAD_LINE("tab behind the target", 400, "GET /\tHTTP/1.1"),
	BAD_LINE("blank in the target", 400, "GET /a b HTTP/1.1"),
	BAD_LINE("no target", 400, "GET HTTP/1.1"),
	BAD_LINE("no version", 400, "GET /"),
	BAD_LINE("no version but a blank", 400, "GET / "),
	BAD_TARGET("fragment", 400, "/a#b"),
	BAD_TARGET("fragment in query", 400, "/a?b#c"),
	BAD_TARGET("'%' alone", 400, "/%"),
	BAD_TARGET("'%' and one digit", 400, "/%2"),
	BAD_TARGET("'%' and no digit", 400, "/%zz"),
	BAD_TARGET("'%' and half a digit", 400, "/%2g"),
	BAD_TARGET("'%' in query", 400, "/a?%"),
	BAD_TARGET("'%%'", 400, "/%%41"),
	BAD_TARGET("NUL in target", 400, "/a\0b"),
	BAD_TARGET("DEL in target", 400, "/a\177"),
	BAD_TARGET("UTF-8 in target", 400, "/\303\244"),
	BAD_TARGET("asterisk of GET", 400, "*"),
	BAD_TARGET("relative", 400, "a/b"),
	BAD_TARGET("authority", 400, "a:80"),
	BAD_TARGET("query alone", 400, "?a"),
	BAD_LINE("asterisk and more", 400, "OPTIONS *a HTTP/1.1"),
	BAD_LINE("asterisk and query", 400, "OPTIONS *? HTTP/1.1"),
	BAD_TARGET("scheme", 400, "ftp://a/"),
	BAD_TARGET("websocket scheme", 400, "ws://a/"),
	BAD_TARGET("no authority", 400, "http:///a"),
	BAD_TARGET("scheme alone", 400, "http://"),
	BAD_TARGET("scheme and query", 400, "http://?a"),
	BAD_TARGET("one slash", 400, "http:/a"),
	BAD_TARGET("port alone", 400, "http://:80/"),
	BAD_TARGET("user", 400, "http://u@a/"),
	BAD_TARGET("user and password", 400, "http://u:p@a/"),
	BAD_TARGET("large port", 400, "http://a:65536/"),
	BAD_TARGET("no number", 400, "http://a:b/"),
	BAD_TARGET("bad IPv6", 400, "http://[::g]/"),
	BAD("absolute without Host", 400, "GET http://a/ HTTP/1.1\r\n\r\n"),
	BAD("absolute with a bad Host", 400,
	    "GET http://a/ HTTP/1.1\r\nHost: b@c\r\n\r\n"),
	BAD("absolute with two Hosts", 400,
	    "GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),

	/* Versions. */
	BAD_LINE("HTTP/2.0", 505, "GET / HTTP/2.0"),
	BAD_LINE("HTTP/1.2", 505, "GET / HTTP/1.2"),
	BAD_LINE("HTTP/1.9", 505, "GET / HTTP/1.9"),
	BAD_LINE("HTTP/0.9", 505, "GET / HTTP/0.9"),
	BAD_LINE("HTTP/3.1", 505, "GET / HTTP/3.1"),
	BAD_LINE("HTTP/2", 400, "GET / HTTP/2"),
	BAD_LINE("HTTP/1.10", 400, "GET / HTTP/1.10"),
	BAD_LINE("HTTP/01.1", 400, "GET / HTTP/01.1"),
	BAD_LINE("HTTP/1.", 400, "GET / HTTP/1."),
	BAD_LINE("HTTP/1,1", 400, "GET / HTTP/1,1"),
	BAD_LINE("HTTP/+1.1", 400, "GET / HTTP/+1.1"),
	BAD_LINE("http/1.1", 400, "GET / http/1.1"),
	BAD_LINE("HTTPS/1.1", 400, "GET / HTTPS/1.1"),
	BAD_LINE("blank behind the version", 400, "GET / HTTP/1.1 "),

	/* Names of fields. */
	BAD_FIELDS("blank before colon", 400, "A : b\r\n"),
	BAD_FIELDS("tab before colon", 400, "A\t: b\r\n"),
	BAD_FIELDS("blank before the colon of a length", 400,
	    "Content-Length : 1\r\n"),
	BAD_FIELDS("no name", 400, ": b\r\n"),
	BAD_FIELDS("no name, no value", 400, ":\r\n"),
	BAD_FIELDS("no colon", 400, "abc\r\n"),
	BAD_FIELDS("blank in a name", 400, "A b: c\r\n"),
	BAD_FIELDS("bracket in a name", 400, "A[b: c\r\n"),
	BAD_FIELDS("slash in a name", 400, "A/b: c\r\n"),
	BAD_FIELDS("quote in a name", 400, "\"A\": c\r\n"),
	BAD_FIELDS("'@' in a name", 400, "A@b: c\r\n"),
	BAD_FIELDS("above 0x7f in a name", 400, "\303\244: c\r\n"),
	BAD_FIELDS("DEL in a name", 400, "A\177: c\r\n"),
	BAD_FIELDS("bad byte behind a block", 400,
	    "A23456789012345678901234567890123456789(: b\r\n"),

	/* Host. */
	BAD("no Host", 400, GET_ END_),
	BAD("no Host but others", 400, GET_ "A: b\r\n\r\n"),
	BAD("two Hosts", 400, GET_ HOST_ HOST_ END_),
	BAD("two Hosts on 1.0", 400, OLD_ HOST_ HOST_ END_),
	BAD("two Hosts apart", 400, GET_ HOST_ "A: b\r\nhost: c\r\n\r\n"),
	BAD_HOST("two in one", "a, b"),
	BAD_HOST("comma and port", "a:1,b:2"),
	BAD_HOST("user", "u@a"),
	BAD_HOST("path", "a/b"),
	BAD_HOST("scheme", "http://a"),
	BAD_HOST("blank", "a b"),
	BAD_HOST("port alone", ":80"),
	BAD_HOST("large port", "a:65536"),
	BAD_HOST("huge port", "a:99999999999999999999"),
	BAD_HOST("no number", "a:b"),
	BAD_HOST("sign", "a:+1"),
	BAD_HOST("two ports", "a:1:2"),
	BAD_HOST("bare IPv6", "::1"),
	BAD_HOST("open bracket", "[::1"),
	BAD_HOST("closed bracket", "::1]"),
	BAD_HOST("nothing in brackets", "[]"),
	BAD_HOST("name in brackets", "[a]"),
	BAD_HOST("later IP without a version", "[v.a]"),
	BAD_HOST("later IP without a point", "[v1]"),
	BAD_HOST("later IP without an address", "[v1.]"),
	BAD_HOST("later IP with a slash", "[v1.a/b]"),
	BAD_HOST("later IP with an escape", "[v1.%41]"),
	BAD_HOST("later IP that is open", "[v1.a"),
	BAD_HOST("IPv4 in brackets", "[1.2.3.4]"),
	BAD_HOST("text behind brackets", "[::1]a"),
	BAD_HOST("zone", "[fe80::1%25a]"),
	BAD_HOST("nine groups", "[1:2:3:4:5:6:7:8:9]"),
	BAD_HOST("long brackets",
	    "[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb]"),
	BAD_HOST("NUL in brackets", "[::1\0]"),
	BAD_HOST("'%'", "a%"),
	BAD_HOST("'%' and one digit", "a%2"),
	BAD_HOST("'%' and no digit", "a%zz"),
	BAD_HOST("above 0x7f", "\303\244"),
	BAD_HOST("quote", "\"a\""),
	BAD_HOST("query", "a?b"),
	BAD_HOST("backslash", "a\\b"),
	BAD_HOST("underscore is fine, '^' is not", "a_b^c"),
	BAD("bad Host on 1.0", 400, OLD_ "Host: a/b\r\n\r\n"),

	/* Content-Length. */
	BAD_LENGTH("no length", ""),
	BAD_LENGTH("sign", "+1"),
	BAD_LENGTH("minus", "-1"),
	BAD_LENGTH("list", "1, 1"),
	BAD_LENGTH("list without blank", "1,2"),
	BAD_LENGTH("junk behind", "1a"),
	BAD_LENGTH("junk before", "a1"),
	BAD_LENGTH("hex", "0x10"),
	BAD_LENGTH("fraction", "1.0"),
	BAD_LENGTH("blank inside", "1 2"),
	BAD_LENGTH("quotes", "\"1\""),
	BAD_LENGTH("2^63", "9223372036854775808"),
	BAD_LENGTH("2^64 + 1", "18446744073709551617"),
	BAD_LENGTH("many digits", "1111111111111111111111111111111111111111"),
	BAD_FIELDS(
	    "two lengths", 400, "Content-Length: 1\r\nContent-Length: 2\r\n"),
	BAD_FIELDS("two equal lengths", 400,
	    "Content-Length: 1\r\ncontent-length: 1\r\n"),
	BAD_CODING("length, then coding", 400,
	    "Content-Length: 1\r\n" TE_ "chunked\r\n"),
	BAD_CODING(
	    "coding, then length", 400, TE_ "chunked\r\nContent-Length: 1\r\n"),
	BAD_CODING(
	    "coding and length 0", 400, TE_ "chunked\r\nContent-Length: 0\r\n"),

	/* Transfer-Encoding. */
	BAD("coding on 1.0", 400, OLD_ HOST_ TE_ "chunked\r\n\r\n"),
	BAD_CODING("no coding", 400, TE_ "\r\n"),
	BAD_CODING("identity", 400, TE_ "identity\r\n"),
	BAD_CODING("gzip", 400, TE_ "gzip\r\n"),
	BAD_CODING("chunked, gzip", 400, TE_ "chunked, gzip\r\n"),
	BAD_CODING("gzip, chunked", 501, TE_ "gzip, chunked\r\n"),
	BAD_CODING("gzip and chunked", 501, TE_ "gzip\r\n" TE_ "chunked\r\n"),
	BAD_CODING("chunked and gzip", 400, TE_ "chunked\r\n" TE_ "gzip\r\n"),
	BAD_CODING("chunked, chunked", 400, TE_ "chunked, chunked\r\n"),
	BAD_CODING("chunked twice", 400, TE_ "chunked\r\n" TE_ "chunked\r\n"),
	BAD_CODING(
	    "chunked, gzip, chunked", 400, TE_ "chunked, gzip, chunked\r\n"),
	BAD_CODING("xchunked", 400, TE_ "xchunked\r\n"),
	BAD_CODING("chunkedx", 400, TE_ "chunkedx\r\n"),
	BAD_CODING("vertical tab", 400, TE_ "\vchunked\r\n"),
	BAD_CODING("empty member", 400, TE_ ", chunked\r\n"),
	BAD_CODING("empty last member", 400, TE_ "chunked,\r\n"),
	BAD_CODING("parameter", 400, TE_ "chunked;a=b\r\n"),
	BAD_CODING("quotes", 400, TE_ "\"chunked\"\r\n"),
	BAD_CODING("two words", 400, TE_ "x chunked\r\n"),
	BAD_CODING("colon", 400, TE_ ": chunked\r\n"),
	BAD_CODING("above 0x7f", 400, TE_ "\302\240chunked\r\n"),

	/* Expect. */
	BAD_FIELDS("unknown expectation", 417, "Expect: 200-ok\r\n"),
	BAD_FIELDS("no expectation", 417, "Expect:\r\n"),
	BAD_FIELDS(
	    "two expectations", 417, "Expect: 100-continue, 100-continue\r\n"),
	BAD_FIELDS("expectation and junk", 417, "Expect: 100-continue;a\r\n"),

	/* The leftmost wins. */
	BAD("expectation, then no Host", 417, GET_ "Expect: a\r\n\r\n"),
	BAD("no Host, then codings", 400, POST_ TE_ "gzip, chunked\r\n\r\n"),
	BAD("version, then bad field", 505, "GET / HTTP/1.5\r\n: \r\n\r\n"),
};

#endif /* SPATE_TESTS_UNIT_HTTP_HEAD_VECTORS_H */
