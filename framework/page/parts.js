/* SPDX-License-Identifier: BSD-2-Clause */
"use strict";

/*
 * The parts of the page that are made of figures. Whatever comes from the
 * server gets in by textContent, so it is text whatever it says.
 */

const $ = (id) => document.getElementById(id);

/* make("td", "number", child...) */
function make(tag, classes, ...children) {
	const element = document.createElement(tag);

	if (classes)
		element.className = classes;
	element.append(...children);
	return element;
}

/* Layout is done anew for what is set, the same text or not. */
function say(element, text) {
	if (element.textContent !== text)
		element.textContent = text;
}

function width(element, part) {
	element.style.width = (100 * Math.min(1, Math.max(0, part)))
	    .toFixed(1) + "%";
}

/* As many children as there are items, made once and then told of theirs. */
function fill(parent, items, create, update) {
	while (parent.children.length > items.length)
		parent.lastElementChild.remove();
	items.forEach((item, i) => {
		const element = parent.children[i]
		    || parent.appendChild(create(item, i));

		update(element, item, i);
	});
}

/* ---------------------------------------------------------------- headline */

const HEADLINE = [
	["Requests/s", (f) => [inCount(f.requestRate),
		`${grouped.format(f.requests)} in all`]],
	["p50 latency", (f) => [inTime(f.p50), "half are faster"]],
	["p99 latency", (f) => [inTime(f.p99), `p99.9 ${inTime(f.p999)}`]],
	["Connections", (f) => [grouped.format(f.connections),
		`on ${f.shards.length} shards`]],
	["Errors/s", (f) => [inCount(f.errorRate),
		`${grouped.format(f.errors)} in all`]],
	["CPU", (f) => [f.cpu.toFixed(2), "cores in use"]],
];

function showHeadline(figures) {
	fill($("headline"), HEADLINE, ([label]) => make("div", "card",
	    make("dt", "", label), make("dd", "figure", NONE),
	    make("dd", "under", "\u00a0")), (tile, [, value]) => {
		if (figures === null)
			return;
		const [figure, under] = value(figures);

		say(tile.children[1], figure);
		say(tile.children[2], under);
	});
}

/* ------------------------------------------------------------------ shards */

const REASONS = ["io", "break", "timer", "spurious"];
const SHARD_ROWS = [
	["Requests/s", (s) => inCount(s.requests)],
	["p99", (s) => inTime(s.p99)],
	["Connections", (s) => grouped.format(s.connections)],
	["Ring depth", (s) => grouped.format(s.depth)],
	["Stolen/s", (s) => inCount(s.stolen)],
	["Breaks sent/s", (s) => inCount(s.breaks)],
];
const HOT = 0.9;

function createShard(shard) {
	const rows = SHARD_ROWS.map(([label]) => make("div", "",
	    make("dt", "", label), make("dd", "", NONE)));
	const wakes = REASONS.map((reason) => make("div", "",
	    make("dt", "", reason), make("dd", "", NONE)));
	const meter = make("div", "meter", make("span"));

	meter.setAttribute("aria-hidden", "true");
	return make("li", "card shard",
	    make("h3", "", make("span", `swatch s${shard.id % COLOURS}`),
		`Shard ${shard.id}`, make("small"),
		make("em", "", "hot")),
	    make("p", "busy", make("span", "", "Workers busy"),
		make("b", "", NONE)),
	    meter, make("dl", "", ...rows),
	    make("h4", "", "Woken per second, by"),
	    make("dl", "wakes", ...wakes));
}

function updateShard(tile, shard) {
	const [title, busy, meter, rows, , wakes] = tile.children;
	const hot = shard.busy >= HOT;

	tile.classList.toggle("hot", hot);
	say(title.querySelector("small"),
	    `CPU ${shard.cpu}, ${shard.workers} workers`);
	/* The bar is full when one is busy all the time: they share a CPU. */
	say(busy.lastChild, shard.busy.toFixed(2));
	width(meter.firstChild, shard.busy);
	SHARD_ROWS.forEach(([, value], i) =>
	    say(rows.children[i].lastChild, value(shard)));
	REASONS.forEach((reason, i) => say(wakes.children[i].lastChild,
	    inCount(shard.wakes[reason] || 0)));
}

function showShards(figures) {
	fill($("shards"), figures.shards, createShard, updateShard);
}

/* ------------------------------------------------------------------ routes */

const PHASES = [
	["queue", "waited for a worker"],
	["run", "a worker was at it"],
	["parked", "the handler waited"],
	["blocked", "the client took nothing"],
];

function showPhaseKey() {
	fill($("phase-key"), PHASES, ([name, what]) => make("li", "",
	    make("span", `swatch ${name}`), make("b", "", name), " " + what),
	() => {});
}

function createRoute() {
	const bar = make("div", "split",
	    ...PHASES.map(([name]) => make("span", name)));
	const name = make("th", "", make("span"), make("small"));

	name.scope = "row";
	bar.setAttribute("role", "img");
	const row = make("tr", "", name, make("td", "number"),
	    make("td", "number"), make("td", "number"), make("td", "", bar),
	    make("td", "number"), make("td", "number"));

	/* On a phone it is laid out as no table is, and is one all the same. */
	for (const cell of row.children)
		cell.setAttribute("role", cell === name ? "rowheader" : "cell");
	row.setAttribute("role", "row");
	return row;
}

