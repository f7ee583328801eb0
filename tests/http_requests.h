/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_HTTP_REQUESTS_H
#define SPATE_TESTS_HTTP_REQUESTS_H

/* Requests as they come in life, for benchmarks and counts. */

/* What the load tests send. */
#define HTTP_REQUEST_LOAD                                                      \
	"GET /plaintext HTTP/1.1\r\n"                                          \
	"Host: 127.0.0.1:8080\r\n"                                             \
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,"       \
	"image/avif,image/webp,image/apng,*/*;q=0.8\r\n"                       \
	"Connection: keep-alive\r\n"                                           \
	"\r\n"

/* What a browser sends for an image of a page. */
#define HTTP_REQUEST_BROWSER                                                   \
	"GET /static/img/logo-small.png HTTP/1.1\r\n"                          \
	"Host: www.example.com\r\n"                                            \
	"Connection: keep-alive\r\n"                                           \
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 "      \
	"(KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36\r\n"               \
	"Accept: image/avif,image/webp,image/apng,image/*,*/*;q=0.8\r\n"       \
	"Referer: https://www.example.com/articles/index.html\r\n"             \
	"Sec-Fetch-Mode: no-cors\r\n"                                          \
	"DNT: 1\r\n"                                                           \
	"Accept-Encoding: gzip, deflate, br, zstd\r\n"                         \
	"Accept-Language: en-US,en;q=0.9,de;q=0.8\r\n"                         \
	"Cookie: session=8f14e45fceea167a5a36dedd4bea2543; theme=dark\r\n"     \
	"\r\n"

#endif /* SPATE_TESTS_HTTP_REQUESTS_H */
