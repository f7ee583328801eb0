/* SPDX-License-Identifier: BSD-2-Clause */
"use strict";

/*
 * Numbers out of two answers of /stats, and as people read them. Pure code:
 * tests/browser/figures_test.mjs runs it without a page.
 */

const WINDOW_NS = 2e9;

/* What has come to a histogram between two answers: [[UPPER_NS, COUNT]]. */
function bucketsBetween(before, after) {
	const had = new Map(before ? before.buckets : []);

	return after.buckets
	    .map(([upper, count]) => [upper, count - (had.get(upper) || 0)])
	    .filter(([, count]) => count > 0);
}

function mergeBuckets(lists) {
	const sums = new Map();

	for (const list of lists)
		for (const [upper, count] of list)
			sums.set(upper, (sums.get(upper) || 0) + count);
	return [...sums].sort((a, b) => a[0] - b[0]);
}

/* The bound below which that part of them is; null if there are none. */
function quantile(buckets, part) {
	const total = buckets.reduce((sum, [, count]) => sum + count, 0);
	let left = Math.ceil(total * part);

	for (const [upper, count] of buckets) {
		left -= count;
		if (left <= 0)
			return upper;
	}
	return null;
}

/* How much a counter has grown in a second. */
function perSecond(before, after, seconds) {
	return seconds > 0 ? Math.max(0, after - before) / seconds : 0;
}

function sum(list, value) {
	return list.reduce((total, item) => total + value(item), 0);
}

/*
 * The answer to compare with: the youngest that is a window older than the
 * last, or the oldest. History of another process is of no use.
 */
function baseOf(history) {
	const last = history[history.length - 1];
	let base = history[0];

	for (const old of history)
		if (old.time_ns <= last.time_ns - WINDOW_NS)
			base = old;
	return base;
}

function isAnotherProcess(before, after) {
	return before.process.pid !== after.process.pid
	       || before.time_ns > after.time_ns
	       || before.shards.length !== after.shards.length
	       || before.routes.length !== after.routes.length;
}

/* ------------------------------------------------------------------ shards */

function shardFigures(before, after, seconds) {
	const rate = (key) => perSecond(before[key], after[key], seconds);
	const wakes = {};

	for (const reason of Object.keys(after.wakes))
		wakes[reason] = perSecond(
		    before.wakes[reason], after.wakes[reason], seconds);
	return {
		id: after.id,
		cpu: after.cpu,
		workers: after.workers,
		connections: after.connections,
		depth: after.ring_depth,
		busy: rate("busy_ns") / 1e9,
		requests: rate("requests"),
		stolen: rate("stolen"),
		breaks: rate("breaks_sent"),
		p99: quantile(
		    bucketsBetween(before.latency, after.latency), 0.99),
		wakes,
	};
}

/* ------------------------------------------------------------------ routes */

function routeFigures(before, after, seconds) {
	const buckets = bucketsBetween(before.latency, after.latency);
	const count = sum(buckets, ([, n]) => n);
	const phases = {};

	for (const [name, ns] of Object.entries(after.phases_ns))
		phases[name] = Math.max(0, ns - before.phases_ns[name]);
	return {
		route: after.route,
		methods: after.methods,
		total: after.requests,
		requests: perSecond(before.requests, after.requests, seconds),
		p50: quantile(buckets, 0.5),
		p99: quantile(buckets, 0.99),
		mean: count > 0 ? sum(Object.values(phases), (ns) => ns) / count
				: null,
		phases,
	};
}

/* ------------------------------------------------------------------- pools */

/* Threads for what blocks; the wait is the mean of what has begun between. */
function poolFigures(before, after, seconds) {
	const begun = after.begun - before.begun;

	return {
		threads: after.threads,
		queued: after.queued,
		begun: perSecond(before.begun, after.begun, seconds),
		refused: after.refused,
		wait: begun > 0
		    ? 1000 * Math.max(0, after.wait_us - before.wait_us) / begun
		    : null,
	};
}

/* ------------------------------------------------------------------- whole */

/* Clients that left are none: whoever closes a page of streams does so. */
function errorsOf(answer) {
	return sum(answer.shards, (shard) => shard.responses["5xx"]
	    + shard.parse_errors + shard.accept_errors);
}

/* All that the page shows of two answers. */
function figuresOf(before, after) {
	const seconds = (after.time_ns - before.time_ns) / 1e9;
	const buckets = mergeBuckets(after.shards.map((shard, i) =>
	    bucketsBetween(before.shards[i].latency, shard.latency)));

	return {
		seconds,
		shards: after.shards.map((shard, i) =>
		    shardFigures(before.shards[i], shard, seconds)),
		routes: after.routes.map((route, i) =>
		    routeFigures(before.routes[i], route, seconds)),
		pools: ["offload", "blocking"].map((name) => ({ name,
			...poolFigures(before[name], after[name], seconds) })),
		requests: sum(after.shards, (shard) => shard.requests),
		connections: sum(after.shards, (shard) => shard.connections),
		errors: errorsOf(after),
		errorRate: perSecond(errorsOf(before), errorsOf(after),
		    seconds),
		cpu: perSecond(before.process.cpu_ns, after.process.cpu_ns,
		    seconds) / 1e9,
		p50: quantile(buckets, 0.5),
		p99: quantile(buckets, 0.99),
		p999: quantile(buckets, 0.999),
	};
}

/* ---------------------------------------------------------- as people read */

const NONE = "\u2013";

/* Three digits that count, and a unit of which that many are left. */
function inUnits(value, step, units) {
	let i = 0;

	while (value >= step && i + 1 < units.length) {
		value /= step;
		i++;
	}
	if (value >= 999.5 && step === 1000 && i + 1 < units.length) {
		value /= step;
		i++;
	}
	const digits = i === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
	return value.toFixed(digits) + "\u00a0" + units[i];
}

function inTime(ns) {
	return ns === null ? NONE : inUnits(ns, 1000, ["ns", "\u00b5s", "ms",
		"s"]);
}

function inBytes(bytes) {
	return inUnits(bytes, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]);
}

const grouped = new Intl.NumberFormat("en-GB", {
	maximumFractionDigits: 0 });

/* Below ten a rate has a digit more: one a second is not nothing. */
function inCount(value) {
	if (value > 0 && value < 9.95)
		return value.toFixed(1);
	return grouped.format(value);
}

function inPercent(part) {
	return Math.round(part * 100) + "\u00a0%";
}

function inDuration(seconds) {
	const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
	const first = parts.findIndex(([size]) => seconds >= size);

	if (first < 0)
		return "0\u00a0s";
	return parts.slice(first, first + 2).map(([size, unit], i) =>
	    Math.floor((i ? seconds % parts[first][0] : seconds) / size)
	    + "\u00a0" + unit).join(" ");
}