function updateRoute(row, route) {
	const [name, rate, p50, p99, split, mean, total] = row.children;
	const all = sum(Object.values(route.phases), (ns) => ns);
	const parts = PHASES.map(([phase]) =>
	    all > 0 && route.mean !== null ? route.phases[phase] / all : 0);

	say(name.firstChild, route.route);
	say(name.lastChild, route.methods);
	say(rate, inCount(route.requests));
	say(p50, inTime(route.p50));
	say(p99, inTime(route.p99));
	say(mean, inTime(route.mean));
	say(total, grouped.format(route.total));
	row.classList.toggle("quiet", route.mean === null);
	PHASES.forEach(([phase], i) => width(split.firstChild.children[i],
	    parts[i]));
	split.firstChild.setAttribute("aria-label", route.mean === null
	    ? "no request has ended" : PHASES.map(([phase], i) =>
		`${phase} ${inPercent(parts[i])}`).join(", "));
}

function showRoutes(figures) {
	const used = figures.routes.filter((route) => route.total > 0);

	fill($("routes"), used, createRoute, updateRoute);
	$("no-routes").hidden = used.length !== 0;
	say($("no-routes"), figures.routes.length === 0
	    ? "Times are not recorded: the option record_times is off."
	    : "No request yet.");
}

/* ------------------------------------------------------------- connections */

function heading(text, scope) {
	const element = make("th", "number", text);

	element.scope = scope;
	return element;
}

/* Rows: the listener of that shard has accepted; columns: who has got it. */
function showMatrix(answer) {
	const shards = answer.shards;
	const most = Math.max(1, ...shards.flatMap((shard) => shard.placed));
	const accepted = sum(shards, (shard) => sum(shard.placed, (n) => n));
	const moved = accepted - sum(shards, (shard) =>
	    shard.placed[shard.id]);

	fill($("matrix-head"), [shards], () => make("tr", "",
	    heading("at \\ to", "col"),
	    ...shards.map((shard) => heading(`${shard.id}`, "col")),
	    heading("open", "col")), () => {});
	fill($("matrix"), shards, (shard) => make("tr", "",
	    heading(`${shard.id}`, "row"),
	    ...shards.map(() => make("td", "number heat", make("i"),
		make("span"))), make("td", "number")), (row, shard) => {
		shard.placed.forEach((count, i) => {
			const cell = row.children[i + 1];

			cell.firstChild.style.opacity
			    = (0.4 * count / most).toFixed(2);
			say(cell.lastChild, grouped.format(count));
		});
		say(row.lastChild, grouped.format(shard.connections));
	});
	say($("matrix-note"), accepted === 0 ? "None was accepted yet."
	    : `${inPercent(moved / accepted)} of ${grouped.format(accepted)} `
	      + "were given to another shard than the one that accepted.");
}

/* ------------------------------------------------------------------- pools */

const POOLS = { offload: "calls of handlers", blocking: "blocking routes" };
const POOL_CELLS = [
	(pool) => grouped.format(pool.threads),
	(pool) => grouped.format(pool.queued),
	(pool) => inCount(pool.begun),
	(pool) => inTime(pool.wait),
	(pool) => grouped.format(pool.refused),
];

function showPools(figures) {
	fill($("pools"), figures.pools, (pool) => {
		const name = make("th", "", pool.name,
		    make("small", "", POOLS[pool.name]));

		name.scope = "row";
		return make("tr", "", name,
		    ...POOL_CELLS.map(() => make("td", "number")));
	}, (row, pool) => POOL_CELLS.forEach((value, i) =>
	    say(row.children[i + 1], value(pool))));
}

/* ------------------------------------------------------------------ memory */

const MEMORY_PARTS = [
	["used", (memory) => memory.allocated],
	["unused", (memory) => memory.active - memory.allocated
	    + memory.dirty],
	["descriptors", (memory) => memory.descriptors],
];

/* An arena that is told of late may seem to use more than it has. */
function showMemory(answer) {
	const { process, shards } = answer;

	fill($("memory-head"), [null], () => make("tr", "",
	    heading("shard", "col"),
	    ...MEMORY_PARTS.map(([name]) => heading(name, "col"))), () => {});
	fill($("memory"), shards, (shard) => make("tr", "",
	    heading(`${shard.id}`, "row"),
	    ...MEMORY_PARTS.map(() => make("td", "number"))), (row, shard) => {
		MEMORY_PARTS.forEach(([, bytes], i) => say(row.children[i + 1],
		    inBytes(Math.max(0, bytes(shard.memory)))));
	});
	say($("memory-note"), `${inBytes(process.resident_bytes)} are resident. `
	    + `An idle connection takes ${shards[0].memory.idle_connection} `
	    + "bytes here, and what the kernel needs. "
	    + `${grouped.format(process.descriptors)} of `
	    + `${grouped.format(process.descriptors_max)} descriptors, `
	    + `${process.threads} threads.`);
}

/* ------------------------------------------------------------------ events */

/* Rows of /debug/events, oldest first. */
function showEvents(rows) {
	const newest = rows.slice(-50).reverse();

	fill($("events"), newest, () => make("tr", "", make("td", "number"),
	    make("td", "number"), make("td"), make("td"), make("td", "number")),
	(row, [time, shard, worker, name, argument, took]) => {
		say(row.children[0], (time / 1e9).toFixed(6));
		say(row.children[1], `${shard}.${worker}`);
		say(row.children[2], `${name}`);
		say(row.children[3], argument === null ? "" : `${argument}`);
		say(row.children[4], took ? inTime(took) : "");
	});
	$("no-events").hidden = newest.length !== 0;
	$("trace").hidden = false;
	say($("events-note"), "the last 50 of the flight recorder");
	say($("no-events"), "Nothing has happened, or the recorder is off.");
}

function showNoEvents(why) {
	fill($("events"), [], null, null);
	$("no-events").hidden = false;
	$("trace").hidden = true;
	say($("events-note"), "");
	say($("no-events"), why);
}
