/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A field behind a chunked body: the client says what the sum of its bytes
 * is once it has sent them all, and is told if they arrived differently.
 *
 *     trailers
 *     printf 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\
 *     Connection: close\r\n\r\n3\r\nabc\r\n0\r\nSum: 294\r\n\r\n' |
 *         nc 127.0.0.1 8080
 */

#include <errno.h>
#include <spate.h>
#include <stdlib.h>
#include <string.h>

#define PIECE 4096
#define DIGITS 20

/* => Returns 0, -ENOENT (there is none) or -EINVAL (it is no number). */
static int
promised_sum(struct spate_req *req, unsigned long *sum)
{
	struct spate_str text = spate_trailer(req, "Sum");
	char digits[DIGITS + 1] = "", *end;

	if (text.data == NULL)
		return -ENOENT;
	if (text.size == 0 || text.size > DIGITS)
		return -EINVAL;
	memcpy(digits, text.data, text.size);
	*sum = strtoul(digits, &end, 10);
	return *end == '\0' ? 0 : -EINVAL;
}

static int
check(struct spate_req *req, void *arg)
{
	unsigned char piece[PIECE];
	unsigned long sum = 0, promised = 0;
	ssize_t n;
	int error;

	(void)arg;
	while ((n = spate_body_read(req, piece, sizeof(piece))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			sum += piece[i];
	}
	if (n < 0)
		return (int)n;
	error = promised_sum(req, &promised);
	if (error != 0)
		return spate_bad_value(req, "trailer", "Sum", error);
	if (sum != promised)
		return spate_error(req, 422, "the sum is another one");
	return spate_text(req, 200, "%lu it is\n", sum);
}

int
main(int argc, char **argv)
{
	struct spate_server *server = spate_server_new(NULL);

	spate_route(server, "POST", "/", check, NULL);
	return spate_main(server, argc, argv);
}
