/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The demo service: what tests and benchmarks are run against.
 *
 *     GET /plaintext      Hello, World!
 *     GET /json           {"message":"Hello, World!"}
 *     *   /echo           the body of the request, in pieces as it comes
 *     POST /discard       reads the body, then Hello, World!
 *     GET /bytes/:n       n bytes
 *     GET /users/:id      the id
 *     GET /burn?us=N      N microseconds of CPU time, at most a second; heavy
 *                         if more than 200
 *     GET /sleep?ms=N     waits N milliseconds, at most a minute, then ok
 *     GET /block?ms=N     keeps its worker from all else for so long: a
 *                         handler as it should not be
 *     GET /offload?ms=N   the same as it should be: a thread of the pool waits
 *     GET /blocking?ms=N  or as it may be, on a route that is for it
 *     GET /tasks?n=N      the sum of N squares, at most 100: each by a task
 *     *   /proxy/...      what --upstream ADDRESS answers to /...
 *     GET /fanout?n=N     n times /plaintext from there, at once; or
 *                         /sleep, with &ms=N
 *     GET /               all of that while it happens, with buttons; demo.h
 *     GET /stats          and the rest of what docs/stats.md tells of
 *     GET /files/...      files of --files DIR or SPATE_FILES, if one is given
 *
 * and what streams.h tells of.
 */

#include "examples/demo/demo.h"
#include "examples/demo/streams.h"

#include <errno.h>
#include <spate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#define PIECE 16384
#define ALPHABET_SIZE (1024 * 1024)
#define BURN_MAX_US 1000000
#define BURN_LIGHT_US 200
#define WAIT_MAX_MS 60000

static int
plaintext(struct spate_req *req, void *arg)
{
	static const char text[] = "Hello, World!";

	(void)arg;
	return spate_respond(req, 200, "text/plain", text, sizeof(text) - 1);
}

static int
json(struct spate_req *req, void *arg)
{
	static const char text[] = "{\"message\":\"Hello, World!\"}";

	(void)arg;
	return spate_respond(
	    req, 200, "application/json", text, sizeof(text) - 1);
}

/* A type as a string, in the request's memory. */
static const char *
type_of(struct spate_req *req)
{
	struct spate_str type = spate_header(req, "Content-Type");
	char *copy;

	if (type.data == NULL)
		return "application/octet-stream";
	copy = spate_alloc(req, type.size + 1);
	if (copy == NULL)
		return NULL;
	memcpy(copy, type.data, type.size);
	copy[type.size] = '\0';
	return copy;
}

static int
echo(struct spate_req *req, void *arg)
{
	char piece[PIECE];
	const char *type = type_of(req);
	ssize_t n;
	int error = 0;

	(void)arg;
	if (type == NULL)
		return -ENOMEM;
	/* A first piece before the answer: a bad body still gets its 400. */
	n = spate_body_read(req, piece, sizeof(piece));
	if (n < 0)
		return (int)n;
	error = spate_begin(req, 200, type, spate_body_size(req));
	while (error == 0 && n > 0) {
		error = spate_write(req, piece, (size_t)n);
		if (error == 0)
			n = spate_body_read(req, piece, sizeof(piece));
	}
	return error != 0 ? error : (int)n;
}

static int
discard(struct spate_req *req, void *arg)
{
	char piece[PIECE];
	ssize_t n;

	do {
		n = spate_body_read(req, piece, sizeof(piece));
	} while (n > 0);
	return n < 0 ? (int)n : plaintext(req, arg);
}

static int
number_of(struct spate_str text, uint64_t *value)
{
	char copy[24], *end;

	if (text.size == 0 || text.size >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text.data, text.size);
	copy[text.size] = '\0';
	if (copy[0] < '0' || copy[0] > '9')
		return -EINVAL;
	errno = 0;
	*value = strtoull(copy, &end, 10);
	return *end != '\0' || errno != 0 ? -EINVAL : 0;
}

