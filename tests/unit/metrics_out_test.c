/* SPDX-License-Identifier: BSD-2-Clause */

/* Prometheus' text, row by row. */

#include "framework/metrics_out.h"
#include "shards/clock.h"
#include "tests/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char memory[16384];
static struct sp_text text;
static struct sp_metrics metrics;
static const struct sp_label none[SP_METRIC_LABELS];

static void
begin(void)
{
	sp_text_init(&text, memory, sizeof(memory) - 1);
	metrics.text = &text;
	sp_clock_init();
	sp_metrics_family(&metrics, "a_thing", "gauge", "Things.");
	text.size = 0;
}

static bool
is(const char *expected)
{
	text.data[text.size] = '\0';
	if (strcmp(text.data, expected) == 0)
		return true;
	fprintf(stderr, "%s", text.data);
	return false;
}

TEST(a_family_has_its_help_and_its_type)
{
	begin();
	sp_metrics_family(&metrics, "a_total", "counter", "How many.");
	EXPECT(is("# HELP a_total How many.\n# TYPE a_total counter\n"));
}

TEST(a_row_has_its_labels)
{
	const struct sp_label labels[SP_METRIC_LABELS] = { { "shard", "0" },
		{ "code", "2xx" } };

	begin();
	sp_metrics_u64(&metrics, none, 7);
	sp_metrics_u64(&metrics, labels, UINT64_MAX);
	EXPECT(is("a_thing 7\n"
		  "a_thing{shard=\"0\",code=\"2xx\"} "
		  "18446744073709551615\n"));
}

TEST(a_summary_is_how_many_and_how_long)
{
	begin();
	sp_metrics_summary(&metrics, none, 3, 1500000000);
	EXPECT(is("a_thing_sum 1.500000000\na_thing_count 3\n"));
}

TEST(a_label_may_hold_anything)
{
	const struct sp_label labels[SP_METRIC_LABELS] = { { "route",
	    "/\"a\\\n" } };

	begin();
	sp_metrics_u64(&metrics, labels, 1);
	EXPECT(is("a_thing{route=\"/\\\"a\\\\\\n\"} 1\n"));
}

/* A scraper throws away all of it for one byte that is no UTF-8. */
TEST(a_label_is_utf_8_whatever_its_bytes)
{
	const struct sp_label labels[SP_METRIC_LABELS] = { { "route",
	    "/caf\xe9/caf\xc3\xa9" } };

	begin();
	sp_metrics_u64(&metrics, labels, 1);
	EXPECT(is("a_thing{route=\"/caf\xef\xbf\xbd/caf\xc3\xa9\"} 1\n"));
}

TEST(seconds_have_all_their_digits)
{
	begin();
	sp_metrics_ns(&metrics, none, 0);
	sp_metrics_ns(&metrics, none, 1000000001);
	sp_metrics_ms(&metrics, none, 12045);
	EXPECT(is("a_thing 0.000000000\na_thing 1.000000001\n"
		  "a_thing 12.045\n"));
}

/* The number in a row that begins so. */
static uint64_t
value_of(const char *row)
{
	const char *at;

	text.data[text.size] = '\0';
	at = strstr(text.data, row);
	EXPECT(at != NULL);
	return at != NULL ? strtoull(at + strlen(row), NULL, 10) : 0;
}

TEST(buckets_are_cumulative_and_end_with_all)
{
	static struct sp_histogram histogram;
	static struct sp_histogram_sum sum;
	const uint64_t ms[] = { 3, 30, 300, 3000, 30000 };

	begin();
	for (int i = 0; i < 5; i++)
		sp_histogram_record(
		    &histogram, sp_ns_to_cycles(ms[i] * SP_NS_PER_MS), 2);
	sp_histogram_add(&sum, &histogram);
	sp_metrics_histogram(
	    &metrics, none, &sum, sp_ns_to_cycles(SP_NS_PER_S));
	EXPECT_EQ(value_of("a_thing_bucket{le=\"0.001\"} "), 0);
	EXPECT_EQ(value_of("a_thing_bucket{le=\"0.005\"} "), 2);
	EXPECT_EQ(value_of("a_thing_bucket{le=\"0.05\"} "), 4);
	EXPECT_EQ(value_of("a_thing_bucket{le=\"0.5\"} "), 6);
	EXPECT_EQ(value_of("a_thing_bucket{le=\"5\"} "), 8);
	EXPECT_EQ(value_of("a_thing_bucket{le=\"10\"} "), 8);
	EXPECT_EQ(value_of("a_thing_bucket{le=\"+Inf\"} "), 10);
	EXPECT_EQ(value_of("a_thing_count "), 10);
	EXPECT(value_of("a_thing_sum ") <= 1);
}
