/* SPDX-License-Identifier: BSD-2-Clause */

#include "tests/scenario.h"

#include <unistd.h>

int (*scenario_play)(struct sp_worker *worker, char name);
SP_ATOMIC(uint32_t) scenario_begun, scenario_ended;

static void
run(struct sp_worker *worker, struct sp_task *task)
{
	struct sp_poll_desc *pd = echo_desc(task);
	unsigned char answer;
	char name;

	worker->current->pd = pd;
	if (recv(pd->fd, &name, 1, 0) == 1) {
		sp_fetch_add(&scenario_begun, 1, release);
		answer = (unsigned char)-scenario_play(worker, name);
		sp_fetch_add(&scenario_ended, 1, release);
		send(pd->fd, &answer, 1, MSG_NOSIGNAL);
	}
	worker->current->pd = NULL;
	echo_close(worker, pd);
}

const struct sp_service scenario_service = { .run = run, .name = "scenario" };

void
scenario_start(struct echo_server *server,
    const struct sp_engine_options *options,
    int (*play)(struct sp_worker *worker, char name))
{
	scenario_play = play;
	sp_store(&scenario_begun, 0, relaxed);
	sp_store(&scenario_ended, 0, relaxed);
	echo_start(server, options, &scenario_service);
}

int
scenario_ask(const struct echo_server *server, char name)
{
	int fd = echo_connect(server);

	EXPECT_EQ(send(fd, &name, 1, MSG_NOSIGNAL), 1);
	return fd;
}

void
scenario_expect(int fd, int error)
{
	unsigned char answer = 255;

	EXPECT_EQ(recv(fd, &answer, 1, 0), 1);
	EXPECT_EQ(-(int)answer, error);
	close(fd);
}
