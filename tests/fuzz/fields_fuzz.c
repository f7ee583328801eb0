/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Any bytes as a date, as what a client accepts, as conditions and a range,
 * and as the identity of a trace.
 *
 * A date that is read is written as one that reads the same. A weight lies
 * within its bounds, and looking again changes nothing. A range is a part of
 * what there is, and is not empty. A trace that is passed on is a trace.
 */

#include "framework/http_date.h"
#include "framework/negotiate.h"
#include "framework/precondition.h"
#include "framework/traceparent.h"

#include "tests/fuzz/fuzz.h"
#include "tests/http_check.h"

#define NOW INT64_C(1000000000)

static void
date(const char *text, size_t size)
{
	char out[SP_HTTP_DATE];
	int64_t time = 7, again = 8;

	if (sp_http_date_parse(text, size, NOW, &time) != 0) {
		FUZZ_CLAIM(time == 7);
		return;
	}
	FUZZ_CLAIM(time >= SP_HTTP_DATE_MIN && time <= SP_HTTP_DATE_MAX + 1);
	if (time > SP_HTTP_DATE_MAX)
		return; /* the leap second after the last there is */
	sp_http_date_format(out, time);
	FUZZ_CLAIM(sp_http_date_parse(out, sizeof(out), NOW, &again) == 0);
	FUZZ_CLAIM(again == time);
}

static void
accepts(const char *text, size_t size)
{
	static const char *const media[] = { "text/html", "image/png" };
	static const char *const codings[] = { "gzip", "*" };
	struct sp_quality best[2], again;

	for (size_t i = 0; i < 2; i++) {
		memset(best, 0, sizeof(best));
		sp_accept_media(text, size, media[i], &best[0]);
		sp_accept_coding(text, size, codings[i], &best[1]);
		for (size_t j = 0; j < 2; j++) {
			FUZZ_CLAIM(best[j].quality <= SP_QUALITY_MAX);
			FUZZ_CLAIM(best[j].rank != 0 || best[j].quality == 0);
		}
		again = best[0];
		sp_accept_media(text, size, media[i], &again);
		FUZZ_CLAIM(memcmp(&again, &best[0], sizeof(again)) == 0);
		again = best[1];
		sp_accept_coding(text, size, codings[i], &again);
		FUZZ_CLAIM(memcmp(&again, &best[1], sizeof(again)) == 0);
	}
}

/* What is asked of something of this size, if the head is one. */
static void
ask(const struct sp_http_head *head, const char *base, uint64_t size)
{
	static const struct sp_validator there
	    = { .etag = "\"abc\"", .modified = 784111777, .now = NOW };
	struct sp_range range = { 0, 0 };
	int status = sp_precondition(head, base, &there);

	FUZZ_CLAIM(status == 200 || status == 304 || status == 412);
	FUZZ_CLAIM(status != 304 || head->method == SP_HTTP_GET
		   || head->method == SP_HTTP_HEAD);
	status = sp_range(head, base, &there, size, &range);
	FUZZ_CLAIM(status == 200 || status == 206 || status == 416);
	FUZZ_CLAIM(status == 200 || head->method == SP_HTTP_GET);
	if (status != 206)
		return;
	FUZZ_CLAIM(range.size != 0 && range.first < size);
	FUZZ_CLAIM(range.size <= size - range.first);
}

/* The bytes are the fields of a request, from its second on. */
static void
conditions(const char *text, size_t size)
{
	static const char *const lines[] = {
		"GET / HTTP/1.1\r\nHost: a\r\n",
		"PUT / HTTP/1.1\r\nHost: a\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=",
		"HEAD / HTTP/1.1\r\nHost: a\r\nIf-None-Match: ",
		"GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=1-2\r\nIf-Range: ",
	};
	const struct sp_http_limits limits = SP_HTTP_LIMITS_DEFAULT;
	struct sp_http_head head;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		size_t before = strlen(lines[i]), all = before + size + 4;
		char *whole = malloc(all), *base;

		FUZZ_CLAIM(whole != NULL);
		memcpy(whole, lines[i], before);
		memcpy(whole + before, text, size);
		memcpy(whole + before + size, "\r\n\r\n", 4);
		base = http_padded(whole, all, all, 0);
		if (sp_http_head_parse(&head, base, all, &limits, NULL) > 0) {
			ask(&head, base, 0);
			ask(&head, base, 1);
			ask(&head, base, 1000);
			ask(&head, base, UINT64_MAX);
		}
		free(base);
		free(whole);
	}
}

static void
trace(const char *text, size_t size)
{
	struct spate_trace given, passed;
	struct sp_text out;
	char room[128];

	if (sp_traceparent_parse(&given, text, size) != 0)
		return;
	sp_text_init(&out, room, sizeof(room));
	sp_traceparent_put(&out, &given, 0xfeedULL);
	FUZZ_CLAIM(!out.overflow);
	FUZZ_CLAIM(sp_traceparent_parse(&passed, room, out.size) == 0);
	FUZZ_CLAIM(strcmp(given.trace_id, passed.trace_id) == 0);
	FUZZ_CLAIM(strcmp(passed.parent_id, "000000000000feed") == 0);
	FUZZ_CLAIM(given.sampled == passed.sampled);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	date(text, size);
	accepts(text, size);
	conditions(text, size);
	trace(text, size);
	return 0;
}
