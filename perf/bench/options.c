/* SPDX-License-Identifier: BSD-2-Clause */

#include "perf/bench/options.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define NS_PER_S 1e9
#define PID_MAX (1 << 22) /* of the kernel */

static const char usage[] =
    "usage: spate-bench [options] http://ADDR:PORT[/path]\n"
    "\n"
    "Load\n"
    "  -c, --connections N     64; dedicated ones are part of them\n"
    "  -t, --threads N         1\n"
    "  -p, --depth N           1; requests in flight on a connection\n"
    "      --mix LIST          [METHOD:]/path=WEIGHT,... instead of /path\n"
    "      --dedicate LIST     [METHOD:]/path=N,...: N connections ask only\n"
    "                          for that, one after the other\n"
    "      --body BYTES        16384; the body of POST, PUT and PATCH\n"
    "      --fields N          0; so many more header fields\n"
    "      --agents N          1; connections have one of N User-Agents each\n"
    "      --close             a new connection for each request\n"
    "      --slow N@BYTES      N more that send and read BYTES a second\n"
    "      --half-open N       N more that stop within a request\n"
    "Pace\n"
    "  -R, --rate N            open loop, N requests a second; latency is\n"
    "                          counted from when each was due\n"
    "      --poisson           due at random, N a second on average\n"
    "      --spin              never sleep\n"
    "      --seed N            1\n"
    "Time\n"
    "  -d, --duration S        4\n"
    "  -w, --warmup S          0.5; not counted\n"
    "  -n, --requests N        closed loop: exactly N, without a warm-up\n"
    "      --drain S           2; open loop: wait for the last answers\n"
    "Other\n"
    "      --cpus LIST         0,1,...: pin the threads in turn\n"
    "      --watch PID,...     report the CPU time of these processes\n"
    "      --sources N         connect from N addresses of 127.0.0.0/8\n"
    "      --json              the report for programs\n"
    "  -h, --help\n"
    "\n"
    "Exits with 64 for options that are wrong, and with 69 if nothing was\n"
    "answered, or less than --requests.\n";

_Noreturn __attribute__((format(printf, 1, 2))) static void
refuse(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "spate-bench: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nTry: spate-bench --help\n");
	exit(EX_USAGE);
}

static double
number(const char *name, const char *text, double least, double most)
{
	char *end;
	double value = strtod(text, &end);

	/* Written so that NaN is refused too. */
	if (end == text || *end != '\0' || !(value >= least && value <= most))
		refuse("--%s %s: a number from %.15g to %.15g is wanted", name,
		    text, least, most);
	return value;
}

static uint64_t
whole(const char *name, const char *text, double least, double most)
{
	double value = number(name, text, least, most);

	if (value != (double)(uint64_t)value)
		refuse("--%s %s: a whole number is wanted", name, text);
	return (uint64_t)value;
}

/* "http://ADDR:PORT[/path]". => Returns the path, "/" if there is none. */
static const char *
parse_url(struct bench_options *options, const char *url)
{
	static const char scheme[] = "http://";
	const char *at = url, *end, *colon;
	char address[INET_ADDRSTRLEN], none[] = "", *rest = none;
	long port = 80;

	if (strncmp(at, scheme, strlen(scheme)) == 0)
		at += strlen(scheme);
	end = at + strcspn(at, "/");
	if (end == at || (size_t)(end - at) >= sizeof(options->host))
		refuse("%s: no address", url);
	memcpy(options->host, at, (size_t)(end - at));
	colon = strchr(options->host, ':');
	if (colon != NULL)
		port = strtol(colon + 1, &rest, 10);
	snprintf(address, sizeof(address), "%.*s",
	    colon != NULL ? (int)(colon - options->host) : INET_ADDRSTRLEN,
	    options->host);
	if (strcmp(address, "localhost") == 0)
		strcpy(address, "127.0.0.1");
	if (inet_pton(AF_INET, address, &options->address.sin_addr) != 1
	    || *rest != '\0' || port < 1 || port > UINT16_MAX)
		refuse("%s: not an IPv4 address and a port", url);
	options->address.sin_family = AF_INET;
	options->address.sin_port = htons((uint16_t)port);
	return *end != '\0' ? end : "/";
}

