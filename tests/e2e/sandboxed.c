/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A program whose handlers do what one that was taken over would, for
 * sandbox_test.py. Each answers the name of the error that it got, or "0".
 *
 *     GET /read?PATH     opens it
 *     GET /write?PATH    makes it
 *     GET /do/WHAT       WHAT of the table below
 *     GET /call?URL      asks another server: the status, or the error
 *     GET /crash         a fault
 *
 * SANDBOXED_FOLDER is a folder that it may write to.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
say(struct spate_req *req, bool done, int error)
{
	return spate_text(req, 200, "%s", done ? "0" : strerrorname_np(error));
}

static int
run_program(void)
{
	char *const arguments[] = { (char[]){ "true" }, NULL };

	return execv("/bin/true", arguments);
}

/* The child, if there is one, is none of ours. */
static int
make_process(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return child;
}

static int
make_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? -1 : munmap(page, 4096);
}

static int
make_it_code(void)
{
	static char page[8192] __attribute__((aligned(4096)));

	return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static int
listen_here(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int result = listen(fd, 1), error = errno;

	close(fd);
	errno = error;
	return result;
}

static int
open_socket_of_packets(void)
{
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return fd < 0 ? -1 : close(fd);
}

static int
end_another(void)
{
	return kill(getppid(), 0);
}

static int
watch_another(void)
{
	return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static int
raise_a_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_CORE, &limit);
	return setrlimit(RLIMIT_CORE, &limit);
}

/* Of a kernel that is yet to come. */
static int
call_what_is_new(void)
{
	return (int)syscall(1000);
}

static const struct {
	const char *name;
	int (*call)(void);
} deeds[] = {
	{ "program", run_program },
	{ "process", make_process },
	{ "code", make_code },
	{ "memory", make_it_code },
	{ "listen", listen_here },
	{ "packets", open_socket_of_packets },
	{ "kill", end_another },
	{ "ptrace", watch_another },
	{ "limit", raise_a_limit },
	{ "new", call_what_is_new },
};

static int
do_it(struct spate_req *req, void *arg)
{
	struct spate_str what = spate_param(req, "what");

	(void)arg;
	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
		if (what.size == strlen(deeds[i].name)
		    && memcmp(what.data, deeds[i].name, what.size) == 0) {
			int result = deeds[i].call();

			return say(req, result >= 0, errno);
		}
	}
	return spate_error(req, 404, NULL);
}

/* => Returns what is behind the "?", or NULL: no memory. */
static char *
query(struct spate_req *req)
{
	struct spate_str text = spate_query(req);

	return spate_printf(req, "%.*s", (int)text.size, text.data);
}

static int
open_path(struct spate_req *req, void *arg)
{
	const int *flags = arg;
	const char *path = query(req);
	int fd, error;

	if (path == NULL)
		return -ENOMEM;
	fd = open(path, *flags, 0600);
	error = errno;
	if (fd >= 0)
		close(fd);
	return say(req, fd >= 0, error);
}

static int
call(struct spate_req *req, void *arg)
{
	const char *url = query(req);
	struct spate_upstream *up;
	struct spate_call call;
	int status;

	(void)arg;
	if (url == NULL)
		return -ENOMEM;
	call = spate_call_default("GET", url);
	status = spate_fetch(&call, &up);
	if (status < 0)
		return say(req, false, -status);
	spate_upstream_close(up);
	return spate_text(req, 200, "%d", status);
}

static int
crash(struct spate_req *req, void *arg)
{
	volatile int *nowhere = arg;

	*nowhere = 1;
	return spate_text(req, 200, "0");
}

int
main(int argc, char **argv)
{
	static int reads = O_RDONLY | O_CLOEXEC;
	static int writes = O_WRONLY | O_CREAT | O_CLOEXEC;
	struct spate_server *server = spate_server_new(NULL);
	const char *folder = getenv("SANDBOXED_FOLDER");

	spate_route(server, "GET", "/read", open_path, &reads);
	spate_route(server, "GET", "/write", open_path, &writes);
	spate_route(server, "GET", "/do/:what", do_it, NULL);
	spate_route(server, "GET", "/call", call, NULL);
	spate_route(server, "GET", "/crash", crash, NULL);
	spate_route_admin(server, "");
	if (folder != NULL)
		spate_sandbox_path(server, folder, true);
	return spate_main(server, argc, argv);
}
