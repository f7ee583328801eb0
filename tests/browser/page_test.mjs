/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The live page in a browser, while the demo has something to do.
 *
 *     node page_test.mjs DEMO      in a folder that tests/browser/run makes
 */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openBrowser, PATIENCE_MS, startDemo } from "./browser.mjs";

const DEMO = process.argv[2];
const QUIET_EVENTS = /debug\/events/; /* 404 where there is no recorder */

let browser;

before(async () => {
	browser = await openBrowser();
});

after(() => browser.close());

/* A page at a URL, and all that it complained of and asked for. */
async function openPage(url, options = {}) {
	const page = await browser.newPage({
		viewport: { width: 1280, height: 900 }, ...options });

	page.setDefaultTimeout(PATIENCE_MS);
	page.complaints = [];
	page.asked = [];
	page.on("pageerror", (error) => page.complaints.push(error.message));
	page.on("console", (message) => {
		if (message.type() === "error"
		    && !QUIET_EVENTS.test(message.location().url))
			page.complaints.push(message.text());
	});
	await page.addInitScript(() => {
		window.shardRow = (tile, label) => {
			const name = [...tile.querySelectorAll("dt")].find(
			    (dt) => dt.textContent === label);

			return Number(name.nextSibling.textContent
			    .replaceAll(",", ""));
		};
	});
	page.on("request", (request) => page.asked.push(request.url()));
	await page.goto(url);
	return page;
}

async function withDemo(work) {
	const demo = await startDemo(DEMO);

	try {
		await work(demo);
	} finally {
		await demo.end();
	}
}

/* A page of a demo of its own, with nothing to complain of in the end. */
function pageTest(name, work, options) {
	test(name, () => withDemo(async (demo) => {
		const page = await openPage(demo.url, options);

		await live(page);
		await work(page, demo);
		assert.deepEqual(page.complaints, []);
		await page.close();
	}));
}

function live(page) {
	return page.waitForSelector("body[data-state=live]");
}

/* Until a function of the page says so, by what is global there. */
function until(page, what, argument) {
	return page.waitForFunction(what, argument);
}

function press(page, action) {
	return page.click(`[data-action="${action}"]`);
}

/* As the page shows it: the number in a cell of a route's row. */
function untilRoute(page, route, column, least) {
	return until(page, ([name, cell, value]) => {
		const row = [...document.querySelectorAll("#routes tr")].find(
		    (tr) => tr.cells[0].firstChild.textContent === name);

		return row && Number(row.cells[cell].textContent
		    .replaceAll(",", "")) >= value;
	}, [route, column, least]);
}

const RATE = 1, TOTAL = 6;

/* ------------------------------------------------------------------- page */

pageTest("all is there, from nowhere else, and nothing moves", async (page) => {
	await until(page, () => document.querySelectorAll(".shard").length === 2);
	await until(page, () => document.querySelectorAll("canvas").length === 2);
	const moved = await page.evaluate(() => new Promise((resolve) => {
		let sum = 0;

		new PerformanceObserver((list) => {
			for (const entry of list.getEntries())
				sum += entry.value;
		}).observe({ type: "layout-shift", buffered: true });
		setTimeout(() => resolve(sum), 1500);
	}));

	assert.ok(moved < 0.02, `a layout shift of ${moved}`);
	for (const url of page.asked)
		assert.ok(url.startsWith(new URL("/", page.url()).href)
		    || url.startsWith("data:"), url);
	assert.match(await page.textContent("#version"), /^\d+\.\d+\.\d+$/);
});

pageTest("a load is seen in the figures", async (page) => {
	await press(page, "load");
	await page.waitForSelector('[data-action="load"].running');
	assert.match(await page.textContent("#outcome"), /^Running\./);
	assert.equal(await page.getAttribute('[data-action="hot"]',
	    "aria-disabled"), "true");
	await untilRoute(page, "/plaintext", RATE, 1000);
	await until(page, () => Number(document.querySelector(
	    "#headline .figure").textContent.replaceAll(",", "")) >= 1000);
	await until(page, () => [...document.querySelectorAll(".shard")].every(
	    (tile) => shardRow(tile, "Connections") >= 16
		&& shardRow(tile, "Requests/s") > 0));
	await until(page, () => page.rates.values.every(
	    (list) => Math.max(...list) > 100));
});

pageTest("a shard gets hot by what its connections ask", async (page) => {
	await press(page, "hot");
	/* This is so from the first moment to the last, the others for a part. */
	await until(page, () => shardRow(document.querySelectorAll(
	    ".shard")[0], "Connections") >= 16);
	await page.waitForSelector(".shard:first-child.hot");
	await untilRoute(page, "/burn", TOTAL, 100);
});

pageTest("a blocked handler shows, and harms nobody else", async (page) => {
	await press(page, "block");
	await until(page, () => [...document.querySelectorAll("#routes tr")].some(
	    (tr) => tr.cells[0].textContent.startsWith("/block")
		&& /\ss$/.test(tr.cells[3].textContent)));
	await until(page, () => /^Over: [1-9][\d,]* answers, 0 failed\.$/.test(
	    document.getElementById("outcome").textContent));
	await untilRoute(page, "/plaintext", TOTAL, 100);
	assert.equal(await page.getAttribute('[data-action="load"]',
	    "aria-disabled"), "false");
});

