/* SPDX-License-Identifier: BSD-2-Clause */

#include "streams.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define CHUNKS_MAX 1000000
#define DELAY_MAX_MS 60000
#define PIECE 16384

/* A number of the query that may be left out, up to a limit. */
static int
number(struct spate_req *req, const char *name, uint64_t max, uint64_t *value)
{
	int error = spate_query_u64(req, name, value);

	if (error == -ENOENT)
		return 0;
	return error == 0 && *value > max ? -ERANGE : error;
}

static int
chunks(struct spate_req *req, void *arg)
{
	uint64_t n = 0, delay_ms = 0;
	char line[40];
	int error = spate_param_u64(req, "n", &n);

	(void)arg;
	if (error == 0 && n > CHUNKS_MAX)
		error = -ERANGE;
	if (error == 0)
		error = number(req, "delay_ms", DELAY_MAX_MS, &delay_ms);
	if (error == 0)
		error = spate_begin(req, 200, "text/plain", -1);
	for (uint64_t i = 0; i < n && error == 0; i++) {
		int size = snprintf(
		    line, sizeof(line), "chunk %" PRIu64 "\n", i);

		if (delay_ms != 0)
			error = spate_sleep((uint32_t)delay_ms);
		if (error == 0)
			error = spate_write(req, line, (size_t)size);
	}
	return error;
}

static int
slow_body(struct spate_req *req, void *arg)
{
	uint64_t ms = 100, n = 10;
	int error = number(req, "ms", DELAY_MAX_MS, &ms);

	(void)arg;
	if (error == 0)
		error = number(req, "n", CHUNKS_MAX, &n);
	if (error == 0)
		error = spate_begin(req, 200, "text/plain", (int64_t)n);
	for (uint64_t i = 0; i < n && error == 0; i++) {
		error = spate_write(req, ".", 1);
		if (error == 0)
			error = spate_flush(req);
		if (error == 0)
			error = spate_sleep((uint32_t)ms);
	}
	return error;
}

/* A client that comes back goes on counting where it was. */
static int
events(struct spate_req *req, void *arg)
{
	struct spate_str last = spate_last_event_id(req);
	const char *text = "";
	uint64_t ms = 1000, count = 0;
	char id[24], data[64];
	int error = number(req, "ms", DELAY_MAX_MS, &ms);

	(void)arg;
	if (last.data != NULL)
		text = spate_strndup(req, last.data, last.size);
	if (text == NULL)
		return -ENOMEM;
	sscanf(text, "%" SCNu64, &count);
	if (error == 0)
		error = spate_events_begin(req);
	while (error == 0) {
		int size = snprintf(data, sizeof(data),
		    "{\"count\":%" PRIu64 ",\"shard\":%u}", ++count,
		    (unsigned)spate_shard(req));

		snprintf(id, sizeof(id), "%" PRIu64, count);
		error = spate_event(req, id, "tick", data, (size_t)size);
		if (error == 0)
			error = spate_events_wait(req, (uint32_t)ms);
	}
	/* When the server stops, the stream is as whole as it can be. */
	return error == -ESHUTDOWN ? 0 : error;
}

/* Each piece is hashed as it comes, so any size takes the same memory. */
static int
hash_body(struct spate_req *req, EVP_MD_CTX *hash, uint64_t *size)
{
	char piece[PIECE];
	ssize_t n;

	while ((n = spate_body_read(req, piece, sizeof(piece))) > 0) {
		if (EVP_DigestUpdate(hash, piece, (size_t)n) != 1)
			return -EIO;
		*size += (uint64_t)n;
	}
	return (int)n;
}

static int
upload(struct spate_req *req, void *arg)
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	unsigned char sum[EVP_MAX_MD_SIZE];
	char hex[2 * EVP_MAX_MD_SIZE + 1] = "", *body;
	unsigned sum_size = 0;
	uint64_t size = 0;
	int error = -ENOMEM;

	(void)arg;
	if (hash != NULL && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) == 1)
		error = hash_body(req, hash, &size);
	if (error == 0 && EVP_DigestFinal_ex(hash, sum, &sum_size) != 1)
		error = -EIO;
	EVP_MD_CTX_free(hash);
	if (error != 0)
		return error;
	for (unsigned i = 0; i < sum_size; i++)
		snprintf(hex + 2 * i, 3, "%02x", sum[i]);
	body = spate_printf(
	    req, "{\"size\":%" PRIu64 ",\"sha256\":\"%s\"}", size, hex);
	if (body == NULL)
		return -ENOMEM;
	return spate_respond(req, 200, "application/json", body, strlen(body));
}

void
demo_streams(struct spate_server *server)
{
	spate_route(server, "GET", "/chunks/:n", chunks, NULL);
	spate_route(server, "GET", "/slow-body", slow_body, NULL);
	spate_route(server, "GET", "/events", events, NULL);
	spate_route(server, "POST", "/upload", upload, NULL);
}