static int
bytes(struct spate_req *req, void *arg)
{
	const char *alphabet = arg;
	uint64_t n;
	int error = number_of(spate_param(req, "n"), &n);

	if (error == 0 && n > INT64_MAX)
		error = -ERANGE;
	if (error == 0)
		error = spate_begin(
		    req, 200, "application/octet-stream", (int64_t)n);
	/* What is not sent takes no time to wait in, and years to make. */
	if (strcmp(spate_method(req), "HEAD") == 0)
		n = 0;
	while (error == 0 && n > 0) {
		size_t size = n < ALPHABET_SIZE ? (size_t)n : ALPHABET_SIZE;

		error = spate_write(req, alphabet, size);
		n -= size;
	}
	return error;
}

static int
user(struct spate_req *req, void *arg)
{
	struct spate_str id = spate_param(req, "id");

	(void)arg;
	if (id.data == NULL)
		return -EINVAL;
	return spate_respond(req, 200, "text/plain", id.data, id.size);
}

static uint64_t
cpu_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int
burn(struct spate_req *req, void *arg)
{
	uint64_t us = 0, start = cpu_us();
	int error = spate_query_u64(req, "us", &us);

	(void)arg;
	if (error != 0)
		return error;
	if (us > BURN_MAX_US)
		us = BURN_MAX_US;
	while (cpu_us() - start < us)
		;
	return spate_text(req, 200, "ok");
}

static bool
burns_long(struct spate_req *req, void *arg)
{
	uint64_t us;

	(void)arg;
	return spate_query_u64(req, "us", &us) == 0 && us > BURN_LIGHT_US;
}

static int
milliseconds(struct spate_req *req, uint64_t *ms)
{
	int error = spate_query_u64(req, "ms", ms);

	if (error == 0 && *ms > WAIT_MAX_MS)
		*ms = WAIT_MAX_MS;
	return error;
}

static int
wait_a_while(struct spate_req *req, void *arg)
{
	uint64_t ms = 0;
	int error = milliseconds(req, &ms);

	(void)arg;
	if (error == 0)
		error = spate_sleep((uint32_t)ms);
	return error != 0 ? error : spate_text(req, 200, "ok");
}

/* What blocks its thread, as calls of other libraries do. */
static void
nap(void *arg)
{
	const uint64_t *ms = arg;
	struct timespec rest = { (time_t)(*ms / 1000),
		(long)(*ms % 1000) * 1000000 };

	while (nanosleep(&rest, &rest) != 0)
		;
}

static int
block(struct spate_req *req, void *arg)
{
	uint64_t ms = 0;
	int error = milliseconds(req, &ms);

	(void)arg;
	if (error != 0)
		return error;
	nap(&ms);
	return spate_text(req, 200, "ok");
}

/* A client that leaves is not waited for, so what the call uses is its own. */
static int
offload(struct spate_req *req, void *arg)
{
	uint64_t *ms = malloc(sizeof(*ms));
	int error = ms != NULL ? milliseconds(req, ms) : -ENOMEM;

	(void)arg;
	if (error == 0)
		error = spate_offload_owned(nap, ms, free, 0);
	else
		free(ms);
	if (error != 0)
		return error;
	free(ms);
	return spate_text(req, 200, "ok");
}

/*
 * An option that spate_main() does not know: taken out of argv, so that it
 * does not see it.
 *
 * => Returns its value, or else that of the variable, or NULL.
 */
static char *
take_flag(int *argc, char **argv, const char *flag, const char *variable)
{
	const size_t size = strlen(flag);
	char *value = getenv(variable);
	int kept = 1;

	for (int i = 1; i < *argc; i++) {
		bool is_flag = strncmp(argv[i], flag, size) == 0;

		if (is_flag && argv[i][size] == '=') {
			value = argv[i] + size + 1;
		} else if (is_flag && argv[i][size] == '\0') {
			if (i + 1 == *argc) {
				fprintf(stderr, "%s: %s wants a value\n",
				    program_invocation_short_name, flag);
				exit(EX_USAGE);
			}
			value = argv[++i];
		} else {
			argv[kept++] = argv[i];
		}
	}
	argv[kept] = NULL;
	*argc = kept;
	return value != NULL && *value != '\0' ? value : NULL;
}

