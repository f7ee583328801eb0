/* SPDX-License-Identifier: BSD-2-Clause */
"use strict";

/* The stream of figures, what is done with each, and the switches. */

const RETRY_MS = 2000;
const EVENTS_MS = 1000;
const DESCRIBE_EVERY = 20;

const page = {
	history: [],  /* answers of the last two seconds and a bit */
	rates: null, latencies: null,
	source: null, retry: null,
	paused: false,
	answers: 0,
	events: { wanted: true, timer: null },
};

/* ------------------------------------------------------------------- state */

function setState(state, text) {
	document.body.dataset.state = state;
	say($("state"), text);
}

function showServer(answer) {
	say($("version"), answer.version);
	say($("uptime"), `up ${inDuration(answer.uptime_seconds)}`);
	say($("pid"), `pid ${answer.process.pid}`);
	if (demo.asked !== "answered")
		return;
	if (page.paused)
		setState("paused", "paused");
	else if (answer.state === "ready")
		setState("live", "live");
	else
		setState("draining", answer.state);
}

/* ------------------------------------------------------------------ answers */

function beginAnew(answer) {
	page.history = [];
	page.rates = ratesChart(answer.shards);
	page.latencies = latenciesChart();
	for (const id of ["shards", "routes", "matrix", "matrix-head",
		"memory", "pools"])
		$(id).replaceChildren();
	demo.asked = "no";
}

function remember(answer) {
	const { history } = page;
	const last = history[history.length - 1];

	if (!last || isAnotherProcess(last, answer))
		beginAnew(answer);
	page.history.push(answer);
	while (page.history.length > 2
	       && page.history[1].time_ns <= answer.time_ns - WINDOW_NS)
		page.history.shift();
}

function chart(answer, figures) {
	const time = answer.time_ns / 1e9;

	page.rates.add(time, figures.shards.map((shard) => shard.requests));
	page.latencies.add(time, [figures.p50, figures.p99, figures.p999]);
}

function show(answer, figures) {
	showHeadline(figures);
	showShards(figures);
	showRoutes(figures);
	showMatrix(answer);
	showPools(figures);
	showMemory(answer);
	page.rates.draw();
	page.latencies.draw();
	if (page.answers++ % DESCRIBE_EVERY === 0) {
		page.rates.describe("Requests per second");
		page.latencies.describe("Latency");
	}
}

function onStats(event) {
	const answer = JSON.parse(event.data);

	remember(answer);
	lookForDemo(answer);
	showServer(answer);
	const figures = figuresOf(baseOf(page.history), answer);

	figures.requestRate = sum(figures.shards, (shard) => shard.requests);
	if (figures.seconds > 0)
		chart(answer, figures);
	if (!page.paused)
		show(answer, figures);
}

/* ------------------------------------------------------------------- stream */

function disconnect() {
	clearTimeout(page.retry);
	page.source?.close();
	page.source = null;
}

/* The browser tries again by itself after some failures, not after all. */
function connect() {
	disconnect();
	page.source = new EventSource("stats/stream");
	page.source.addEventListener("stats", onStats);
	page.source.addEventListener("error", () => {
		const now = new Date().toLocaleTimeString("en-GB");

		if (document.body.dataset.state !== "lost")
			setState("lost", `no connection since ${now}, `
			    + "trying again");
		disconnect();
		page.retry = setTimeout(connect, RETRY_MS);
	});
}

/* ------------------------------------------------------------------- events */

async function askEvents() {
	const { events } = page;

	if (!page.paused && page.source !== null) {
		try {
			const answer = await fetch("debug/events?n=50",
			    { cache: "no-store" });

			if (answer.ok)
				showEvents((await answer.json()).events);
			else if (answer.status === 404)
				events.wanted = false;
			if (!answer.ok)
				showNoEvents("The flight recorder is off.");
		} catch {
			/* The stream says that the server is gone. */
		}
	}
	if (events.wanted && !document.hidden)
		events.timer = setTimeout(askEvents, EVENTS_MS);
}

/* ----------------------------------------------------------------- switches */

function storedTheme() {
	try {
		return localStorage.getItem("spate-theme") || "";
	} catch {
		return ""; /* the browser keeps nothing */
	}
}

function setTheme(theme) {
	document.documentElement.dataset.theme = theme;
	try {
		localStorage.setItem("spate-theme", theme);
	} catch {
		/* for this visit, then */
	}
	page.rates?.recolour();
	page.latencies?.recolour();
}

function setPaused(paused) {
	page.paused = paused;
	$("pause").setAttribute("aria-pressed", `${paused}`);
	say($("pause"), paused ? "Go on" : "Pause");
}

/* A page that nobody looks at asks for nothing. */
function onVisibility() {
	clearTimeout(page.events.timer);
	if (document.hidden) {
		disconnect();
	} else {
		connect();
		askEvents();
	}
}

function begin() {
	const theme = storedTheme();

	$("theme").value = theme;
	document.documentElement.dataset.theme = theme;
	$("theme").addEventListener("change", (event) =>
	    setTheme(event.target.value));
	$("pause").addEventListener("click", () => setPaused(!page.paused));
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change",
	    () => setTheme($("theme").value));
	document.addEventListener("visibilitychange", onVisibility);
	addEventListener("resize", () => {
		page.rates?.fit();
		page.latencies?.fit();
	});
	showHeadline(null);
	showPhaseKey();
	onVisibility();
}

begin();
