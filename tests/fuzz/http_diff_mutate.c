/* SPDX-License-Identifier: BSD-2-Clause */

#include "tests/fuzz/http_diff_mutate.h"

#include <stdlib.h>
#include <string.h>

/* Lines, with their ends. */
static const char *const lines[] = {
	"GET / HTTP/1.1\r\n",
	"POST /a?b=%20 HTTP/1.1\r\n",
	"HEAD http://a:80/b HTTP/1.1\r\n",
	"OPTIONS * HTTP/1.1\r\n",
	"CONNECT a:443 HTTP/1.1\r\n",
	"GET / HTTP/1.0\r\n",
	"Host: a\r\n",
	"Host: [::1]:80\r\n",
	"Content-Length: 5\r\n",
	"Content-Length: 0\r\n",
	"Transfer-Encoding: chunked\r\n",
	"Transfer-Encoding: gzip, chunked\r\n",
	"Connection: close\r\n",
	"Connection: keep-alive, upgrade\r\n",
	"Upgrade: a\r\n",
	"Expect: 100-continue\r\n",
	"X: y\r\n",
	"X:\r\n",
	" folded\r\n",
	"\r\n",
	"5\r\nhello\r\n",
	"a;b=c\r\n0123456789\r\n",
	"1;b=\"c\\\"d\"\r\nx\r\n",
	"0\r\n",
	"0\r\n\r\n",
	"0\r\nX: y\r\n\r\n",
};

/* Pieces of lines, and what has broken parsers. */
static const char *const words[] = { "\r", "\n", "\r\n", "\r\n ", "\r\r\n",
	"\n\n", "\t", " ", "  ", ":", " :", ";", "=", ",", "\"", "\\", "%",
	"%41", "%zz", "#", "?", "/", "//", "*", "@", "[", "]", "[::1]", "0x",
	"+", "-", "00", "18446744073709551615", "9223372036854775808",
	"ffffffffffffffff", "7fffffffffffffff", "chunked", "CHUNKED",
	"identity", "gzip", "Content-Length",
	"content-length:", "Transfer-Encoding", "Host:", "HTTP/1.1", "HTTP/1.0",
	"HTTP/2.0", "HTTP/0.9", "http://", "https://a", "\x7f", "\x80", "\xff",
	"\x01", "\x0b", "GET ", "POST ", "PRI ", "PURGE ", "close", "upgrade",
	"100-continue" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static unsigned
next(unsigned *seed, size_t below)
{
	*seed = *seed * 1103515245u + 12345u;
	return below != 0 ? (unsigned)((*seed >> 8) % below) : 0;
}

/* Puts bytes in the place of others, if they fit. */
static size_t
replace(uint8_t *data, size_t size, size_t max_size, size_t at, size_t gone,
    const void *bytes, size_t count)
{
	uint8_t copy[4096];

	if (count > sizeof(copy) || size - gone + count > max_size)
		return size;
	memcpy(copy, bytes, count);
	memmove(data + at + count, data + at + gone, size - at - gone);
	memcpy(data + at, copy, count);
	return size - gone + count;
}

/* The beginning of a line, and of the next. */
static size_t
pick_line(const uint8_t *data, size_t size, unsigned *seed, size_t *length)
{
	size_t at = next(seed, size), end = at;

	while (at > 0 && data[at - 1] != '\n')
		at--;
	while (end < size && data[end++] != '\n')
		;
	*length = end - at;
	return at;
}

static size_t
change_lines(uint8_t *data, size_t size, size_t max_size, unsigned *seed)
{
	size_t length, other_length;
	size_t at = pick_line(data, size, seed, &length);
	size_t other = pick_line(data, size, seed, &other_length);
	const char *line = lines[next(seed, COUNT(lines))];

	switch (next(seed, 5)) {
	case 0:
		return replace(data, size, max_size, at, length, "", 0);
	case 1:
		return replace(
		    data, size, max_size, at, 0, data + other, other_length);
	case 2:
		return replace(data, size, max_size, at, length, data + other,
		    other_length);
	case 3:
		return replace(
		    data, size, max_size, at, length, line, strlen(line));
	default:
		return replace(data, size, max_size, at, 0, line, strlen(line));
	}
}

static size_t
change_words(uint8_t *data, size_t size, size_t max_size, unsigned *seed)
{
	const char *word = words[next(seed, COUNT(words))];
	size_t at = next(seed, size + 1), gone = 0;
	uint8_t zero = 0;

	switch (next(seed, 4)) {
	case 0: /* in the place of as many */
		gone = strlen(word) < size - at ? strlen(word) : size - at;
		break;
	case 1: /* at the end of a line */
		while (at < size && data[at] != '\r' && data[at] != '\n')
			at++;
		break;
	case 2: /* a single NUL */
		if (next(seed, 8) == 0)
			return replace(data, size, max_size, at, 0, &zero, 1);
		break;
	default:
		break;
	}
	return replace(data, size, max_size, at, gone, word, strlen(word));
}

size_t
LLVMFuzzerCustomMutator(
    uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	unsigned rounds = 1 + next(&seed, 4);

	if (LLVMFuzzerMutate != NULL && next(&seed, 3) == 0)
		return LLVMFuzzerMutate(data, size, max_size);
	while (rounds-- > 0) {
		if (next(&seed, 2) == 0)
			size = change_lines(data, size, max_size, &seed);
		else
			size = change_words(data, size, max_size, &seed);
	}
	return size;
}