pageTest("who waits for a thread shows, and for how long", async (page) => {
	/* A browser asks one server for six things at a time, no more. */
	await page.evaluate(() => {
		for (let i = 0; i < 3; i++)
			fetch(`blocking?ms=1000&${i}`);
	});
	await until(page, () => {
		const cells = [...document.querySelectorAll("#pools tr")].find(
		    (tr) => tr.cells[0].textContent.startsWith("blocking"))
		    .cells;

		return Number(cells[1].textContent) >= 2
		    && cells[2].textContent === "0"
		    && Number(cells[3].textContent) > 0
		    && /s$/.test(cells[4].textContent)
		    && cells[5].textContent === "0";
	});
	await page.evaluate(() => fetch("offload?ms=1"));
	await until(page, () => /^offload/.test(document.querySelector(
	    "#pools tr").textContent) && document.querySelector(
	    "#pools tr").cells[3].textContent !== "0");
});

pageTest("a keyboard reaches everything and begins it", async (page) => {
	const seen = new Set();

	for (let i = 0; i < 16; i++) {
		await page.keyboard.press("Tab");
		seen.add(await page.evaluate(() => document.activeElement.id
		    || document.activeElement.dataset.action
		    || document.activeElement.getAttribute("aria-labelledby")));
	}
	for (const id of ["pause", "theme", "load", "hot", "block",
		"routes-title", "events-title"])
		assert.ok(seen.has(id), id);
	await page.focus('[data-action="block"]');
	await page.keyboard.press("Enter");
	await page.waitForSelector('[data-action="block"].running');
});

pageTest("it can be light and dark, and stays so", async (page) => {
	const ground = () => page.evaluate(() =>
	    getComputedStyle(document.body).backgroundColor);
	const light = await ground();

	await page.selectOption("#theme", "dark");
	const dark = await ground();

	assert.notEqual(dark, light);
	await page.reload();
	await live(page);
	assert.equal(await ground(), dark);
	await page.selectOption("#theme", "");
	assert.equal(await ground(), light);
	await page.emulateMedia({ colorScheme: "dark" });
	assert.equal(await ground(), dark);
}, { colorScheme: "light" });

pageTest("it can be stopped and go on", async (page) => {
	await page.click("#pause");
	await page.waitForSelector("body[data-state=paused]");
	const shown = await page.textContent("#headline");
	const points = await page.evaluate(() => page.rates.times.length);

	await page.evaluate(() => fetch("plaintext"));
	await until(page, (n) => page.rates.times.length > n + 4, points);
	assert.equal(await page.textContent("#headline"), shown);
	await page.click("#pause");
	await live(page);
	await untilRoute(page, "/plaintext", TOTAL, 1);
});

pageTest("nothing is wider than the screen", async (page) => {
	await press(page, "block");
	await untilRoute(page, "/plaintext", TOTAL, 1);
	for (const width of [1024, 768, 390, 320]) {
		await page.setViewportSize({ width, height: 800 });
		await until(page, (most) => document.documentElement
		    .scrollWidth <= most, width);
	}
});

/* ------------------------------------------------------------ other servers */

test("a server that ends is missed, and found when it is back", async () => {
	let demo = await startDemo(DEMO);
	const { port } = demo;
	const page = await openPage(demo.url);

	await live(page);
	const pid = await page.textContent("#pid");

	await demo.end();
	await page.waitForSelector("body[data-state=lost]");
	assert.match(await page.textContent("#state"), /^no connection since /);
	demo = await startDemo(DEMO, port);
	await live(page);
	assert.notEqual(await page.textContent("#pid"), pid);
	await page.waitForSelector('[data-action="load"]');
	await page.close();
	await demo.end();
});

test("the admin listener has it, without buttons", () => withDemo(
    async (demo) => {
	const page = await openPage(demo.adminUrl);

	await live(page);
	await until(page, () => document.querySelectorAll(".shard").length === 2);
	assert.ok(await page.isHidden("#demo"));
	await page.close();
}));

/* A server may have been made by others: what it says stays text. */
test("what the server says is text, whatever it says", () => withDemo(
    async (demo) => {
	const evil = "/<img src=x onerror=alert(1)>";
	const answer = await (await fetch(`${demo.url}stats?buckets=1`)).json();
	const page = await browser.newPage();

	answer.version = evil;
	answer.routes[0].route = evil;
	answer.routes[0].methods = evil;
	answer.routes[0].requests = 7;
	await page.route("**/stats/stream", (route) => route.fulfill({
		contentType: "text/event-stream",
		body: `event: stats\ndata: ${JSON.stringify(answer)}\n\n` }));
	await page.route("**/debug/events*", (route) => route.fulfill({
		json: { events: [[1, 0, 0, evil, evil, 0]] } }));
	await page.goto(demo.url);
	await page.waitForFunction((text) => document.querySelector(
	    "#routes th span")?.textContent === text, evil);
	await page.waitForFunction((text) => document.querySelector(
	    "#events td:nth-child(3)")?.textContent === text, evil);
	assert.equal(await page.textContent("#version"), evil);
	assert.equal(await page.locator("img").count(), 0);
	await page.close();
}));