static void
say_own_options(void)
{
	puts("\nOf this program alone:\n\n"
	     "      --files=FOLDER         what is served below /files/;"
	     " SPATE_FILES\n"
	     "      --upstream=ADDR:PORT   the server behind /proxy/ and"
	     " /fanout;\n"
	     "                             SPATE_UPSTREAM");
}

/* spate_main() answers --help by what it knows, and exits. */
static void
help_with_own_options(char **argv)
{
	for (; *argv != NULL; argv++) {
		if (strcmp(*argv, "--help") == 0 || strcmp(*argv, "-?") == 0) {
			atexit(say_own_options);
			return;
		}
	}
}

/* What to look at, for whoever has just started it. */
static void
say_what_to_try(void *arg, struct spate_server *server)
{
	unsigned port = spate_server_port(server);

	(void)arg;
	if (port == 0)
		return;
	printf("\n"
	       "  spate %s, %u shards\n"
	       "  open   http://127.0.0.1:%u/\n"
	       "  try    curl -i http://127.0.0.1:%u/plaintext\n"
	       "         curl -d hello http://127.0.0.1:%u/echo\n"
	       "         curl http://127.0.0.1:%u/users/42\n"
	       "         curl 'http://127.0.0.1:%u/sleep?ms=500'\n"
	       "  load   wrk -t1 -c64 -d5 --latency "
	       "http://127.0.0.1:%u/plaintext\n"
	       "  stop   Ctrl-C; what is under way is finished, or not if "
	       "pressed again\n"
	       "\n",
	    spate_version(), spate_server_shards(server), port, port, port,
	    port, port, port);
	fflush(stdout);
}

static void
end_load(void *arg, struct spate_server *server)
{
	(void)arg;
	(void)server;
	demo_control_end();
}

int
main(int argc, char **argv)
{
	static char alphabet[ALPHABET_SIZE];
	struct spate_options options = spate_options_default();
	struct spate_server *server;
	const char *folder = take_flag(&argc, argv, "--files", "SPATE_FILES");
	char *upstream = take_flag(
	    &argc, argv, "--upstream", "SPATE_UPSTREAM");

	help_with_own_options(argv);
	demo_upstream_begin();
	options.started = say_what_to_try;
	options.stopping = end_load;
	server = spate_server_new(&options);
	for (size_t i = 0; i < sizeof(alphabet); i++)
		alphabet[i] = (char)('a' + i % 26);
	spate_route(server, "GET", "/plaintext", plaintext, NULL);
	spate_route(server, "GET", "/json", json, NULL);
	spate_route(server, "*", "/echo", echo, NULL);
	spate_route(server, "POST", "/discard", discard, NULL);
	spate_route(server, "GET", "/bytes/:n", bytes, alphabet);
	spate_route(server, "GET", "/users/:id", user, NULL);
	spate_route(server, "GET", "/burn", burn, NULL);
	spate_route_heavy(server, "GET", "/burn", burns_long);
	spate_route(server, "GET", "/sleep", wait_a_while, NULL);
	spate_route(server, "GET", "/block", block, NULL);
	spate_route(server, "GET", "/offload", offload, NULL);
	spate_route(server, "GET", "/blocking", block, NULL);
	spate_route_blocking(server, "GET", "/blocking");
	spate_route(server, "GET", "/tasks", demo_tasks, server);
	spate_route(server, "*", "/proxy/*path", demo_proxy, upstream);
	spate_route(server, "GET", "/fanout", demo_fanout, upstream);
	spate_route_dashboard(server, "/");
	spate_route_admin(server, "");
	if (folder != NULL)
		spate_files(server, "/files/*path", folder, NULL);
	demo_control(server);
	demo_streams(server);
	return spate_main(server, argc, argv);
}
