/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/sandbox.h"

#include "framework/landlock.h"
#include "framework/seccomp.h"
#include "framework/server.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <unistd.h>

#define PATH_FLAGS (O_PATH | O_CLOEXEC)

/* What libc reads to look up a name, or to tell the time where we are. */
static const char *const of_libc[] = { "/etc/resolv.conf", "/etc/hosts",
	"/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf",
	"/etc/services", "/etc/protocols", "/etc/localtime", "/dev/null" };

/* --------------------------------------------------------------- set-up */

int
sp_sandbox_parse(struct sp_sandbox *sandbox, const char *text)
{
	if (text == NULL || strcasecmp(text, "on") == 0)
		sandbox->mode = SP_SANDBOX_ON;
	else if (strcasecmp(text, "require") == 0)
		sandbox->mode = SP_SANDBOX_REQUIRE;
	else if (strcasecmp(text, "off") == 0)
		sandbox->mode = SP_SANDBOX_OFF;
	else
		return -EINVAL;
	return 0;
}

static int
name_path(struct sp_sandbox *sandbox, const char *path, bool writes)
{
	struct sp_sandbox_path *named = calloc(1, sizeof(*named));
	int error;

	if (named == NULL)
		return -ENOMEM;
	named->fd = open(path, PATH_FLAGS);
	if (named->fd < 0) {
		error = -errno;
		free(named);
		return error;
	}
	named->writes = writes;
	named->next = sandbox->paths;
	sandbox->paths = named;
	return 0;
}

int
spate_sandbox_path(struct spate_server *server, const char *path, bool writes)
{
	int error = -EINVAL;

	if (server == NULL)
		return -ENOMEM;
	if (path != NULL)
		error = name_path(&server->sandbox, path, writes);
	return error != 0
		   ? sp_server_fail(server, error, "a path for --sandbox")
		   : 0;
}

void
sp_sandbox_free(struct spate_server *server)
{
	struct sp_sandbox *sandbox = &server->sandbox;

	while (sandbox->paths != NULL) {
		struct sp_sandbox_path *next = sandbox->paths->next;

		close(sandbox->paths->fd);
		free(sandbox->paths);
		sandbox->paths = next;
	}
	sp_seccomp_forget(server);
}

/* ---------------------------------------------------------------- files */

/* What is not there, or is somebody else's, needs no rule. */
static int
allow(struct sp_landlock *landlock, const char *path, unsigned rights)
{
	int fd = open(path, PATH_FLAGS), error;

	if (fd < 0)
		return 0;
	error = sp_landlock_allow(landlock, fd, rights);
	close(fd);
	return error;
}

/* The folder that a path lies in. */
static int
allow_around(struct sp_landlock *landlock, const char *path, unsigned rights)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t size = slash != NULL ? (size_t)(slash - path) : 0;

	if (slash == NULL)
		return allow(landlock, ".", rights);
	if (size >= sizeof(folder))
		return -ENAMETOOLONG;
	memcpy(folder, path, size);
	folder[size] = '\0';
	return allow(landlock, size != 0 ? folder : "/", rights);
}

/*
 * Who keeps the addresses of name servers often does so elsewhere, and puts a
 * new file in place of the old one: so all of that folder. In /etc it is the
 * file alone.
 */
static int
allow_name_servers(struct sp_landlock *landlock)
{
	char *real = realpath("/etc/resolv.conf", NULL);
	int error = 0;

	if (real != NULL && strncmp(real, "/etc/", 5) != 0)
		error = allow_around(landlock, real, SP_LANDLOCK_READ);
	free(real);
	return error;
}

static int
allow_libc(struct sp_landlock *landlock)
{
	int error = allow_name_servers(landlock);

	for (size_t i = 0;
	     i < sizeof(of_libc) / sizeof(of_libc[0]) && error == 0; i++)
		error = allow(landlock, of_libc[i], SP_LANDLOCK_READ);
	return error;
}

/* Of a Unix socket, to remove it at the end. */
static int
allow_removal(struct sp_landlock *landlock, const struct sp_address *address)
{
	const struct sockaddr_un *un =
	    (const struct sockaddr_un *)&address->storage;

	if (un->sun_family != AF_UNIX || un->sun_path[0] == '\0')
		return 0;
	return allow_around(landlock, un->sun_path, SP_LANDLOCK_REMOVE);
}

