/* SPDX-License-Identifier: BSD-2-Clause */

#include "tests/sim/peer.h"

#include "tests/sim/app.h"
#include "tests/sim/check.h"
#include "tests/sim/plan.h"

#define PAUSE_NS (3 * SIM_NS_PER_MS)

static void
pause_a_while(struct sim_peer *peer)
{
	sim_actor_sleep(&peer->actor, 1 + sim_below(PAUSE_NS));
}

static void
finish(struct sim_peer *peer)
{
	peer->done = true;
	sim_app_client_ends();
}

static void
end_session(struct sim_peer *peer)
{
	sim_event("session ends", peer->number, peer->sent);
	sim_conn_close(peer->conn, SIM_CLIENT);
	peer->conn = NULL;
	if (--peer->sessions == 0)
		finish(peer);
}

/* => Returns false: nobody listens, now or ever. */
static bool
begin_session(struct sim_peer *peer)
{
	peer->conn = sim_conn_new(peer->kind->listener, &peer->actor);
	if (peer->conn == NULL) {
		if (sim_app.stopping)
			finish(peer);
		else
			pause_a_while(peer);
		return false;
	}
	peer->sent = 0;
	peer->ended = peer->killed = peer->whole = false;
	peer->half_close = sim_chance(sim_plan.half_close);
	peer->kind->begin(peer);
	peer->break_at = sim_chance(sim_plan.rude) ? sim_below(peer->size + 1)
						   : UINT32_MAX;
	peer->softly = sim_chance(2);
	return true;
}

static bool
read_some(struct sim_peer *peer)
{
	if (sim_conn_read(peer->conn, peer->kind->take, peer))
		return true;
	if (!sim_conn_is_over(peer->conn))
		return false;
	peer->kind->check_end(peer);
	end_session(peer);
	return true;
}

/* With nothing but its end: it hears what there is to hear. */
static void
stop_sending(struct sim_peer *peer)
{
	sim_event("ends early", peer->number, peer->sent);
	peer->break_at = UINT32_MAX;
	peer->size = peer->sent;
	peer->half_close = true;
}

static void
break_off(struct sim_peer *peer)
{
	sim_event("breaks", peer->number, peer->sent);
	peer->killed = true;
	sim_conn_reset(peer->conn, SIM_CLIENT);
	end_session(peer);
}

/* All is sent: the end as well, if that is its way. */
static bool
end_sending(struct sim_peer *peer)
{
	if (!peer->half_close || peer->ended)
		return false;
	peer->ended = true;
	sim_conn_end(peer->conn, SIM_CLIENT);
	return true;
}

static bool
write_some(struct sim_peer *peer)
{
	uint32_t left, n;

	if (peer->sent >= peer->break_at && peer->softly)
		stop_sending(peer);
	if (peer->sent >= peer->break_at) {
		break_off(peer);
		return true;
	}
	if (peer->sent == peer->size)
		return end_sending(peer);
	left = peer->kind->due(peer) - peer->sent;
	if (left == 0 || peer->conn->reset[SIM_CLIENT])
		return false;
	n = peer->whole || sim_chance(4) ? left : 1 + sim_below(left);
	n = sim_conn_send(
	    peer->conn, SIM_CLIENT, peer->kind->bytes(peer, n), n);
	peer->sent += n;
	return n != 0;
}

/* Nothing more to send, to hear or to be told. */
static bool
has_all(const struct sim_peer *peer)
{
	return peer->sent == peer->size && !sim_conn_is_over(peer->conn)
	       && (!peer->half_close || peer->ended)
	       && peer->kind->has_all(peer);
}

static bool
peer_step(struct sim_actor *actor)
{
	struct sim_peer *peer = (struct sim_peer *)(void *)actor;
	bool read = sim_chance(2);

	if (peer->done)
		return false;
	if (peer->conn == NULL)
		return begin_session(peer);
	if (sim_chance(sim_plan.pause)) {
		pause_a_while(peer);
		return false;
	}
	if (has_all(peer) && sim_chance(peer->kind->stays)) {
		end_session(peer);
		return true;
	}
	if (read && read_some(peer))
		return true;
	if (peer->conn != NULL && write_some(peer))
		return true;
	if (!read && peer->conn != NULL && read_some(peer))
		return true;
	/* It stays for what others may send to it, and then goes. */
	if (peer->conn != NULL && has_all(peer))
		pause_a_while(peer);
	return false;
}

void
sim_peer_start(
    struct sim_peer *peer, uint32_t number, const struct sim_peer_kind *kind)
{
	peer->kind = kind;
	peer->number = number;
	peer->sessions = sim_plan.sessions;
	sim_actor_add(&peer->actor, peer_step);
	sim_actor_sleep(&peer->actor, sim_below(PAUSE_NS));
}
