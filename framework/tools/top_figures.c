/* SPDX-License-Identifier: BSD-2-Clause */

#include "framework/tools/top.h"

#include <stdlib.h>
#include <string.h>

/* One bound and how many, of an answer or of the difference of two. */
struct bucket {
	uint64_t upper, count;
};

struct buckets {
	struct bucket *at;
	size_t count, capacity;
};

static uint64_t
number(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value > 0 ? (uint64_t)value : 0;
}

/*
 * What the server calls things. It may be anybody's, and what it says must
 * not be taken for commands by the terminal.
 */
static void
take_name(char name[SP_TOP_NAME], const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	size_t n = 0;

	for (; text != NULL && text[n] != '\0' && n + 1 < SP_TOP_NAME; n++) {
		name[n] = text[n];
		if (name[n] < 0x20 || name[n] > 0x7e)
			name[n] = '?';
	}
	name[n] = '\0';
}

/* How much a counter has grown. */
static uint64_t
grown(const json_t *before, const json_t *now, const char *key)
{
	uint64_t old = number(before, key), value = number(now, key);

	return value > old ? value - old : 0;
}

/* ------------------------------------------------------------- histograms */

static bool
add(struct buckets *sum, uint64_t upper, uint64_t count)
{
	size_t i = 0;

	while (i < sum->count && sum->at[i].upper < upper)
		i++;
	if (i < sum->count && sum->at[i].upper == upper) {
		sum->at[i].count += count;
		return true;
	}
	if (sum->count == sum->capacity) {
		size_t capacity = sum->capacity * 2 + 64;
		void *more = realloc(sum->at, capacity * sizeof(*sum->at));

		if (more == NULL)
			return false;
		sum->at = more;
		sum->capacity = capacity;
	}
	memmove(&sum->at[i + 1], &sum->at[i],
	    (sum->count++ - i) * sizeof(*sum->at));
	sum->at[i] = (struct bucket){ upper, count };
	return true;
}

static struct bucket
bucket_at(const json_t *list, size_t i)
{
	const json_t *pair = json_array_get(list, i);
	json_int_t upper = json_integer_value(json_array_get(pair, 0));
	json_int_t count = json_integer_value(json_array_get(pair, 1));

	return (struct bucket){ upper > 0 ? (uint64_t)upper : 0,
		count > 0 ? (uint64_t)count : 0 };
}

/* Add what has come to the histogram of one object between two answers. */
static bool
add_between(struct buckets *sum, const json_t *before, const json_t *now)
{
	const json_t *old = json_object_get(
	    json_object_get(before, "latency"), "buckets");
	const json_t *list = json_object_get(
	    json_object_get(now, "latency"), "buckets");
	size_t j = 0;

	for (size_t i = 0; i < json_array_size(list); i++) {
		struct bucket bucket = bucket_at(list, i);

		while (j < json_array_size(old)
		       && bucket_at(old, j).upper < bucket.upper)
			j++;
		if (j < json_array_size(old)
		    && bucket_at(old, j).upper == bucket.upper) {
			uint64_t had = bucket_at(old, j).count;

			bucket.count -= had < bucket.count ? had : bucket.count;
		}
		if (bucket.count != 0 && !add(sum, bucket.upper, bucket.count))
			return false;
	}
	return true;
}

static uint64_t
count_of(const struct buckets *sum)
{
	uint64_t count = 0;

	for (size_t i = 0; i < sum->count; i++)
		count += sum->at[i].count;
	return count;
}

/* The bound below which so many thousandths are. */
static uint64_t
quantile(const struct buckets *sum, unsigned thousandths)
{
	uint64_t left = (count_of(sum) * thousandths + 999) / 1000;

	for (size_t i = 0; i < sum->count; i++) {
		if (left <= sum->at[i].count)
			return sum->at[i].upper;
		left -= sum->at[i].count;
	}
	return SP_TOP_NO_TIME;
}

/* ------------------------------------------------------------------ parts */

static bool
shard_figures(struct sp_top_shard *shard, const json_t *before,
    const json_t *now, double seconds)
{
	static const char *const reasons[SP_TOP_WAKES] = { "io", "break",
		"timer", "spurious" };
	struct buckets between = { NULL, 0, 0 };
	bool ok = add_between(&between, before, now);

	shard->id = number(now, "id");
	shard->cpu = number(now, "cpu");
	shard->workers = number(now, "workers");
	shard->connections = number(now, "connections");
	shard->depth = number(now, "ring_depth");
	shard->memory = number(now, "memory_bytes");
	shard->p99_ns = quantile(&between, 990);
	shard->busy = (double)grown(before, now, "busy_ns") / 1e9 / seconds;
	shard->requests = (double)grown(before, now, "requests") / seconds;
	shard->stolen = (double)grown(before, now, "stolen") / seconds;
	shard->breaks = (double)grown(before, now, "breaks_sent") / seconds;
	for (int i = 0; i < SP_TOP_WAKES; i++)
		shard->wakes[i] = (double)grown(
				      json_object_get(before, "wakes"),
				      json_object_get(now, "wakes"), reasons[i])
				  / seconds;
	free(between.at);
	return ok;
}

