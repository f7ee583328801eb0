/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SPATE_TESTS_SIM_KERNEL_H
#define SPATE_TESTS_SIM_KERNEL_H

/*
 * The simulated kernel: as much of Linux as the server asks for, and as
 * inconvenient as it is allowed to be.
 *
 *     descriptor --> file --+-- event counter
 *      (lowest first)       +-- timer
 *                           +-- epoll instance --> items
 *                           +-- listener --> queue of connections
 *                           `-- connection, the server's side
 *
 * Several descriptors may mean one file, which lives as long as the last of
 * them, and with it what epoll was told of it: an item belongs to a file and
 * the number that it was added by, as in Linux.
 *
 * The server is one process, and so the only one with descriptors. Clients
 * have the other ends.
 */

#include "tests/sim/sched.h"

#define SIM_FDS 128
#define SIM_FILES 192
#define SIM_ITEMS 256
#define SIM_CONNS 96
#define SIM_QUEUE 32
#define SIM_PIPE 8192
#define SIM_ADDRESSES 2

enum sim_kind {
	SIM_NONE,
	SIM_NULL_DEVICE,
	SIM_EVENT,
	SIM_TIMER,
	SIM_EPOLL,
	SIM_SOCKET, /* not yet a listener or a connection */
	SIM_LISTENER,
	SIM_CONN,
};

struct sim_conn;

struct sim_file {
	enum sim_kind kind;
	uint32_t refs;
	bool nonblock;
	bool pinned; /* one of the refs is another process's */
	uint64_t count;
	unsigned address;
	bool local;
	struct sim_conn *queue[SIM_QUEUE];
	uint32_t queued;
	struct sim_conn *conn;
};

/* What epoll was told of a file; free if file is NULL. */
struct sim_item {
	struct sim_file *epoll, *file;
	int fd;
	uint32_t events;
	uint64_t data;
	bool ready;
	uint64_t since; /* the order among those that are ready */
};

/* One direction: what is under way, and what has arrived. */
struct sim_pipe {
	uint8_t *data; /* SIM_PIPE bytes, as a ring */
	uint32_t size; /* of that in use as buffer */
	uint32_t head, here, flying;
	bool ending, ended; /* the last byte was sent; has arrived */
};

enum { SIM_CLIENT, SIM_SERVER };

struct sim_conn {
	bool used;
	uint32_t number;
	uint64_t serial;        /* no other connection of the run has had it */
	bool cut;               /* the program has closed it: spate_close() */
	struct sim_actor actor; /* the network */
	struct sim_actor *client; /* to be kicked; NULL: gone */
	struct sim_file *file;   /* the server's; NULL: not accepted, or gone */
	struct sim_pipe pipe[2]; /* to the client, to the server */
	bool closed[2];
	bool reset_flying[2], reset[2], error[2];
	bool silent;    /* closed for reading, by shutdown() */
	bool no_room;   /* the server was told so */
	bool abrupt;    /* to be closed by a reset: SO_LINGER of 0 */
	uint64_t acked; /* of what the server has sent */
	bool queued;
	bool connecting; /* by the server, to who is SIM_CLIENT then */
	bool local;      /* by a Unix socket */
	bool dropped;    /* reset with its listener, never accepted */
};

struct sim_kernel_options {
	uint32_t send_buffer, receive_buffer;
	uint32_t edges;    /* too many, at most: or nobody would ever sleep */
	uint32_t spurious; /* an edge too many, once in so many waits */
	uint32_t short_reads, early_eagain; /* data that came just afterwards */
	uint32_t abort_accept, fail_accept; /* ECONNABORTED; ENFILE, ENOMEM.. */
	uint32_t interrupt;                 /* EINTR without a wait */
	uint32_t fail_control;              /* epoll_ctl() says ENOMEM */
	uint32_t no_threads;                /* pthread_create() says EAGAIN */
	uint32_t whole;   /* all of it, once in so many times */
	uint32_t slow[2]; /* to each side: in so many steps one delivers */
	bool coarse;      /* no epoll_pwait2() */
	uint32_t cpus;    /* packets arrive at one of so many */
	bool no_timers;   /* no timerfd */
};

extern struct sim_kernel_options sim_kernel;
extern struct sim_file *sim_fds[SIM_FDS];
extern struct sim_item sim_items[SIM_ITEMS];
extern struct sim_conn sim_conns[SIM_CONNS];
extern int sim_fd_limit; /* of the process */

/* A fresh kernel, with the options as they are. */
void sim_kernel_reset(void);

/* What is open at the end of a run. */
void sim_kernel_check_end(void);

/* --------------------------------------------------------- files.c */

struct sim_file *sim_file_new(enum sim_kind kind);
/* => Returns the lowest free number; or -1 with errno. */
int sim_fd_new(struct sim_file *file, bool nonblock);
/* => Returns NULL with errno if it is not open or of another kind. */
struct sim_file *sim_fd_file(int fd, enum sim_kind kind);
int sim_fd_close(int fd);
void sim_file_hold(struct sim_file *file);
void sim_file_drop(struct sim_file *file);
/* What poll(2) would say. */
uint32_t sim_file_events(const struct sim_file *file);

/* --------------------------------------------------------- timer.c */

void sim_timers_reset(void);
/* Its last descriptor was closed. */
void sim_timer_end(const struct sim_file *file);

/* --------------------------------------------------------- epoll.c */

/* Something has happened to a file. */
void sim_epoll_tell(struct sim_file *file, uint32_t events);
/* Its last descriptor was closed. */
void sim_epoll_forget(struct sim_file *file);
/* Whether something would be reported to who waits there. */
bool sim_epoll_has_news(const struct sim_file *epoll);
struct sim_item *sim_epoll_item(const struct sim_file *file, int fd);
/* Report it again, as if it had come once more. */
void sim_epoll_repeat(struct sim_file *file);

/* ---------------------------------------------------------- conn.c */

/* => Returns NULL: nobody listens there, or the queue is full. */
struct sim_conn *sim_conn_new(unsigned address, struct sim_actor *client);

/* The socket is to be the server's side of one. => Returns NULL: no more. */
struct sim_conn *
sim_conn_out(struct sim_file *socket, struct sim_actor *client);

uint32_t sim_conn_room(const struct sim_conn *conn, int side);
uint32_t
sim_conn_send(struct sim_conn *conn, int from, const void *data, uint32_t size);
uint32_t
sim_conn_receive(struct sim_conn *conn, int side, void *data, uint32_t size);
void
sim_conn_peek(const struct sim_conn *conn, int side, void *data, uint32_t size);
/* No more from this side. */
void sim_conn_end(struct sim_conn *conn, int from);
/* Close it, as the kernel does: with a reset if something was not read. */
void sim_conn_close(struct sim_conn *conn, int side);
void sim_conn_reset(struct sim_conn *conn, int from);
uint32_t sim_conn_events(const struct sim_conn *conn);
/* Its listener is gone. */
void sim_conn_refuse(struct sim_conn *conn);
/*
 * For clients: take some of the bytes that have arrived, one by one.
 *
 * => Returns false: there are none.
 */
bool sim_conn_read(
    struct sim_conn *conn, void (*take)(void *arg, uint8_t byte), void *arg);
/* The server has ended the connection, one way or the other. */
bool sim_conn_is_over(const struct sim_conn *conn);
/* Something that the client has not read yet. */
bool sim_conn_has_news(const struct sim_conn *conn);
/* Another process has it open, so the server cannot end it. */
bool sim_conn_is_pinned(const struct sim_conn *conn);

#endif /* SPATE_TESTS_SIM_KERNEL_H */
