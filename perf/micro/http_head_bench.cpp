/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * A request head: each build of the parser, and llhttp, over the request of
 * the load tests (185 bytes) and over that of a browser (about 500).
 *
 * llhttp gets what it needs to be of the same use: a callback for the target
 * and each name and value, which notes where it is. It comes in one piece.
 */

extern "C" {
#include "framework/http_head.h"
}

#include "perf/micro/counted.hpp"
#include "tests/http_requests.h"

#include <cstring>
#include <string>
#ifdef SPATE_LLHTTP
#include <llhttp.h>
#endif

static const char *const requests[] = { HTTP_REQUEST_LOAD,
	HTTP_REQUEST_BROWSER };

static void
spate_head(benchmark::State &state, enum sp_http_scan scan)
{
	const struct sp_http_limits limits = { 16384, 100, 8192 };
	static struct sp_http_head head;
	static char buf[4096];
	const char *request = requests[state.range(0)];
	size_t size = strlen(request);

	memcpy(buf, request, size);
	for (auto _ : state) {
		benchmark::ClobberMemory();
		if (sp_http_head_parse_by(
			scan, &head, buf, size, &limits, nullptr)
		    != (int)size) {
			state.SkipWithError("refused");
			return;
		}
	}
	state.counters["bytes"] = (double)size;
	state.SetBytesProcessed((int64_t)(state.iterations() * size));
}

/* The builds that this CPU can run, and "best": the one that is used. */
static int
register_builds()
{
	int best = 0;

	for (int scan = 0; scan < SP_HTTP_SCANS; scan++) {
		enum sp_http_scan build = (enum sp_http_scan)scan;

		if (!sp_http_scan_available(build))
			continue;
		std::string name = "http_head_";
		benchmark::RegisterBenchmark(
		    (name + sp_http_scan_name(build)).c_str(), spate_head,
		    build)
		    ->DenseRange(0, 1)
		    ->Apply(counted);
		best = scan;
	}
	benchmark::RegisterBenchmark(
	    "http_head_best", spate_head, (enum sp_http_scan)best)
	    ->DenseRange(0, 1)
	    ->Apply(counted);
	return best;
}
static const int registered __attribute__((unused)) = register_builds();

#ifdef SPATE_LLHTTP

struct spans {
	unsigned count;
	bool done;
	struct {
		const char *at;
		size_t size;
	} span[256];
};

static int
on_span(llhttp_t *parser, const char *at, size_t size)
{
	struct spans *spans = (struct spans *)parser->data;

	spans->span[spans->count].at = at;
	spans->span[spans->count++].size = size;
	return 0;
}

static int
on_done(llhttp_t *parser)
{
	((struct spans *)parser->data)->done = true;
	return 0;
}

static void
http_head_llhttp(benchmark::State &state)
{
	static struct spans spans;
	static char buf[4096];
	const char *request = requests[state.range(0)];
	size_t size = strlen(request);
	llhttp_settings_t settings;
	llhttp_t parser;

	memcpy(buf, request, size);
	llhttp_settings_init(&settings);
	settings.on_url = on_span;
	settings.on_header_field = on_span;
	settings.on_header_value = on_span;
	settings.on_message_complete = on_done;
	llhttp_init(&parser, HTTP_REQUEST, &settings);
	parser.data = &spans;
	for (auto _ : state) {
		benchmark::ClobberMemory();
		spans.count = 0;
		spans.done = false;
		if (llhttp_execute(&parser, buf, size) != HPE_OK
		    || !spans.done) {
			state.SkipWithError("refused");
			return;
		}
	}
	state.counters["bytes"] = (double)size;
	state.SetBytesProcessed((int64_t)(state.iterations() * size));
}
BENCHMARK(http_head_llhttp)->DenseRange(0, 1)->Apply(counted);

#endif
