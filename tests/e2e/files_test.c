/* SPDX-License-Identifier: BSD-2-Clause */

/* Static files, as clients see them. */

#include "tests/e2e/ask.h"
#include "tests/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BIG (3 * 1024 * 1024 + 17)
#define THEN 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */

static char folder[64];
static const char *const names[] = { "a.txt", "a.txt.gz", "a.txt.br", "old.css",
	"old.css.gz", "sub/index.html", "big.bin", "empty", ".env", "out",
	"a b.txt", "secret/x" };

static void
put(const char *name, const char *text, size_t size, time_t modified)
{
	const struct timespec times[2] = { { .tv_sec = modified },
		{ .tv_sec = modified } };
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
	EXPECT(fd >= 0);
	EXPECT_EQ(write(fd, text, size), (ssize_t)size);
	EXPECT_EQ(futimens(fd, times), 0);
	close(fd);
}

static char *big;

static void
make_folder(const char *sub)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, sub);
	EXPECT_EQ(mkdir(path, 0700), 0);
}

static struct spate_server *
serve(const struct spate_options *options)
{
	struct spate_server *server = ask_new(options);
	char path[128];

	strcpy(folder, "/tmp/spate_filesXXXXXX");
	EXPECT(mkdtemp(folder) != NULL);
	make_folder("sub");
	make_folder("bare");
	put("a.txt", "plain text\n", 11, THEN);
	put("a.txt.gz", "gzipped\n", 8, THEN);
	put("a.txt.br", "brotli\n", 7, THEN);
	put("old.css", "new\n", 4, THEN);
	put("old.css.gz", "old\n", 4, THEN - 1);
	put("sub/index.html", "<p>index\n", 9, THEN);
	put("empty", "", 0, THEN);
	put(".env", "hidden\n", 7, THEN);
	put("a b.txt", "blank\n", 6, THEN);
	big = malloc(BIG);
	for (size_t i = 0; i < BIG; i++)
		big[i] = (char)('a' + i * 7 % 26);
	put("big.bin", big, BIG, THEN);
	snprintf(path, sizeof(path), "%s/out", folder);
	EXPECT_EQ(symlink("/etc/passwd", path), 0);
	EXPECT_EQ(spate_files(server, "/files/*path", folder, NULL), 0);
	ask_start(server);
	return server;
}

static void
stop(struct spate_server *server)
{
	char path[128];

	ask_stop(server);
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/sub", folder);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/bare", folder);
	rmdir(path);
	EXPECT_EQ(rmdir(folder), 0);
	free(big);
}