static struct bench_path *
add_path(struct bench_options *options, const char *text, size_t size)
{
	struct bench_path *path;

	if (options->path_count == BENCH_PATHS_MAX)
		refuse("more than %d paths", BENCH_PATHS_MAX);
	path = &options->paths[options->path_count++];
	path->text = strndup(text, size);
	if (path->text == NULL || strchr(path->text, '/') == NULL)
		refuse("%.*s: no path", (int)size, text);
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c <= ' ' || c == '\177')
			refuse("%s: a path with a space in it", path->text);
	}
	return path;
}

/* "PATH=NUMBER,PATH=NUMBER". The last "=" counts: paths have their own. */
static void
parse_list(struct bench_options *options, const char *name, const char *list,
    bool dedicated)
{
	while (*list != '\0') {
		size_t size = strcspn(list, ",");
		const char *equals = memrchr(list, '=', size);
		struct bench_path *path;
		char text[32];

		if (equals == NULL)
			refuse("--%s %s: path=number is wanted", name, list);
		snprintf(text, sizeof(text), "%.*s",
		    (int)(list + size - equals - 1), equals + 1);
		path = add_path(options, list, (size_t)(equals - list));
		if (dedicated)
			path->dedicated = (unsigned)whole(
			    name, text, 1, BENCH_CONNECTIONS_MAX);
		else
			path->weight = number(name, text, 1e-9, 1e9);
		options->weights += path->weight;
		list += size + (list[size] == ',');
	}
}

/* "1,2,3". => Returns how many. */
static unsigned
parse_numbers(
    const char *name, const char *list, int most, int *numbers, unsigned room)
{
	unsigned count = 0;

	while (*list != '\0') {
		char *end;
		long value = strtol(list, &end, 10);

		if (end == list || value < 0 || value > most
		    || (*end != ',' && *end != '\0') || count == room)
			refuse("--%s: numbers with commas are wanted", name);
		numbers[count++] = (int)value;
		list = end + (*end == ',');
	}
	return count;
}

static void
parse_slow(struct bench_options *options, const char *text)
{
	const char *at = strchr(text, '@');
	const char *slash = at != NULL ? strchr(at, '/') : NULL;
	char count[32], bytes[32];

	if (at == NULL)
		refuse("--slow %s: N@BYTES is wanted", text);
	snprintf(count, sizeof(count), "%.*s", (int)(at - text), text);
	snprintf(bytes, sizeof(bytes), "%.*s",
	    slash != NULL ? (int)(slash - at - 1) : (int)sizeof(bytes) - 1,
	    at + 1);
	options->slow = (unsigned)whole(
	    "slow", count, 0, BENCH_CONNECTIONS_MAX);
	options->slow_bytes = (unsigned)whole("slow", bytes, 1, 1e9);
	if (slash != NULL) {
		options->slow_path = options->path_count;
		add_path(options, slash, strlen(slash));
	}
}

/* => Returns so many header fields, as text that is the caller's. */
static char *
more_fields(unsigned count)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	for (unsigned i = 0; out != NULL && i < count; i++)
		fprintf(out, "X-Field-%u: so many more bytes\r\n", i);
	if (out == NULL || fclose(out) != 0)
		refuse("out of memory");
	return text;
}

/*
 * The request of perf/lib/wrk.py, so that both tools ask for the same.
 * => Returns its head, which is the caller's.
 */
