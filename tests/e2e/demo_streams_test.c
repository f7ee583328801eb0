/* SPDX-License-Identifier: BSD-2-Clause */

/* The demo's answers and bodies that take their time, and its files. */

#include "tests/e2e/client.h"
#include "tests/e2e/site.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
expect_answer(uint16_t port, const char *request, int status, const char *text)
{
	char body[4096];

	EXPECT_EQ(once(port, request, body, sizeof(body)), status);
	if (strstr(body, text) == NULL)
		fprintf(stderr, "%s\nnot in %s\n", text, body);
	EXPECT(strstr(body, text) != NULL);
}

TEST(chunks_come_one_by_one)
{
	struct client client;
	struct response answer;
	struct demo demo;

	if (!demo_start(&demo, (const char *const[]){ NULL }))
		return;
	if (client_open(&client, demo.port)) {
		EXPECT_EQ(
		    client_ask(&client, GET("/chunks/3?delay_ms=1"), &answer),
		    0);
		EXPECT(answer.chunked);
		EXPECT(response_is(&answer, "chunk 0\nchunk 1\nchunk 2\n"));
		response_free(&answer);
		EXPECT_EQ(
		    client_ask(&client, GET("/slow-body?ms=1&n=5"), &answer),
		    0);
		EXPECT(answer.has_length);
		EXPECT(response_is(&answer, "....."));
		response_free(&answer);
		client_close(&client);
	}
	expect_answer(demo.port, GET_CLOSE("/chunks/0"), 200, "");
	expect_answer(demo.port, GET_CLOSE("/chunks/x"), 400,
	    "path parameter 'n' is malformed");
	expect_answer(demo.port, GET_CLOSE("/chunks/1?delay_ms=60001"), 400,
	    "Bad Request");
	EXPECT_EQ(demo_stop(&demo, SIGTERM), 0);
}

TEST(events_tick_until_the_end)
{
	static const char request[] = "GET /events?ms=5 HTTP/1.0\r\n"
				      "Last-Event-ID: 41\r\n\r\n";
	struct client client;
	struct demo demo;
	char text[1024] = "";
	size_t size = 0;

	if (!demo_start(&demo, (const char *const[]){ NULL }))
		return;
	if (client_open(&client, demo.port)) {
		EXPECT(client_say(&client, request));
		while (strstr(text, "id: 44\n") == NULL) {
			ssize_t n = client_receive(
			    &client, text + size, sizeof(text) - 1 - size);

			if (n <= 0)
				break;
			size += (size_t)n;
			text[size] = '\0';
		}
		EXPECT(strstr(text, "text/event-stream") != NULL);
		EXPECT(strstr(text, "id: 42\nevent: tick\ndata: {\"count\":42,")
		       != NULL);
		EXPECT(strstr(text, "id: 44\n") != NULL);
	}
	/* It does not wait for the stream, which has no end of its own. */
	EXPECT_EQ(demo_stop(&demo, SIGTERM), 0);
	client_close(&client);
}

TEST(events_end_as_a_whole_when_the_demo_stops)
{
	struct client client;
	struct response answer = { 0 };
	struct demo demo;
	char piece[1];

	if (!demo_start(&demo, (const char *const[]){ NULL }))
		return;
	if (client_open(&client, demo.port)) {
		EXPECT(client_say(&client, GET("/events?ms=60000")));
		EXPECT_EQ(recv(client.fd, piece, 1, MSG_PEEK), 1);
	}
	EXPECT_EQ(demo_stop(&demo, SIGTERM), 0);
	EXPECT_EQ(client_read(&client, &answer), 0);
	EXPECT(answer.chunked);
	response_free(&answer);
	client_close(&client);
}

TEST(uploads_are_hashed)
{
	struct demo demo;

	if (!demo_start(&demo, (const char *const[]){ NULL }))
		return;
	expect_answer(demo.port,
	    "POST /upload HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
	    "Content-Length: 3\r\n\r\nabc",
	    200,
	    "{\"size\":3,\"sha256\":\"ba7816bf8f01cfea414140de5dae2223b00361a3"
	    "96177a9cb410ff61f20015ad\"}");
	expect_answer(demo.port,
	    "POST /upload HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
	    200,
	    "{\"size\":3,\"sha256\":\"ba7816bf8f01cfea414140de5dae2223b00361a3"
	    "96177a9cb410ff61f20015ad\"}");
	expect_answer(demo.port,
	    "POST /upload HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
	    200,
	    "{\"size\":0,\"sha256\":\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4"
	    "649b934ca495991b7852b855\"}");
	EXPECT_EQ(demo_stop(&demo, SIGTERM), 0);
}

TEST(files_are_there_if_a_folder_is_given)
{
	char folder[] = "/tmp/spate_demoXXXXXX", path[64], flag[64];
	const char *with[] = { "--files", folder, NULL };
	const char *equals[] = { "--shards", "1", flag, NULL };
	const char *const *arguments[] = { with, equals };
	struct demo demo;
	int fd;

	EXPECT(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/a.txt", folder);
	snprintf(flag, sizeof(flag), "--files=%s", folder);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	EXPECT_EQ(write(fd, "text\n", 5), 5);
	close(fd);
	for (int i = 0; i < 2; i++) {
		if (!demo_start(&demo, arguments[i]))
			continue;
		expect_answer(
		    demo.port, GET_CLOSE("/files/a.txt"), 200, "text\n");
		expect_answer(demo.port, GET_CLOSE("/files/b.txt"), 404, "");
		EXPECT_EQ(demo_stop(&demo, SIGTERM), 0);
	}
	if (demo_start(&demo, (const char *const[]){ NULL })) {
		expect_answer(demo.port, GET_CLOSE("/files/a.txt"), 404, "");
		EXPECT_EQ(demo_stop(&demo, SIGTERM), 0);
	}
	unlink(path);
	EXPECT_EQ(rmdir(folder), 0);
}
