/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Answers that another thread gives.
 *
 *     the handler                          another thread
 *     -----------                          --------------
 *     deferred := number
 *     hands connection and number over
 *     waits                                finds the connection (RCU)
 *                                          claims: deferred number -> 0
 *                                          pushes onto outq       (FLAG3)
 *     is woken, takes outq, answers        evicts the slot        (FLAG4)
 *
 * deferred decides who has the promise. One thread of all that try claims
 * it, and then the handler waits for what that one pushes; or the handler
 * withdraws it, because the client left or time is up, and then whoever
 * comes is told -ESTALE. So a late answer never meets a later request on the
 * same connection, nor another connection in the same place.
 *
 *   edge     release side         acquire side
 *   ------   ------------------   -----------------------------------------
 *   PUSH     spate_answer()       take(); mpsc_stack.h
 */

#include "framework/request.h"
#include "framework/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* link is first: poll_cache.h frees what nobody has taken. */
struct answer {
	struct sp_link link;
	int status;
	size_t size;
	const char *type; /* in data, behind the body; or NULL */
	char data[];
};

static struct answer *
new_answer(int status, const char *type, const void *body, size_t size)
{
	size_t type_size = type != NULL ? strlen(type) + 1 : 0;
	struct answer *answer = malloc(sizeof(*answer) + size + type_size);

	if (answer == NULL)
		return NULL;
	answer->status = status;
	answer->size = size;
	answer->type = NULL;
	if (size != 0)
		memcpy(answer->data, body, size);
	if (type != NULL)
		answer->type = memcpy(answer->data + size, type, type_size);
	return answer;
}

struct spate_deferral
spate_defer(struct spate_req *req)
{
	struct spate_deferral deferral = { 0, 0 };
	struct sp_req_more *more = sp_req_more(req);
	uint32_t number;

	if (more == NULL || req->answer != SP_ANSWER_NONE)
		return deferral;
	do {
		number = sp_fetch_add(&req->server->deferrals, 1, relaxed) + 1;
	} while (number == 0);
	more->deferral = number;
	req->answer = SP_ANSWER_PROMISED;
	sp_store(&req->pd->deferred, number, seq_cst);
	sp_accept_stay(req->pd);
	deferral.connection = sp_poll_desc_handle(req->pd);
	deferral.number = number;
	return deferral;
}

/* What was pushed, the caller's now, or NULL. There is one at most. */
static struct answer *
take(struct spate_req *req)
{
	/* PUSH acquire. */
	struct sp_link *link = sp_stack_pop_all(&req->pd->outq);

	if (link == NULL)
		return NULL;
	req->answer = SP_ANSWER_NONE;
	return sp_container_of(link, struct answer, link);
}

/* Whoever has claimed it is about to push. Nothing else ends this wait. */
static struct answer *
take_claimed(struct spate_req *req)
{
	struct answer *answer;
	int error = 0;

	sp_req_wait_end(req);
	while ((answer = take(req)) == NULL && error == 0)
		error = sp_poll_wait(req->worker, req->pd, SP_POLL_READ);
	if (answer != NULL)
		return answer;
	/*
	 * The connection is being closed, or cannot be waited for. What is
	 * pushed yet must not meet its next request: so there is none, and
	 * it is freed together with the descriptor.
	 */
	req->answer = SP_ANSWER_NONE;
	req->gone = true;
	return NULL;
}

/*
 * Take the promise back.
 *
 * => Returns an answer, the caller's: it came at the last moment.
 */
static struct answer *
withdraw(struct spate_req *req)
{
	uint32_t number = req->more->deferral;

	if (sp_cas(&req->pd->deferred, &number, 0, seq_cst, seq_cst)) {
		req->answer = SP_ANSWER_NONE;
		return NULL;
	}
	return take_claimed(req);
}

int
spate_wait(struct spate_req *req, uint32_t ms)
{
	struct answer *answer;
	int error = 0;

	if (!sp_req_promised(req))
		return -EINVAL;
	sp_req_wait_until(
	    req, ms != 0 ? sp_tick_in(ms) : (sp_tick)SP_DEADLINE_NONE);
	while ((answer = take(req)) == NULL && error == 0)
		error = sp_req_wait(req, false);
	if (answer == NULL)
		answer = withdraw(req);
	sp_req_wait_end(req);
	if (answer == NULL)
		return error;
	error = spate_respond(
	    req, answer->status, answer->type, answer->data, answer->size);
	free(answer);
	return error;
}

void
sp_defer_end(struct spate_req *req)
{
	free(withdraw(req));
}

/* ---------------------------------------------------- from other threads */

static bool
is_valid(int status, const char *type)
{
	return status >= 200 && status <= 599
	       && (type == NULL || sp_field_value_ok(type, strlen(type)));
}

/* Inside an RCU section. On 0 the answer is no more the caller's. */
static int
push(struct spate_server *server, struct spate_deferral deferral,
    struct answer *answer)
{
	uintptr_t woken[SP_POLL_MODES];
	struct sp_shard *shard;
	struct sp_poll_desc *pd = sp_engine_find(
	    server->engine, deferral.connection, &shard);
	uint32_t number = (uint32_t)deferral.number;

	if (pd == NULL || number == 0
	    || !sp_cas(&pd->deferred, &number, 0, seq_cst, seq_cst))
		return -ESTALE;
	sp_stack_push(&pd->outq, &answer->link); /* PUSH release, FLAG3. */
	sp_poll_kick(pd, 0, woken);              /* FLAG4 */
	sp_run_woken_all(pd, shard, woken);
	return 0;
}

int
spate_answer(struct spate_server *server, struct spate_deferral deferral,
    int status, const char *type, const void *body, size_t size)
{
	struct answer *answer;
	int error;

	if (server == NULL || server->engine == NULL)
		return -ESTALE;
	if (!is_valid(status, type))
		return -EINVAL;
	answer = new_answer(status, type, body, size);
	if (answer == NULL)
		return -ENOMEM;
	sp_rcu_enter();
	error = push(server, deferral, answer);
	sp_rcu_exit();
	if (error != 0)
		free(answer);
	return error;
}