static char *
compose(const struct bench_options *options, struct bench_path *path,
    unsigned number_of_agent)
{
	const char *colon = strchr(path->text, ':');
	const char *slash = strchr(path->text, '/');
	bool has_method = colon != NULL && colon < slash;
	int method_size = has_method ? (int)(colon - path->text) : 3;
	const char *method = has_method ? path->text : "GET";
	bool has_body = strncmp(method, "P", 1) == 0;
	size_t body_size = has_body ? options->body_size : 0;
	char length[64] = "", agent[64] = "", *request, *fields;
	int size;

	path->is_head = method_size == 4 && strncmp(method, "HEAD", 4) == 0;
	if (has_body)
		snprintf(length, sizeof(length), "Content-Length: %zu\r\n",
		    body_size);
	if (options->agents > 1)
		snprintf(agent, sizeof(agent), "User-Agent: client-%06u\r\n",
		    number_of_agent);
	fields = more_fields(options->fields);
	size = asprintf(&request,
	    "%.*s %s HTTP/1.1\r\n"
	    "Host: %s\r\n"
	    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,"
	    "image/avif,image/webp,image/apng,*/*;q=0.8\r\n"
	    "Connection: %s\r\n"
	    "%s%s%s\r\n",
	    method_size, method, slash, options->host,
	    options->close ? "close" : "keep-alive", agent, fields, length);
	free(fields);
	if (size < 0)
		refuse("%s: out of memory", path->text);
	path->request_size = (size_t)size + body_size;
	return request;
}

/* The heads of all agents have one size, so they stand one after the other. */
static void
compose_all(const struct bench_options *options, struct bench_path *path)
{
	for (unsigned i = 0; i < options->agents; i++) {
		char *head = compose(options, path, i), *at;
		size_t size = strlen(head);

		if (path->request_size * options->agents > BENCH_BATCH_MAX)
			refuse("the requests of all agents exceed %d bytes",
			    BENCH_BATCH_MAX);
		if (i == 0)
			path->request = malloc(
			    path->request_size * options->agents);
		if (path->request == NULL)
			refuse("%s: out of memory", path->text);
		at = path->request + path->request_size * i;
		memcpy(at, head, size);
		memset(at + size, 'x', path->request_size - size);
		free(head);
	}
}

enum {
	MIX = 256,
	DEDICATE,
	BODY,
	SLOW,
	HALF_OPEN,
	FIELDS,
	AGENTS,
	SEED,
	DRAIN,
	CPUS,
	SOURCES,
	WATCH,
};

/* Those that are a number of something. */
static const struct {
	int option;
	const char *name;
	size_t offset;
	unsigned least, most;
} counts[] = {
#define COUNT(member) offsetof(struct bench_options, member)
	{ 'c', "connections", COUNT(connections), 1, BENCH_CONNECTIONS_MAX },
	{ 't', "threads", COUNT(threads), 1, BENCH_THREADS_MAX },
	{ 'p', "depth", COUNT(depth), 1, BENCH_DEPTH_MAX },
	{ HALF_OPEN, "half-open", COUNT(half_open), 0, BENCH_CONNECTIONS_MAX },
	{ FIELDS, "fields", COUNT(fields), 0, 10000 },
	{ AGENTS, "agents", COUNT(agents), 1, BENCH_AGENTS_MAX },
	{ SOURCES, "sources", COUNT(sources), 1, 1000000 },
#undef COUNT
};

/* => Returns false: it is not one of those. */
static bool
set_count(struct bench_options *options, int option, const char *text)
{
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		unsigned *to = (unsigned *)((char *)options + counts[i].offset);

		if (counts[i].option != option)
			continue;
		*to = (unsigned)whole(
		    counts[i].name, text, counts[i].least, counts[i].most);
		return true;
	}
	return false;
}

static uint64_t
nanoseconds(const char *name, const char *text, double least, double most)
{
	return (uint64_t)(NS_PER_S * number(name, text, least, most));
}

static void
set(struct bench_options *options, int option, const char *text)
{
	switch (option) {
	case 'R':
		options->rate = number("rate", text, 0.001, 1e8);
		break;
	case 'd':
		options->duration_ns = nanoseconds(
		    "duration", text, 0.001, 86400);
		break;
	case 'w':
		options->warmup_ns = nanoseconds("warmup", text, 0, 3600);
		break;
	case 'n':
		options->requests = whole("requests", text, 1, 1e15);
		break;
	case MIX:
		parse_list(options, "mix", text, false);
		break;
	case DEDICATE:
		parse_list(options, "dedicate", text, true);
		break;
	case BODY:
		options->body_size = whole("body", text, 0, BENCH_BODY_MAX);
		break;
	case SLOW:
		parse_slow(options, text);
		break;
	case SEED:
		options->seed = whole("seed", text, 1, 1e15);
		break;
	case DRAIN:
		options->drain_ns = nanoseconds("drain", text, 0, 3600);
		break;
	case CPUS:
		options->cpu_count = parse_numbers(
		    "cpus", text, 4095, options->cpus, BENCH_THREADS_MAX);
		break;
	case WATCH:
		options->watch_count = parse_numbers(
		    "watch", text, PID_MAX, options->watch, BENCH_WATCH_MAX);
		break;
	}
}

