/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * An answer whose size is not known when it begins. Each line is sent as it
 * is made; a client that reads slowly makes the handler wait, and no memory
 * fills up.
 *
 *     chunks
 *     curl --no-buffer 'http://127.0.0.1:8080/primes?below=100'
 */

#include <errno.h>
#include <spate.h>
#include <stdbool.h>
#include <stdio.h>

#define BELOW 1000

static bool
is_prime(uint64_t n)
{
	for (uint64_t i = 2; i * i <= n; i++) {
		if (n % i == 0)
			return false;
	}
	return n >= 2;
}

static int
primes(struct spate_req *req, void *arg)
{
	uint64_t below = BELOW;
	int error = spate_query_u64(req, "below", &below);

	(void)arg;
	/* Absent is fine, below is then as it was; malformed is a 400. */
	if (error != 0 && error != -ENOENT)
		return error;
	/* A bound, as for all that a client may ask for. */
	if (below > BELOW)
		below = BELOW;
	error = spate_begin(req, 200, "text/plain", -1);
	for (uint64_t n = 0; error == 0 && n < below; n++) {
		char line[24];
		int size;

		if (!is_prime(n))
			continue;
		size = snprintf(
		    line, sizeof(line), "%llu\n", (unsigned long long)n);
		error = spate_write(req, line, (size_t)size);
		if (error == 0)
			error = spate_flush(req);
	}
	return error;
}

int
main(int argc, char **argv)
{
	struct spate_server *server = spate_server_new(NULL);

	spate_route(server, "GET", "/primes", primes, NULL);
	return spate_main(server, argc, argv);
}
