/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * spate_main(): a server as a program. Options by flag, then by environment,
 * then what the program set; signals by sigwait(), so that no handler is
 * installed and no thread of the server sees them.
 */

#include "framework/admin.h"
#include "framework/crash.h"
#include "framework/log.h"
#include "framework/server.h"
#include "framework/urlcode.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#define DEFAULT_LISTEN "127.0.0.1:8080"

static char version_text[32];

/* Flags without a letter. */
enum {
	FLAG_RECORD_TIMES = 256,
	FLAG_RECORD_EVENTS,
	FLAG_CRASH_DUMP,
	FLAG_LOG_FORMAT,
	FLAG_LOG_QUEUE,
	FLAG_ACCESS_LOG,
	FLAG_SERVER_TIMING,
	FLAG_SANDBOX
};

/* A setting, once as a flag and once as SPATE_NAME. */
static const struct argp_option flags[] = {
	{ "listen", 'l', "ADDR:PORT", 0,
	    "where to listen; " DEFAULT_LISTEN " if the program has nothing",
	    0 },
	{ "shards", 's', "N", 0, "shards; 0: one for each CPU", 0 },
	{ "workers", 'w', "N", 0, "threads of each shard, the first included",
	    0 },
	{ "spares", 'p', "N", 0,
	    "more of them when a handler hogs its worker; 0: never", 0 },
	{ "max-connections", 'c', "N", 0,
	    "connections at a time; 0: as many as descriptors allow", 0 },
	{ "placement", 'P', "P", 0,
	    "near: connections go to the shard where their packets arrive; "
	    "hash: wherever the kernel puts them", 0 },
	{ "log-level", 'v', "L", 0, "debug, info, warning or error", 0 },
	{ "log-format", FLAG_LOG_FORMAT, "F", 0, "logfmt or json", 0 },
	{ "log-queue", FLAG_LOG_QUEUE, "N", 0,
	    "lines that may wait to be written; 1024", 0 },
	{ "access-log", FLAG_ACCESS_LOG, "N", 0,
	    "log one of N requests; 0: none", 0 },
	{ "server-timing", FLAG_SERVER_TIMING, "on|off", 0,
	    "say in each answer what took how long; off", 0 },
	{ "admin", 'a', "ADDR:PORT", 0,
	    "where stats, metrics and health are; none: nowhere; by default a "
	    "free port of 127.0.0.1, unless the program has them itself",
	    0 },
	{ "user", 'u', "USER[:GROUP]", 0,
	    "whom to become when the sockets are there; only root can", 0 },
	{ "sandbox", FLAG_SANDBOX, "on|require|off", OPTION_ARG_OPTIONAL,
	    "give up other files and system calls than a server needs; with "
	    "require it does not start where the system cannot do that; off",
	    0 },
	{ "record-times", FLAG_RECORD_TIMES, "on|off", 0,
	    "latencies, and counts for each route; on", 0 },
	{ "record-events", FLAG_RECORD_EVENTS, "N", 0,
	    "how many events of each worker to keep; 16384; 0: none", 0 },
	{ "crash-dump", FLAG_CRASH_DUMP, "FILE", 0,
	    "where to write the last events in a crash; none: nowhere; by "
	    "default standard error",
	    0 },
	{ 0 },
};

static int
number(const char *name, const char *text, uint32_t *value)
{
	uint64_t parsed;

	if (sp_parse_u64(text, strlen(text), &parsed) != 0
	    || parsed > UINT32_MAX) {
		fprintf(stderr, "%s: %s: '%s' is not a number\n",
		    program_invocation_short_name, name, text);
		return -EINVAL;
	}
	*value = (uint32_t)parsed;
	return 0;
}

static int
level(struct spate_server *server, const char *text)
{
	int named = sp_log_level_parse(text, strlen(text));

	if (named >= 0) {
		server->options.log_level = (enum spate_log_level)named;
		return 0;
	}
	fprintf(stderr,
	    "%s: log-level: '%s' is not debug, info, warning or error\n",
	    program_invocation_short_name, text);
	return -EINVAL;
}

static int
log_format(struct spate_server *server, const char *text)
{
	if (strcasecmp(text, "logfmt") == 0)
		server->options.log_format = SPATE_LOG_LOGFMT;
	else if (strcasecmp(text, "json") == 0)
		server->options.log_format = SPATE_LOG_JSON;
	else {
		fprintf(stderr, "%s: log-format: '%s' is not logfmt or json\n",
		    program_invocation_short_name, text);
		return -EINVAL;
	}
	return 0;
}

