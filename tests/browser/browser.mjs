/* SPDX-License-Identifier: BSD-2-Clause */

/* Debian's Chromium, and demos for it to look at. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

export const PATIENCE_MS = 60000;

/* Playwright's own browsers are not fetched. */
export function openBrowser() {
	return chromium.launch({
		executablePath: process.env.SPATE_CHROMIUM || "/usr/bin/chromium",
		args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
			"--disable-background-networking",
			"--disable-component-update", "--disable-quic"],
	});
}

/* A running demo: { url, adminUrl, end() }, where port 0 is a free one. */
export async function startDemo(program, port = 0, ...flags) {
	const child = spawn(program, ["--listen", `127.0.0.1:${port}`,
		"--admin", "127.0.0.1:0", "--shards", "2", ...flags],
	{ stdio: ["ignore", "ignore", "pipe"] });
	const said = [], ports = [];

	for await (const line of createInterface({ input: child.stderr })) {
		const found = /port (\d+)/.exec(line);

		said.push(line);
		if (found)
			ports.push(Number(found[1]));
		if (ports.length === 2)
			break;
	}
	if (ports.length !== 2)
		throw new Error(`the demo says: ${said.join("\n")}`);
	/* What it has to say later is nobody's, but must not make it wait. */
	child.stderr.resume();
	return {
		port: ports[0],
		url: `http://127.0.0.1:${ports[0]}/`,
		adminUrl: `http://127.0.0.1:${ports[1]}/`,
		async end() {
			const left = once(child, "exit");

			child.kill("SIGTERM");
			const [code] = await left;

			if (code !== 0)
				throw new Error(`the demo has ended with ${code}`);
		},
	};
}
