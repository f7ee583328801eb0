/* SPDX-License-Identifier: BSD-2-Clause */

/* GET /debug/latency: what /stats has of times, as a table for people. */

#include "framework/debug.h"

#include "framework/request.h"
#include "framework/stats.h"
#include "framework/text.h"
#include "framework/view.h"

#include <stdio.h>
#include <stdlib.h>

#define COLUMN 12

/* In thousandths. */
static const unsigned quantiles[] = { 500, 900, 990, 999, 1000 };
#define QUANTILES (sizeof(quantiles) / sizeof(*quantiles))

/* Microseconds, to the tenth. */
static void
put_time(struct sp_text *text, uint64_t cycles)
{
	uint64_t tenths = sp_cycles_to_ns(cycles) / 100;
	char cell[COLUMN + 32];

	snprintf(cell, sizeof(cell), "%*llu.%llu", COLUMN - 2,
	    (unsigned long long)(tenths / 10),
	    (unsigned long long)(tenths % 10));
	sp_text_string(text, cell);
}

static void
put_row(struct sp_text *text, const struct sp_histogram_sum *sum,
    uint64_t cycles, const char *what, uint64_t number, const char *phase)
{
	char cell[COLUMN + 32];

	snprintf(cell, sizeof(cell), "%*llu", COLUMN,
	    (unsigned long long)sum->count);
	sp_text_string(text, cell);
	put_time(text, sum->count != 0 ? cycles / sum->count : 0);
	for (size_t i = 0; i < QUANTILES; i++)
		put_time(text, sp_histogram_quantile(sum, quantiles[i]));
	sp_text_string(text, "  ");
	sp_text_string(text, what);
	if (number != UINT64_MAX) {
		sp_text_char(text, ' ');
		sp_text_u64(text, number);
	}
	if (*phase != '\0')
		sp_text_char(text, ' ');
	sp_text_string(text, phase);
	sp_text_char(text, '\n');
}

static void
put_shards(struct sp_text *text, struct sp_engine *engine)
{
	struct sp_shard_view *view = malloc(sizeof(*view));

	for (uint32_t i = 0; view != NULL && i < engine->shard_count; i++) {
		uint64_t cycles = 0;

		sp_view_shard(view, engine->shards[i]);
		for (int j = 0; j < SP_PHASES; j++)
			cycles += view->phase[j];
		put_row(text, &view->latency, cycles, "shard", i, "");
		for (int j = 0; j < SP_PHASES; j++)
			put_row(text, &view->phases[j], view->phase[j], "shard",
			    i, sp_phase_names[j]);
		sp_render_pause();
	}
	text->overflow |= view == NULL;
	free(view);
}

static void
put_routes(struct sp_text *text, struct spate_server *server)
{
	struct sp_route_sum *memory = malloc(sizeof(*memory));
	uint32_t count = memory != NULL ? sp_server_counted(server) : 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct sp_route_sum *sum = sp_view_route(
		    memory, server->engine, i);
		uint64_t cycles = 0;

		for (int j = 0; j < SP_PHASES; j++)
			cycles += sum->phase[j];
		if (sum->latency.count != 0)
			put_row(text, &sum->latency, cycles,
			    sp_view_pattern(server, i), UINT64_MAX, "");
		sp_render_pause();
	}
	text->overflow |= memory == NULL;
	free(memory);
}

static void
render(struct sp_text *text, struct spate_server *server, void *arg)
{
	(void)arg;
	if (!server->options.record_times) {
		sp_text_string(text, "record_times is off\n");
		return;
	}
	sp_text_string(text,
	    "# since the start, in microseconds; quantiles to 7 %\n"
	    "#      count        mean         p50         p90         p99"
	    "       p99.9         max  of\n");
	put_shards(text, server->engine);
	put_routes(text, server);
}

int
sp_debug_latency_handler(struct spate_req *req, void *arg)
{
	(void)arg;
	return sp_render_answer(req, "text/plain; charset=utf-8", render, NULL);
}
