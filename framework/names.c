/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/names.h"

#include "framework/request.h"
#include "shards/offload.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAMES 64 /* that one worker remembers */

/* One look-up; its memory is the call's. */
struct look_up {
	char name[SP_NAME_SIZE];
	int error;
	struct sp_addresses found;
};

struct known {
	char name[SP_NAME_SIZE];
	sp_tick until;
	int error;
	struct sp_addresses found;
};

struct sp_names {
	unsigned count;
	struct known known[NAMES];
};

/* "1.2.3" and "0x7f.1" are numbers to getaddrinfo(), and to nobody else. */
static bool
ends_in_a_number(const char *name, size_t size)
{
	size_t start = size;

	while (start > 0 && name[start - 1] != '.')
		start--;
	if (size - start >= 2 && name[start] == '0'
	    && (name[start + 1] | 0x20) == 'x')
		return true;
	while (start < size && name[start] >= '0' && name[start] <= '9')
		start++;
	return start == size;
}

bool
sp_name_ok(const char *name, size_t size)
{
	if (size == 0 || size >= SP_NAME_SIZE || name[0] == '-'
	    || name[0] == '.')
		return false;
	for (size_t i = 0; i < size; i++) {
		char c = name[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
			|| (c >= '0' && c <= '9') || c == '-' || c == '_'
			|| (c == '.' && name[i - 1] != '.')))
			return false;
	}
	return !ends_in_a_number(name, size);
}

/* ------------------------------------------------------ in another thread */

static void
take(struct sp_addresses *found, const struct addrinfo *info)
{
	for (; info != NULL && found->count < SP_NAME_ADDRESSES;
	     info = info->ai_next) {
		if (info->ai_family != AF_INET && info->ai_family != AF_INET6)
			continue;
		found->size[found->count] = info->ai_addrlen;
		memcpy(&found->address[found->count++], info->ai_addr,
		    info->ai_addrlen);
	}
}

/* A server of names that refuses, and what is wrong here, say nothing of it. */
static int
error_of(int code)
{
	switch (code) {
	case EAI_AGAIN:
	case EAI_FAIL:
	case EAI_SYSTEM:
		return -EAGAIN;
	case EAI_MEMORY:
		return -ENOMEM;
	default:
		return -EHOSTUNREACH;
	}
}

static void
look_up(void *arg)
{
	static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_ADDRCONFIG };
	struct look_up *look = arg;
	struct addrinfo *info = NULL;
	int code = getaddrinfo(look->name, NULL, &hints, &info);

	if (code != 0) {
		look->error = error_of(code);
		return;
	}
	take(&look->found, info);
	freeaddrinfo(info);
	look->error = look->found.count != 0 ? 0 : -EHOSTUNREACH;
}

/* ------------------------------------------------------------ remembering */

static struct known *
find(struct sp_names *names, const char *name, sp_tick now)
{
	for (unsigned i = 0; names != NULL && i < names->count; i++) {
		struct known *known = &names->known[i];

		if (sp_tick_after(known->until, now)
		    && strcasecmp(known->name, name) == 0)
			return known;
	}
	return NULL;
}

/* A place for another: of the same name, a new one, or the next to go. */
static struct known *
place_for(struct sp_names *names, const char *name)
{
	struct known *oldest = &names->known[0];

	for (unsigned i = 0; i < names->count; i++) {
		struct known *known = &names->known[i];

		if (strcasecmp(known->name, name) == 0)
			return known;
		if (sp_tick_after(oldest->until, known->until))
			oldest = known;
	}
	return names->count < NAMES ? &names->known[names->count++] : oldest;
}

/* Not for what is wrong here, and not if there is no memory for it. */
static void
remember(struct sp_worker *worker, const struct look_up *look)
{
	const struct spate_server *server = worker->engine->context;
	struct sp_http_worker *http = worker->context;
	uint32_t ms = server->options.name_cache_ms;
	struct known *known;

	if (look->error != 0)
		ms /= 10;
	if (ms == 0 || (look->error != 0 && look->error != -EHOSTUNREACH))
		return;
	if (http->names == NULL)
		http->names = calloc(1, sizeof(*http->names));
	if (http->names == NULL)
		return;
	known = place_for(http->names, look->name);
	memcpy(known->name, look->name, sizeof(known->name));
	known->until = sp_tick_in(ms);
	known->error = look->error;
	known->found = look->found;
}

void
sp_names_free(struct sp_names *names)
{
	free(names);
}

/* ---------------------------------------------------------------- finding */

static uint32_t
until_in_ms(sp_tick until)
{
	sp_tick now = sp_tick_of(sp_now_ns());

	if (until == SP_DEADLINE_NONE)
		return 0;
	return sp_tick_after(until, now) ? until - now : 1;
}

/* => Returns 0 and *out, the caller's to free; or an error of the wait. */
static int
ask(struct sp_worker *worker, const char *name, sp_tick until,
    struct look_up **out)
{
	struct look_up *look = calloc(1, sizeof(*look));
	bool let_go = false;
	int error;

	if (look == NULL)
		return -ENOMEM;
	memcpy(look->name, name, strlen(name) + 1);
	sp_count(&worker->counters.lookups, 1);
	error = sp_offload_run(worker, &worker->engine->offload, look_up, look,
	    free, &let_go, until_in_ms(until));
	if (error != 0 && !let_go)
		free(look);
	if (error == 0)
		*out = look;
	return error;
}

static void
set_port(struct sp_addresses *found, uint16_t port)
{
	for (unsigned i = 0; i < found->count; i++) {
		struct sockaddr_storage *address = &found->address[i];

		if (address->ss_family == AF_INET6)
			((struct sockaddr_in6 *)address)->sin6_port = htons(
			    port);
		else
			((struct sockaddr_in *)address)->sin_port = htons(port);
	}
}

/* "localhost", or a name below it. */
static bool
is_localhost(const char *name)
{
	static const char local[] = "localhost";
	size_t size = strlen(name);

	if (size < sizeof(local) - 1)
		return false;
	size -= sizeof(local) - 1;
	return strncasecmp(name + size, local, sizeof(local) - 1) == 0
	       && (size == 0 || name[size - 1] == '.');
}

static void
find_localhost(struct sp_addresses *found)
{
	const struct sockaddr_in v4 = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };

	found->count = 2;
	found->size[0] = sizeof(v4);
	memcpy(&found->address[0], &v4, sizeof(v4));
	found->size[1] = sizeof(v6);
	memcpy(&found->address[1], &v6, sizeof(v6));
}

int
sp_names_find(struct sp_worker *worker, const char *name, uint16_t port,
    sp_tick until, struct sp_addresses *found)
{
	struct sp_http_worker *http = worker->context;
	struct known *known = find(http->names, name, sp_tick_of(sp_now_ns()));
	struct look_up *look;
	int error;

	if (is_localhost(name)) {
		find_localhost(found);
		set_port(found, port);
		return 0;
	}
	if (known != NULL) {
		*found = known->found;
		set_port(found, port);
		return known->error;
	}
	error = ask(worker, name, until, &look);
	if (error == 0) {
		remember(worker, look);
		*found = look->found;
		set_port(found, port);
		error = look->error;
		free(look);
	}
	if (error != 0)
		sp_count(&worker->counters.lookup_errors, 1);
	return error;
}
