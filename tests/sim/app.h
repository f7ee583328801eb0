/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_SIM_APP_H
#define SPATE_TESTS_SIM_APP_H

/*
 * The program that is served: handlers that answer by what the request's
 * number says, so that a client can compare each byte. The numbers are the
 * run's ledger as well: how often each was handled, and how it is going.
 */

#include "tests/sim/plan.h"
#include "tests/sim/sched.h"

#include <spate.h>

#define SIM_REQUESTS 1024
#define SIM_HANDLES 256
#define SIM_DEFERRED 32
#define SIM_MESSAGES 512 /* to streams */
#define SIM_TO_ALL 0     /* whom a message is for */
#define SIM_TO_NOBODY UINT64_MAX

enum sim_request_kind {
	SIM_GET,
	SIM_SLEEP,
	SIM_HOG,
	SIM_STREAM,
	SIM_ECHO,
	SIM_PUMP,  /* each piece of it comes back at once */
	SIM_PART,  /* answered before all of it has come */
	SIM_RELAY, /* as SIM_PUMP, by another server */
	SIM_DEFER,
	SIM_BLOCK, /* on a route of class blocking */
	SIM_KEEP,  /* likewise, with a body */
	SIM_MISSING,
	SIM_BAD,
	SIM_KINDS,
};

struct sim_request {
	enum sim_request_kind kind;
	uint32_t size; /* of the body, and of the one that comes back */
	uint32_t ms;
	uint32_t wants;   /* of the body, before it answers */
	bool expects;     /* to be told to go on */
	bool listens;     /* its client waits for what is due by then */
	uint32_t begun;   /* calls of the handler */
	uint64_t delayed; /* until then it waits for what is not the server's */
	bool ended;       /* the handler has returned */
	struct sp_worker *worker; /* of a blocking route's handler */
};

struct sim_deferred {
	uint32_t number;
	struct spate_deferral deferral;
};

struct sim_app {
	struct spate_server *server;
	struct sim_request requests[SIM_REQUESTS];
	uint32_t request_count;
	uint32_t hogs;    /* handlers that block a worker at this moment */
	uint32_t blocks;  /* or a thread that is there for it */
	uint64_t refused; /* answers that say there are too many of these */
	spate_handle handles[SIM_HANDLES]; /* of connections seen by handlers */
	uint32_t handle_count;
	struct sim_deferred deferred[SIM_DEFERRED];
	uint32_t deferred_count;
	uint32_t clients_left;
	bool stopping; /* a drain has begun */
	bool meddlers_end;
	uint32_t casts;                 /* messages to streams so far */
	uint64_t cast_to[SIM_MESSAGES]; /* serials of connections, or one of */
};

extern struct sim_app sim_app;

static inline bool
sim_app_is_blocking(enum sim_request_kind kind)
{
	return kind == SIM_BLOCK || kind == SIM_KEEP;
}

static inline bool
sim_app_has_body(enum sim_request_kind kind)
{
	return kind == SIM_ECHO || kind == SIM_PUMP || kind == SIM_PART
	       || kind == SIM_RELAY || kind == SIM_KEEP;
}

/* The i-th byte of what belongs to a request. */
static inline uint8_t
sim_app_byte(uint32_t number, uint32_t i)
{
	return (uint8_t)('a' + (number * 31 + i * 7 + (i >> 5)) % 26);
}

/* One of the clients needs no more; the last tells the program. */
void sim_app_client_ends(void);

/* A new number; SIM_REQUESTS if there are no more. */
uint32_t
sim_app_request(enum sim_request_kind kind, uint32_t size, uint32_t ms);

const char *sim_app_path(enum sim_request_kind kind);

/* The request that is to be handled, and its number. */
struct sim_request *sim_app_begin(struct spate_req *req, uint32_t *number);

/*
 * Some of the body, at most, which goes on from there, compared.
 *
 * => Returns how many bytes; 0 at the end, if all have come; or -errno.
 */
ssize_t sim_app_read(struct spate_req *req, uint32_t number, uint32_t from,
    char *piece, uint32_t most);

/* relay.c: the handler that calls another server. */
int sim_app_relay(struct spate_req *req, void *arg);

/* A server with all of that, at two addresses; not started. */
struct spate_server *sim_app_server(void);

/* The stream protocol's handler, by which broadcasts name it. */
int sim_app_stream(struct spate_stream *stream, void *arg);

/* Where a connection stands, by its handle; NULL: closed. */
struct sim_conn *sim_app_conn(spate_handle handle);

#endif /* SPATE_TESTS_SIM_APP_H */