static bool
route_figures(struct sp_top_route *route, const json_t *before,
    const json_t *now, double seconds)
{
	static const char *const phases[SP_TOP_PHASES] = { "queue", "run",
		"parked", "blocked" };
	struct buckets between = { NULL, 0, 0 };
	bool ok = add_between(&between, before, now);
	uint64_t ns[SP_TOP_PHASES], all = 0, ended = count_of(&between);

	take_name(route->name, now, "route");
	take_name(route->methods, now, "methods");
	route->total = number(now, "requests");
	route->requests = (double)grown(before, now, "requests") / seconds;
	route->p50_ns = quantile(&between, 500);
	route->p99_ns = quantile(&between, 990);
	for (int i = 0; i < SP_TOP_PHASES; i++) {
		ns[i] = grown(json_object_get(before, "phases_ns"),
		    json_object_get(now, "phases_ns"), phases[i]);
		all += ns[i];
	}
	for (int i = 0; i < SP_TOP_PHASES; i++)
		route->part[i] = all != 0 ? (double)ns[i] / (double)all : 0;
	route->mean_ns = ended != 0 ? all / ended : SP_TOP_NO_TIME;
	free(between.at);
	return ok;
}

static void
pool_figures(struct sp_top_pool *pool, const json_t *before, const json_t *now,
    double seconds)
{
	uint64_t begun = grown(before, now, "begun");

	pool->threads = number(now, "threads");
	pool->queued = number(now, "queued");
	pool->total_refused = number(now, "refused");
	pool->begun = (double)begun / seconds;
	pool->refused = (double)grown(before, now, "refused") / seconds;
	pool->wait_ns = begun != 0
			    ? grown(before, now, "wait_us") * 1000 / begun
			    : SP_TOP_NO_TIME;
}

/* ------------------------------------------------------------------ whole */

static uint64_t
errors_of(const json_t *shard)
{
	return number(json_object_get(shard, "responses"), "5xx")
	       + number(shard, "parse_errors") + number(shard, "accept_errors");
}

static bool
shards_of(
    struct sp_top_figures *figures, const json_t *before, const json_t *now)
{
	const json_t *list = json_object_get(now, "shards");
	struct buckets between = { NULL, 0, 0 };
	uint64_t errors = 0;
	bool ok = true;

	figures->shard_count = json_array_size(list);
	figures->shards = calloc(
	    figures->shard_count + 1, sizeof(*figures->shards));
	if (figures->shards == NULL)
		return false;
	for (size_t i = 0; i < figures->shard_count && ok; i++) {
		const json_t *old = json_array_get(
				 json_object_get(before, "shards"), i),
			     *shard = json_array_get(list, i);
		uint64_t had = errors_of(old), have = errors_of(shard);

		ok = shard_figures(
			 &figures->shards[i], old, shard, figures->seconds)
		     && add_between(&between, old, shard);
		figures->requests += figures->shards[i].requests;
		figures->connections += figures->shards[i].connections;
		figures->total += number(shard, "requests");
		errors += have > had ? have - had : 0;
	}
	figures->errors = (double)errors / figures->seconds;
	figures->p50_ns = quantile(&between, 500);
	figures->p99_ns = quantile(&between, 990);
	figures->p999_ns = quantile(&between, 999);
	free(between.at);
	return ok;
}

static bool
routes_of(
    struct sp_top_figures *figures, const json_t *before, const json_t *now)
{
	const json_t *list = json_object_get(now, "routes");
	size_t count = json_array_size(list);
	bool ok = true;

	figures->routes = calloc(count + 1, sizeof(*figures->routes));
	if (figures->routes == NULL)
		return false;
	for (size_t i = 0; i < count && ok; i++) {
		struct sp_top_route *route =
		    &figures->routes[figures->route_count];
		const json_t *one = json_array_get(list, i);

		if (number(one, "requests") == 0)
			continue;
		ok = route_figures(route,
		    json_array_get(json_object_get(before, "routes"), i), one,
		    figures->seconds);
		route->number = i;
		figures->route_count++;
	}
	return ok;
}

static void
pools_of(
    struct sp_top_figures *figures, const json_t *before, const json_t *now)
{
	static const char *const names[SP_TOP_POOLS] = { "offload",
		"blocking" };

	for (int i = 0; i < SP_TOP_POOLS; i++) {
		figures->pools[i].name = names[i];
		pool_figures(&figures->pools[i],
		    json_object_get(before, names[i]),
		    json_object_get(now, names[i]), figures->seconds);
	}
}

bool
sp_top_figures(
    struct sp_top_figures *figures, const json_t *before, const json_t *now)
{
	const json_t *process = json_object_get(now, "process");
	uint64_t ns = grown(before, now, "time_ns");

	memset(figures, 0, sizeof(*figures));
	/* Nothing has grown in no time, so what it is divided by is open. */
	figures->seconds = ns != 0 ? (double)ns / 1e9 : 1;
	take_name(figures->version, now, "version");
	take_name(figures->state, now, "state");
	figures->uptime_s = number(now, "uptime_seconds");
	figures->pid = number(process, "pid");
	figures->resident = number(process, "resident_bytes");
	figures->descriptors = number(process, "descriptors");
	figures->cpu = (double)grown(json_object_get(before, "process"),
			   process, "cpu_ns")
		       / 1e9 / figures->seconds;
	pools_of(figures, before, now);
	if (shards_of(figures, before, now) && routes_of(figures, before, now))
		return true;
	sp_top_figures_free(figures);
	return false;
}

void
sp_top_figures_free(struct sp_top_figures *figures)
{
	free(figures->shards);
	free(figures->routes);
}

bool
sp_top_same_process(const json_t *before, const json_t *now)
{
	return number(json_object_get(before, "process"), "pid")
		   == number(json_object_get(now, "process"), "pid")
	       && number(before, "time_ns") < number(now, "time_ns")
	       && json_array_size(json_object_get(before, "shards"))
		      == json_array_size(json_object_get(now, "shards"))
	       && json_array_size(json_object_get(before, "routes"))
		      == json_array_size(json_object_get(now, "routes"));
}
