/* SPDX-License-Identifier: BSD-2-Clause */

#include "tests/e2e/relay.h"

#include "tests/e2e/client.h"
#include "tests/e2e/handlers.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct site relay_front, relay_back;
struct spate_call relay_call;
uint64_t relay_body_max;
char relay_url[RELAY_URL_MAX];
_Atomic int relay_begun, relay_ended, relay_last_error;

/* Answers a request that comes in one piece, unless it is one too many. */
static int
play(struct spate_stream *stream, void *arg)
{
	const struct relay_script *script = arg;
	void **data = spate_stream_data(stream);
	intptr_t answered = (intptr_t)*data;
	char request[4096];
	ssize_t n = spate_stream_read(stream, request, sizeof(request));

	if (n <= 0 || answered == script->requests)
		return 1;
	if (script->answer == NULL)
		return 0;
	spate_stream_write(stream, script->answer, strlen(script->answer));
	*data = (void *)(answered + 1);
	return answered + 1 == script->requests && script->requests == 1;
}

static void
name_script(char *text, size_t size, const char *scheme, const void *script)
{
	snprintf(text, size, "%sunix:@spate-%d-%p%s", scheme, (int)getpid(),
	    script, scheme[0] != '\0' ? ":/x" : "");
}

void
relay_to_script(const struct relay_script *script)
{
	name_script(relay_url, sizeof(relay_url), "http://", script);
}

void
relay_to_path(const char *path)
{
	snprintf(relay_url, sizeof(relay_url), "http://127.0.0.1:%d%s",
	    relay_back.port, path);
}

/* ------------------------------------------------------------ the front */

static int
write_in_pieces(struct spate_upstream *up)
{
	static const char piece[7001];
	size_t left = 100000;
	int error = 0;

	while (left != 0 && error == 0) {
		size_t size = left < sizeof(piece) ? left : sizeof(piece);

		error = spate_upstream_write(up, piece, size);
		left -= size;
	}
	return error;
}

static int
fetch(struct spate_upstream **up)
{
	int error;

	if (relay_call.body != NULL || relay_call.body_size == 0)
		return spate_fetch(&relay_call, up);
	error = spate_upstream_open(&relay_call, up);
	if (error == 0)
		error = write_in_pieces(*up);
	return error == 0 ? spate_upstream_answer(*up) : error;
}

static int
relay(struct spate_req *req, void *arg)
{
	struct spate_upstream *up;
	struct spate_str body = { NULL, 0 };
	int status, error;

	(void)arg;
	relay_begun++;
	status = fetch(&up);
	error = status < 0 ? status
			   : spate_upstream_body(up, relay_body_max, &body);
	if (error == 0)
		spate_respond(req, status, "text/plain", body.data, body.size);
	else if (error != -ECANCELED)
		spate_text(req, 502, "%d", error);
	spate_upstream_close(up);
	relay_last_error = error;
	relay_ended++;
	return error;
}

/*
 * Held up until somebody else polls the shard, which the watcher sees to:
 * then a descriptor of it is theirs to open.
 */
static int
relay_unattended(struct spate_req *req, void *arg)
{
	const struct sp_worker *worker = sp_worker_self();

	while (sp_token_free(&worker->shard->token))
		sched_yield();
	return relay(req, arg);
}

static int
fan_out(struct spate_req *req, void *arg)
{
	struct spate_upstream *up[RELAY_FAN];
	struct spate_str body;
	int right = 0;

	(void)arg;
	for (int i = 0; i < RELAY_FAN; i++)
		EXPECT_EQ(spate_upstream_open(&relay_call, &up[i]), 0);
	for (int i = 0; i < RELAY_FAN; i++)
		EXPECT_EQ(spate_upstream_flush(up[i]), 0);
	for (int i = 0; i < RELAY_FAN; i++)
		right += spate_upstream_answer(up[i]) == 200
			 && spate_upstream_body(up[i], 1u << 20, &body) == 0;
	for (int i = 0; i < RELAY_FAN; i++)
		spate_upstream_close(up[i]);
	return spate_text(req, 200, "%d", right);
}

bool
relay_start(const struct relay_script *scripts, size_t count)
{
	relay_begun = relay_ended = relay_last_error = 0;
	relay_body_max = 64u << 20;
	relay_call = spate_call_default("GET", relay_url);
	site_new(&relay_back);
	handlers_make(&relay_back);
	EXPECT_EQ(spate_listen(relay_back.server, "127.0.0.1:0"), 0);
	for (size_t i = 0; i < count; i++) {
		char name[128];

		name_script(name, sizeof(name), "", &scripts[i]);
		EXPECT_EQ(spate_listen_stream(relay_back.server, name, play,
			      (void *)(uintptr_t)&scripts[i]),
		    0);
	}
	site_make(&relay_front);
	spate_route(relay_front.server, "*", "/relay", relay, NULL);
	spate_route(
	    relay_front.server, "GET", "/unattended", relay_unattended, NULL);
	spate_route(relay_front.server, "GET", "/fan", fan_out, NULL);
	return site_start(&relay_back) && site_start(&relay_front);
}

void
relay_alone(void)
{
	site_new(&relay_front);
	relay_front.options.shards = 1;
	relay_front.options.spares = 0;
}

void
relay_stop(void)
{
	EXPECT_EQ(site_stop(&relay_front), 0);
	EXPECT_EQ(site_stop(&relay_back), 0);
}

void
relay_fails(int error)
{
	char body[64];

	EXPECT_EQ(
	    once(relay_front.port, GET_CLOSE("/relay"), body, sizeof(body)),
	    502);
	EXPECT_EQ(atoi(body), error);
}

void
relay_answers(int status, char filling, size_t size)
{
	struct client client;
	struct response answer;
	size_t wrong = 0;

	if (!client_open(&client, relay_front.port))
		return;
	EXPECT_EQ(client_ask(&client, GET_CLOSE("/relay"), &answer), 0);
	if (answer.status != status)
		fprintf(stderr, "%s: %s\n", relay_url, answer.body);
	EXPECT_EQ(answer.status, status);
	EXPECT_EQ(answer.size, size);
	for (size_t i = 0; i < answer.size; i++)
		wrong += answer.body[i] != filling;
	EXPECT_EQ(wrong, 0);
	response_free(&answer);
	client_close(&client);
}