static int
on_or_off(const char *name, const char *text, bool *value)
{
	*value = strcasecmp(text, "on") == 0;
	if (*value || strcasecmp(text, "off") == 0)
		return 0;
	fprintf(stderr, "%s: %s: '%s' is not on or off\n",
	    program_invocation_short_name, name, text);
	return -EINVAL;
}

static int
admin_at(struct spate_server *server, const char *text)
{
	if (spate_admin(server, text) == 0)
		return 0;
	fprintf(stderr,
	    "%s: admin: '%s' is not ADDRESS:PORT, unix:PATH or none\n",
	    program_invocation_short_name, text);
	return -EINVAL;
}

static int
placement(struct spate_server *server, const char *text)
{
	if (strcmp(text, "near") == 0)
		server->options.placement = SPATE_PLACE_NEAR;
	else if (strcmp(text, "hash") == 0)
		server->options.placement = SPATE_PLACE_HASH;
	else {
		fprintf(stderr, "%s: placement: '%s' is not near or hash\n",
		    program_invocation_short_name, text);
		return -EINVAL;
	}
	return 0;
}

static int
become(struct spate_server *server, const char *text)
{
	if (sp_user_parse(&server->user, text) == 0)
		return 0;
	fprintf(stderr, "%s: user: '%s' is no USER or USER:GROUP here\n",
	    program_invocation_short_name, text);
	return -EINVAL;
}

static int
sandbox(struct spate_server *server, const char *text)
{
	if (sp_sandbox_parse(&server->sandbox, text) == 0)
		return 0;
	fprintf(stderr, "%s: sandbox: '%s' is not on, require or off\n",
	    program_invocation_short_name, text);
	return -EINVAL;
}

/* The first address is replaced; those of streams stay. */
static int
listen_at(struct spate_server *server, const char *text)
{
	struct sp_address address = { .service = &server->http.service };

	if (sp_address_parse(&address, text) != 0) {
		fprintf(stderr,
		    "%s: listen: '%s' is not ADDRESS:PORT or unix:PATH\n",
		    program_invocation_short_name, text);
		return -EINVAL;
	}
	for (unsigned i = 0; i < server->address_count; i++) {
		if (server->addresses[i].service == &server->http.service) {
			server->addresses[i] = address;
			return 0;
		}
	}
	return spate_listen(server, text);
}

static int
set(struct spate_server *server, int key, const char *text)
{
	struct spate_options *options = &server->options;

	switch (key) {
	case 'l':
		return listen_at(server, text);
	case 's':
		return number("shards", text, &options->shards);
	case 'w':
		return number("workers", text, &options->workers);
	case 'p':
		return number("spares", text, &options->spares);
	case 'c':
		return number("max-connections", text,
		    &options->max_connections);
	case 'P':
		return placement(server, text);
	case 'v':
		return level(server, text);
	case 'a':
		return admin_at(server, text);
	case 'u':
		return become(server, text);
	case FLAG_SANDBOX:
		return sandbox(server, text);
	case FLAG_RECORD_TIMES:
		return on_or_off(
		    "record-times", text, &options->record_times);
	case FLAG_RECORD_EVENTS:
		return number(
		    "record-events", text, &options->record_events);
	case FLAG_LOG_FORMAT:
		return log_format(server, text);
	case FLAG_LOG_QUEUE:
		return number("log-queue", text, &options->log_queue);
	case FLAG_ACCESS_LOG:
		return number("access-log", text, &options->access_log);
	case FLAG_SERVER_TIMING:
		return on_or_off(
		    "server-timing", text, &options->server_timing);
	case FLAG_CRASH_DUMP:
		options->crash_dump = text;
		return 0;
	default:
		return -ENOENT;
	}
}

