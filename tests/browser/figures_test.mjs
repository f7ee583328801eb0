/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The page's arithmetic, without a page.
 *
 *     node figures_test.mjs FIGURES_JS
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createContext, runInContext } from "node:vm";

const page = createContext({});

runInContext(readFileSync(process.argv[2], "utf8"), page);

/* What comes from there has prototypes of its own. */
const plain = (value) => JSON.parse(JSON.stringify(value));

test("what has come between is the difference of buckets", () => {
	const before = { buckets: [[10, 4], [20, 1]] };
	const now = { buckets: [[10, 4], [20, 3], [30, 5]] };

	assert.deepEqual(plain(page.bucketsBetween(before, now)),
	    [[20, 2], [30, 5]]);
	assert.deepEqual(plain(page.bucketsBetween(null, before)),
	    before.buckets);
});

test("buckets of shards add up in order", () => {
	assert.deepEqual(plain(page.mergeBuckets(
	    [[[30, 1]], [[10, 2], [30, 3]]])), [[10, 2], [30, 4]]);
});

test("a quantile is the bound that this part is below", () => {
	const buckets = [[10, 98], [20, 1], [1000, 1]];

	assert.equal(page.quantile(buckets, 0.5), 10);
	assert.equal(page.quantile(buckets, 0.99), 20);
	assert.equal(page.quantile(buckets, 0.999), 1000);
	assert.equal(page.quantile([], 0.5), null);
	assert.equal(page.quantile([[7, 1]], 0.001), 7);
});

test("rates are never negative, and none without time", () => {
	assert.equal(page.perSecond(10, 30, 2), 10);
	assert.equal(page.perSecond(30, 10, 2), 0);
	assert.equal(page.perSecond(0, 10, 0), 0);
});

test("a wait for a thread is the mean of what has begun between", () => {
	const before = { threads: 1, queued: 0, begun: 10, refused: 0,
		wait_us: 100 };
	const now = { threads: 4, queued: 9, begun: 30, refused: 2,
		wait_us: 4100 };

	assert.deepEqual(plain(page.poolFigures(before, now, 2)), { threads: 4,
		queued: 9, begun: 10, refused: 2, wait: 200000 });
	assert.equal(page.poolFigures(now, now, 2).wait, null);
});

test("compared is with what is two seconds older, or the oldest", () => {
	const at = (s) => ({ time_ns: s * 1e9 });

	assert.equal(page.baseOf([at(0), at(1), at(1.5), at(3)]).time_ns, 1e9);
	assert.equal(page.baseOf([at(2), at(3)]).time_ns, 2e9);
	assert.equal(page.baseOf([at(3)]).time_ns, 3e9);
});

test("numbers keep three digits that count", () => {
	const nb = (text) => text.replace("_", "\u00a0");

	for (const [ns, text] of [[0, "0_ns"], [999, "999_ns"],
		[1000, "1.00_\u00b5s"], [9994, "9.99_\u00b5s"],
		[9996, "10.0_\u00b5s"], [99960, "100_\u00b5s"],
		[999600, "1.00_ms"], [41234567, "41.2_ms"],
		[2e9, "2.00_s"], [7.2e12, "7200_s"]])
		assert.equal(page.inTime(ns), nb(text));
	assert.equal(page.inTime(null), "\u2013");
	assert.equal(page.inBytes(1023), nb("1023_B"));
	assert.equal(page.inBytes(1536), nb("1.50_KiB"));
	assert.equal(page.inCount(0), "0");
	assert.equal(page.inCount(1.54), "1.5");
	assert.equal(page.inCount(9.96), "10");
	assert.equal(page.inCount(1234567), "1,234,567");
});

test("how long it is up has two units at most", () => {
	for (const [seconds, text] of [[0, "0 s"], [59, "59 s"],
		[61, "1 min 1 s"], [3725, "1 h 2 min"],
		[90061, "1 d 1 h"]])
		assert.equal(page.inDuration(seconds).replaceAll("\u00a0", " "),
		    text);
});