/* What the options must be to one another. */
static void
check(struct bench_options *options, const char *path)
{
	unsigned dedicated = 0;

	if (options->weights == 0) {
		struct bench_path *only = add_path(options, path, strlen(path));

		only->weight = options->weights = 1;
	}
	for (unsigned i = 0; i < options->path_count; i++) {
		compose_all(options, &options->paths[i]);
		dedicated += options->paths[i].dedicated;
		if (options->paths[i].request_size * options->depth
		    > BENCH_BATCH_MAX)
			refuse("the requests of one batch exceed %d bytes",
			    BENCH_BATCH_MAX);
	}
	if (dedicated > options->connections)
		refuse("%u dedicated connections of %u", dedicated,
		    options->connections);
	if (options->threads > options->connections)
		options->threads = options->connections;
	if (options->rate > 0 && options->requests > 0)
		refuse("--requests is for the closed loop");
	if (options->rate > 0 && dedicated == options->connections)
		refuse("--rate needs connections that are not dedicated");
	if (options->poisson && options->rate == 0)
		refuse("--poisson needs a --rate");
	if (options->requests > 0)
		options->warmup_ns = 0;
}

void
bench_options_parse(struct bench_options *options, int argc, char **argv)
{
	int poisson = 0, close = 0, spin = 0, json = 0, option;
	const struct option known[] = {
		{ "connections", required_argument, NULL, 'c' },
		{ "threads", required_argument, NULL, 't' },
		{ "depth", required_argument, NULL, 'p' },
		{ "rate", required_argument, NULL, 'R' },
		{ "duration", required_argument, NULL, 'd' },
		{ "warmup", required_argument, NULL, 'w' },
		{ "requests", required_argument, NULL, 'n' },
		{ "mix", required_argument, NULL, MIX },
		{ "dedicate", required_argument, NULL, DEDICATE },
		{ "body", required_argument, NULL, BODY },
		{ "slow", required_argument, NULL, SLOW },
		{ "half-open", required_argument, NULL, HALF_OPEN },
		{ "fields", required_argument, NULL, FIELDS },
		{ "agents", required_argument, NULL, AGENTS },
		{ "seed", required_argument, NULL, SEED },
		{ "drain", required_argument, NULL, DRAIN },
		{ "cpus", required_argument, NULL, CPUS },
		{ "sources", required_argument, NULL, SOURCES },
		{ "watch", required_argument, NULL, WATCH },
		{ "poisson", no_argument, &poisson, 1 },
		{ "close", no_argument, &close, 1 },
		{ "spin", no_argument, &spin, 1 },
		{ "json", no_argument, &json, 1 },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};

	*options = (struct bench_options){
		.connections = 64,
		.threads = 1,
		.depth = 1,
		.warmup_ns = (uint64_t)(0.5 * NS_PER_S),
		.duration_ns = (uint64_t)(4 * NS_PER_S),
		.drain_ns = (uint64_t)(2 * NS_PER_S),
		.seed = 1,
		.agents = 1,
		.body_size = 16384,
	};
	while (
	    (option = getopt_long(argc, argv, "c:t:p:R:d:w:n:h", known, NULL))
	    != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			exit(EX_OK);
		}
		if (option == '?')
			refuse("a bad option");
		if (!set_count(options, option, optarg))
			set(options, option, optarg);
	}
	if (optind != argc - 1)
		refuse("one URL is wanted");
	options->poisson = poisson;
	options->close = close;
	options->spin = spin;
	options->json = json;
	check(options, parse_url(options, argv[optind]));
}