TEST(a_file_has_its_type_and_validators)
{
	struct spate_server *server = serve(NULL);

	ask(server, ASK("GET", "/files/a.txt"));
	EXPECT_EQ(ask_status(), 200);
	EXPECT(ask_says("Content-Type: text/plain; charset=utf-8\r\n"));
	EXPECT(ask_says("Content-Length: 11\r\n"));
	EXPECT(ask_says("Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
	EXPECT(ask_says("ETag: \""));
	EXPECT(ask_says("Accept-Ranges: bytes\r\n"));
	EXPECT(ask_says("Vary: Accept-Encoding\r\n"));
	EXPECT(ask_says("X-Content-Type-Options: nosniff\r\n"));
	EXPECT(strcmp(ask_body(), "plain text\n") == 0);
	ask(server, ASK("HEAD", "/files/a.txt"));
	EXPECT_EQ(ask_status(), 200);
	EXPECT(ask_says("Content-Length: 11\r\n"));
	EXPECT(ask_body()[0] == '\0');
	ask(server, ASK("GET", "/files/empty"));
	EXPECT_EQ(ask_status(), 200);
	EXPECT(ask_says("Content-Length: 0\r\n"));
	ask(server, ASK("GET", "/files/a%20b.txt"));
	EXPECT(strcmp(ask_body(), "blank\n") == 0);
	ask(server, ASK("POST", "/files/a.txt"));
	EXPECT_EQ(ask_status(), 405);
	stop(server);
}

TEST(no_path_escapes)
{
	static const char *const targets[] = { "/files/../etc/passwd",
		"/files/%2e%2e/etc/passwd", "/files/..%2fetc%2fpasswd",
		"/files/sub/..", "/files/sub/../a.txt", "/files/./a.txt",
		"/files/%2e/a.txt", "/files/out", "/files/a.txt%00.html",
		"/files/a.txt%00", "/files//a.txt", "/files//etc/passwd",
		"/files/%2fetc%2fpasswd", "/files/sub%2findex.html",
		"/files/.env", "/files/%2eenv", "/files/a.txt/", "/files/bare/",
		"/files/none", "/files/a.txt/x", "/files/\\..\\a.txt",
		"/files/%c0%ae%c0%ae/a.txt" };
	struct spate_server *server = serve(NULL);
	char request[256];

	for (unsigned i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		snprintf(request, sizeof(request),
		    "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
		    targets[i]);
		ask(server, request);
		if (ask_status() != 404)
			fprintf(stderr, "%s: %d\n", targets[i], ask_status());
		EXPECT_EQ(ask_status(), 404);
	}
	stop(server);
}

TEST(directories_have_an_index_and_no_listing)
{
	struct spate_server *server = serve(NULL);

	ask(server, ASK("GET", "/files/sub/"));
	EXPECT_EQ(ask_status(), 200);
	EXPECT(ask_says("Content-Type: text/html; charset=utf-8\r\n"));
	EXPECT(strcmp(ask_body(), "<p>index\n") == 0);
	ask(server, ASK("GET", "/files/sub?a=b"));
	EXPECT_EQ(ask_status(), 301);
	EXPECT(ask_says("Location: /files/sub/?a=b\r\n"));
	ask(server, ASK("GET", "/files"));
	EXPECT_EQ(ask_status(), 301);
	EXPECT(ask_says("Location: /files/\r\n"));
	ask(server, ASK("GET", "/files/"));
	EXPECT_EQ(ask_status(), 404);
	stop(server);
}

TEST(variants_go_to_clients_that_take_them)
{
	struct spate_server *server = serve(NULL);

	ask(server, ASK_WITH("GET", "/files/a.txt",
			"Accept-Encoding: gzip, deflate, br\r\n"));
	EXPECT(ask_says("Content-Encoding: br\r\n"));
	EXPECT(ask_says("Content-Type: text/plain; charset=utf-8\r\n"));
	EXPECT(strcmp(ask_body(), "brotli\n") == 0);
	ask(server, ASK_WITH("GET", "/files/a.txt",
			"Accept-Encoding: gzip, br;q=0.5\r\n"));
	EXPECT(ask_says("Content-Encoding: gzip\r\n"));
	EXPECT(strcmp(ask_body(), "gzipped\n") == 0);
	ask(server, ASK_WITH("GET", "/files/a.txt",
			"Accept-Encoding: gzip;q=0, br;q=0\r\n"));
	EXPECT(strcmp(ask_body(), "plain text\n") == 0);
	EXPECT(strstr(ask_text(), "Content-Encoding") == NULL);
	/* A variant that is older than its file is of an older file. */
	ask(server,
	    ASK_WITH("GET", "/files/old.css", "Accept-Encoding: gzip\r\n"));
	EXPECT(strcmp(ask_body(), "new\n") == 0);
	stop(server);
}

/* The value of ETag in the last answer. */
static void
take_etag(char etag[80])
{
	const char *at = strstr(ask_text(), "ETag: ");

	etag[0] = '\0';
	EXPECT(at != NULL);
	if (at != NULL)
		snprintf(etag, 80, "%.*s", (int)strcspn(at + 6, "\r"), at + 6);
}

TEST(conditions_save_the_body)
{
	struct spate_server *server = serve(NULL);
	char etag[80], request[512];

	ask(server, ASK("GET", "/files/a.txt"));
	take_etag(etag);
	snprintf(request, sizeof(request),
	    ASK_WITH("GET", "/files/a.txt", "If-None-Match: \"x\", %s\r\n"),
	    etag);
	ask(server, request);
	EXPECT_EQ(ask_status(), 304);
	EXPECT(ask_says("ETag: "));
	EXPECT(strstr(ask_text(), "Content-Length") == NULL);
	EXPECT(ask_body()[0] == '\0');
	/* Another form of the same file is another thing. */
	snprintf(request, sizeof(request),
	    ASK_WITH("GET", "/files/a.txt",
		"Accept-Encoding: gzip\r\nIf-None-Match: %s\r\n"),
	    etag);
	ask(server, request);
	EXPECT_EQ(ask_status(), 200);
	ask(server,
	    ASK_WITH("GET", "/files/a.txt",
		"If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
	EXPECT_EQ(ask_status(), 304);
	ask(server, ASK_WITH("GET", "/files/a.txt", "If-Match: \"x\"\r\n"));
	EXPECT_EQ(ask_status(), 412);
	stop(server);
}

TEST(a_range_is_a_part_of_the_file)
{
	struct spate_server *server = serve(NULL);

	ask(server, ASK_WITH("GET", "/files/a.txt", "Range: bytes=6-9\r\n"));
	EXPECT_EQ(ask_status(), 206);
	EXPECT(ask_says("Content-Range: bytes 6-9/11\r\n"));
	EXPECT(ask_says("Content-Length: 4\r\n"));
	EXPECT(strcmp(ask_body(), "text") == 0);
	ask(server, ASK_WITH("GET", "/files/a.txt", "Range: bytes=11-\r\n"));
	EXPECT_EQ(ask_status(), 416);
	EXPECT(ask_says("Content-Range: bytes */11\r\n"));
	ask(server,
	    ASK_WITH("GET", "/files/a.txt", "Range: bytes=0-1,4-5\r\n"));
	EXPECT_EQ(ask_status(), 200);
	EXPECT(strcmp(ask_body(), "plain text\n") == 0);
	ask(server, ASK_WITH("GET", "/files/big.bin",
			"Range: bytes=1000-2001000\r\nIf-Range: "
			"Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
	EXPECT_EQ(ask_status(), 206);
	EXPECT_EQ(ask_size() - (size_t)(ask_body() - ask_text()), 2000001);
	EXPECT(memcmp(ask_body(), big + 1000, 2000001) == 0);
	stop(server);
}

TEST(a_large_file_arrives_whole)
{
	struct spate_server *server = serve(NULL);

	ask(server, ASK("GET", "/files/big.bin"));
	EXPECT_EQ(ask_status(), 200);
	EXPECT_EQ(ask_size() - (size_t)(ask_body() - ask_text()), BIG);
	EXPECT(memcmp(ask_body(), big, BIG) == 0);
	stop(server);
}

/*
 * A client that resets the connection in the middle of a file. sendfile(2)
 * then raises SIGPIPE, which by default ends the process.
 */
TEST(a_client_that_leaves_early_kills_nobody)
{
	struct spate_server *server = serve(NULL);
	const struct linger now = { .l_onoff = 1 };
	const char *request = ASK("GET", "/files/big.bin");

	EXPECT(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
	for (int i = 0; i < 20; i++) {
		int small = 4096, fd = ask_connect(server);
		char piece[512];

		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
		ask_send(fd, request, strlen(request));
		EXPECT(recv(fd, piece, sizeof(piece), 0) > 0);
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		close(fd);
	}
	ask(server, ASK("GET", "/files/a.txt"));
	EXPECT_EQ(ask_status(), 200);
	stop(server);
}

/* A slow client costs no memory and no worker. */
TEST(others_are_served_while_one_reads_nothing)
{
	struct spate_server *server = serve(NULL);
	const char *request = ASK("GET", "/files/big.bin");
	int fds[8];

	for (int i = 0; i < 8; i++) {
		int small = 65536;

		fds[i] = ask_connect(server);
		setsockopt(
		    fds[i], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
		ask_send(fds[i], request, strlen(request));
	}
	ask(server, ASK("GET", "/files/a.txt"));
	EXPECT_EQ(ask_status(), 200);
	for (int i = 0; i < 8; i++) {
		ask_read(fds[i], NULL);
		EXPECT_EQ(ask_size() - (size_t)(ask_body() - ask_text()), BIG);
		close(fds[i]);
	}
	stop(server);
}

static int
send_by_name(struct spate_req *req, void *arg)
{
	struct spate_str name = spate_query_str(req, "name");
	struct spate_files_options options = spate_files_options_default();

	options.hidden = true;
	options.cache_control = "max-age=60";
	if (name.data == NULL)
		return -EINVAL;
	return spate_send_file(req, *(int *)arg,
	    spate_strndup(req, name.data, name.size), &options);
}

TEST(a_handler_may_send_a_file)
{
	struct spate_server *server = ask_new(NULL);
	int directory = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char path[] = "/tmp/.spate_sendXXXXXX", request[256];
	int fd = mkstemp(path);

	EXPECT_EQ(write(fd, "sent\n", 5), 5);
	close(fd);
	spate_route(server, "GET", "/", send_by_name, &directory);
	ask_start(server);
	snprintf(request, sizeof(request), ASK("GET", "/?name=%s"), path + 5);
	ask(server, request);
	EXPECT_EQ(ask_status(), 200);
	EXPECT(ask_says("Cache-Control: max-age=60\r\n"));
	EXPECT(strcmp(ask_body(), "sent\n") == 0);
	ask(server, ASK("GET", "/?name=../etc/passwd"));
	EXPECT_EQ(ask_status(), 404);
	ask(server, ASK("GET", "/?name=/etc/passwd"));
	EXPECT_EQ(ask_status(), 404);
	ask(server, ASK("GET", "/?name="));
	EXPECT_EQ(ask_status(), 404);
	ask_stop(server);
	unlink(path);
	close(directory);
}

TEST(a_directory_that_is_none_fails_the_start)
{
	struct spate_server *server = ask_new(NULL);

	EXPECT_EQ(spate_files(server, "/f/*p", "/nonexistent", NULL), -ENOENT);
	EXPECT_EQ(spate_files(server, "/f/:p", "/tmp", NULL), -EINVAL);
	EXPECT_EQ(spate_server_start(server), -ENOENT);
	spate_server_free(server);
}

TEST(a_cache_control_that_is_no_value_fails_the_start)
{
	struct spate_files_options options = spate_files_options_default();
	struct spate_server *server = ask_new(NULL);

	options.cache_control = "no-store\r\nX-Evil: 1";
	EXPECT_EQ(spate_files(server, "/*path", "/", &options), -EINVAL);
	EXPECT_EQ(spate_server_start(server), -EINVAL);
	spate_server_free(server);
}

/* The fields of an answer may be 8 KiB, and a target may be longer. */
TEST(a_redirect_has_its_location_however_long_the_query)
{
	struct spate_options options = spate_options_default();
	struct spate_server *server;
	char request[12000];
	int size;

	options.max_target = 10000;
	server = serve(&options);
	ask(server, ASK("GET", "/files/sub?a=b"));
	EXPECT_EQ(ask_status(), 301);
	EXPECT(ask_says("Location: /files/sub/?a=b\r\n"));
	size = snprintf(request, sizeof(request),
	    "GET /files/sub?%09000d HTTP/1.1\r\nHost: a\r\n"
	    "Connection: close\r\n\r\n",
	    1);
	ask_bytes(server, request, (size_t)size);
	EXPECT_EQ(ask_status(), 301);
	EXPECT(ask_says("Location: /files/sub/\r\n"));
	stop(server);
}
