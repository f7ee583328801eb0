/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * Pictures of the page while the demo has something to do, for the documents:
 *
 *     tests/browser/run build/release/spate-demo build/browser \
 *         --screenshots docs/images
 */

import { openBrowser, PATIENCE_MS, startDemo } from "./browser.mjs";

const [program, folder] = process.argv.slice(2);
const VIEWS = [
	{ name: "light", scheme: "light", width: 1280, action: "load" },
	{ name: "dark", scheme: "dark", width: 1280, action: "hot" },
	{ name: "phone", scheme: "light", width: 390, action: "block" },
];
const browser = await openBrowser();
const demo = await startDemo(program);

for (const { name, scheme, width, action } of VIEWS) {
	const page = await browser.newPage({
		colorScheme: scheme,
		viewport: { width, height: 1000 },
	});

	page.setDefaultTimeout(PATIENCE_MS);
	await page.goto(demo.url);
	await page.click(`[data-action="${action}"]`);
	await page.waitForFunction(() =>
	    document.querySelector("progress").value > 0.6);
	await page.screenshot({ path: `${folder}/page-${name}.png`,
		fullPage: true });
	await page.waitForFunction(() =>
	    !document.querySelector(".action.running"));
	await page.close();
}
await browser.close();
await demo.end();