static int
allow_all(struct sp_landlock *landlock, struct spate_server *server)
{
	const struct sp_sandbox_path *path = server->sandbox.paths;
	const char *dump = server->options.crash_dump;
	int error = allow_libc(landlock);

	if (error == 0)
		error = sp_files_allow(server, landlock);
	for (; path != NULL && error == 0; path = path->next)
		error = sp_landlock_allow(landlock, path->fd,
		    path->writes ? SP_LANDLOCK_ALL : SP_LANDLOCK_READ);
	if (error == 0 && dump != NULL && strcmp(dump, "none") != 0)
		error = allow_around(landlock, dump, SP_LANDLOCK_CREATE);
	for (unsigned i = 0; i < server->bound && error == 0; i++)
		error = allow_removal(landlock, &server->addresses[i]);
	if (error == 0 && server->admin_bound)
		error = allow_removal(landlock, &server->admin_address);
#ifdef SPATE_COVERAGE
	if (error == 0)
		error = allow(landlock, SPATE_COVERAGE, SP_LANDLOCK_ALL);
#endif
	return error;
}

static int
hold_files(struct spate_server *server)
{
	struct sp_landlock landlock;
	int error = sp_landlock_begin(&landlock);

	/*
	 * Counters of the process, and its descriptors. The rule is that of an
	 * inode, of which the kernel makes another when it had to forget it;
	 * it does not forget what is open, and these are until the end.
	 */
	name_path(&server->sandbox, "/proc/self", false);
	if (error == 0)
		error = allow_all(&landlock, server);
	if (error == 0)
		error = sp_landlock_enforce(&landlock);
	sp_landlock_end(&landlock);
	if (error == 0)
		sp_log(server, SPATE_LOG_INFO,
		    "sandbox: Landlock %d: files%s%s", landlock.abi,
		    landlock.abi >= 4 ? ", no more TCP ports" : "",
		    landlock.abi >= 6 ? ", no signals to others" : "");
	return error;
}

/* ---------------------------------------------------------------- calls */

/*
 * Of each number once: a loop is not to fill the log. It is a handler of a
 * signal, but of one that comes at the call of another and nowhere else.
 */
static void
refused(void *arg, int number)
{
	struct spate_server *server = arg;
	struct sp_sandbox *sandbox = &server->sandbox;
	unsigned bit = (unsigned)number % 512;

	sp_fetch_add(&sandbox->refused, 1, relaxed);
	if ((sp_fetch_or(&sandbox->told[bit / 64], 1ULL << bit % 64, relaxed)
		& 1ULL << bit % 64)
	    == 0)
		sp_log(server, SPATE_LOG_WARNING,
		    "sandbox: system call %d is refused, which is told of once",
		    number);
}

static int
hold_calls(struct spate_server *server)
{
	int calls = sp_seccomp_enforce(refused, server);

	if (calls < 0)
		return calls;
	sp_log(server, SPATE_LOG_INFO,
	    "sandbox: seccomp: others than %d calls are refused, and counted",
	    calls);
	return 0;
}

/* ---------------------------------------------------------------- enter */

/*
 * => Returns error if it has to be there, with concern for whoever started
 *    it; else 0, and the log has a warning.
 */
static int
do_without(
    struct spate_server *server, int error, const char *what, const char *why)
{
	if (error == 0)
		return 0;
	sp_log(server,
	    server->sandbox.mode == SP_SANDBOX_REQUIRE ? SPATE_LOG_ERROR
						       : SPATE_LOG_WARNING,
	    "sandbox: no %s: %s", what,
	    why != NULL ? why : spate_strerror(error));
	if (server->sandbox.mode != SP_SANDBOX_REQUIRE)
		return 0;
	return sp_server_fail(server, error, "--sandbox=require");
}

static void
tell_of_threads(struct spate_server *server)
{
	struct sp_process process;

	sp_process_look(&server->process, &process);
	if (process.threads > 1)
		sp_log(server, SPATE_LOG_WARNING,
		    "sandbox: %llu threads of the program's own were there "
		    "before: Landlock does not hold them",
		    (unsigned long long)process.threads - 1);
}

static int
hold(struct spate_server *server)
{
	int error;

	/* Who may get rights back could get all of them back. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return sp_server_fail(server, -errno, "--sandbox");
	tell_of_threads(server);
	error = do_without(server, hold_files(server), "Landlock", NULL);
	/* The last: it allows no more of all that. */
	if (error == 0)
		error = do_without(
		    server, hold_calls(server), "seccomp", sp_seccomp_lack());
	return error;
}

int
sp_sandbox_enter(struct spate_server *server)
{
	int error = 0;

	if (server->user.given) {
		error = sp_user_become(&server->user);
		if (error != 0)
			return sp_server_fail(server, error, "--user");
	}
	if (server->sandbox.mode != SP_SANDBOX_OFF)
		error = hold(server);
	return error;
}