static error_t
on_flag(int key, char *text, struct argp_state *state)
{
	switch (set(state->input, key, text)) {
	case 0:
		return 0;
	case -EINVAL:
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int
read_environment(struct spate_server *server)
{
	for (const struct argp_option *flag = flags; flag->name; flag++) {
		char name[64];
		const char *text;
		size_t i;

		snprintf(name, sizeof(name), "SPATE_%s", flag->name);
		for (i = 6; name[i] != '\0'; i++)
			name[i] = (char)(name[i] == '-' ? '_'
				: name[i] >= 'a' && name[i] <= 'z'
				? name[i] - 'a' + 'A'
				: name[i]);
		text = getenv(name);
		if (text != NULL && *text != '\0'
		    && set(server, flag->key, text) != 0)
			return -EINVAL;
	}
	return 0;
}

/*
 * The log of a program that has none of its own. Where standard error is
 * closed, a client's socket must not come to be what others take it for.
 */
static int
begin_log(struct spate_server *server)
{
	struct spate_options *options = &server->options;
	int error = 0, fd;

	if (options->log == NULL && sp_options_fault(options) == NULL) {
		error = sp_log_new(&server->log, STDERR_FILENO,
		    options->log_format, options->log_queue);
		options->log = error == 0 ? sp_log_message : NULL;
		options->log_arg = server->log;
	}
	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
	return error;
}

static void
end_log(struct spate_server *server)
{
	sp_log_stop(server->log);
	sp_log_free(server->log);
	server->log = NULL;
}

/* Descriptors are what a server runs out of first. */
static void
raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int
exit_code(int error)
{
	switch (error) {
	case -EINVAL:
	case -EEXIST:
		return EX_CONFIG;
	case -EADDRINUSE:
	case -EADDRNOTAVAIL:
	case -EOPNOTSUPP:
	case -ENOSYS:
		return EX_UNAVAILABLE;
	case -EACCES:
	case -EPERM:
		return EX_NOPERM;
	default:
		return EX_OSERR;
	}
}

static void
say_listening(const struct spate_server *server)
{
	const struct sp_engine *engine = server->engine;

	sp_log(server, SPATE_LOG_INFO,
	    "spate %s: %s, port %u; %u shards, %u workers each, up to %u "
	    "connections",
	    spate_version(), server->addresses[0].text,
	    spate_server_port(server), engine->shard_count,
	    engine->options.workers, engine->options.max_connections);
	if (server->admin_bound)
		sp_log(server, SPATE_LOG_INFO, "admin at %s, port %u",
		    server->admin_address.text, spate_admin_port(server));
}

static int
serve_until_signal(struct spate_server *server, const sigset_t *signals)
{
	const struct spate_options *options = &server->options;
	int signal_number, error;

	say_listening(server);
	if (options->started != NULL)
		options->started(options->started_arg, server);
	sigwait(signals, &signal_number);
	sp_log(server, SPATE_LOG_INFO, "%s: finishing what is under way",
	    strsignal(signal_number));

	/* From here on a second one has its ordinary effect. */
	pthread_sigmask(SIG_UNBLOCK, signals, NULL);
	if (options->stopping != NULL)
		options->stopping(options->started_arg, server);
	error = spate_server_stop(server);
	return error == -ETIMEDOUT ? EX_TEMPFAIL : 0;
}

static int
run(struct spate_server *server)
{
	sigset_t signals, before;
	int error, code;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, &before);
	if (server->options.crash_dump == NULL
	    || strcmp(server->options.crash_dump, "none") != 0)
		sp_crash_install(server);
	error = spate_server_start(server);
	if (error == 0) {
		code = serve_until_signal(server, &signals);
	} else {
		fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name,
		    server->concern, spate_strerror(error));
		code = exit_code(error);
	}
	sp_crash_remove(server);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return code;
}

int
spate_main(struct spate_server *server, int argc, char **argv)
{
	static const struct argp argp = { .options = flags,
		.parser = on_flag,
		.doc = "An HTTP server with one epoll instance for each CPU."
		       "\vEach option can be set in the environment too: "
		       "SPATE_LISTEN, SPATE_SHARDS and so on. A flag has the "
		       "last word." };
	int code, error;

	if (server == NULL) {
		fprintf(stderr, "%s: no memory\n",
		    program_invocation_short_name);
		return EX_OSERR;
	}
	argp_err_exit_status = EX_USAGE;
	snprintf(version_text, sizeof(version_text), "spate %s",
	    spate_version());
	argp_program_version = version_text;
	if (read_environment(server) != 0
	    || argp_parse(&argp, argc, argv, 0, NULL, server) != 0) {
		spate_server_free(server);
		return EX_USAGE;
	}
	if (server->address_count == 0)
		spate_listen(server, DEFAULT_LISTEN);
	sp_admin_default(server);
	raise_descriptors();
	error = begin_log(server);
	if (error != 0) {
		fprintf(stderr, "%s: the log: %s\n",
		    program_invocation_short_name, spate_strerror(error));
		code = exit_code(error);
	} else {
		code = run(server);
	}
	end_log(server);
	spate_server_free(server);
	return code;
}
