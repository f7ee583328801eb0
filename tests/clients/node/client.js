// SPDX-License-Identifier: BSD-2-Clause

// undici against the demo. See run for what it has to say. undici sends no
// Expect, so that one test is node's other client, node:http.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import http from "node:http";
import { once } from "node:events";
import { Client } from "undici";

const [base, wanted] = process.argv.slice(2);
const client = new Client(base);

async function ask(method, path, body) {
	const answer = await client.request({ method, path, body });
	const data = Buffer.from(await answer.body.arrayBuffer());
	assert.equal(answer.statusCode, 200);
	return { headers: answer.headers, data };
}

const sum = (data) => createHash("sha256").update(data).digest("hex");

const report = (data) => `{"size":${data.length},"sha256":"${sum(data)}"}`;

async function get() {
	const { data } = await ask("GET", "/plaintext");
	assert.equal(data.toString(), "Hello, World!");
}

async function post() {
	const text = "0123456789".repeat(10000);
	const { data } = await ask("POST", "/echo", text);
	assert.equal(data.toString(), text);
}

// An iterator, whose size the client cannot know.
async function chunked() {
	const data = Buffer.from("chunked ".repeat(1 << 20));
	async function* pieces() {
		for (let at = 0; at < data.length; at += 50000)
			yield data.subarray(at, at + 50000);
	}
	const { data: said } = await ask("POST", "/upload", pieces());
	assert.equal(said.toString(), report(data));
}

async function head() {
	const { headers, data } = await ask("HEAD", "/bytes/12345");
	assert.equal(headers["content-length"], "12345");
	assert.equal(data.length, 0);
}

async function keepAlive() {
	for (let i = 0; i < 50; i++)
		await get();
}

async function expectContinue() {
	const data = Buffer.from("continue".repeat(1 << 17));
	const request = http.request(base + "/upload", {
		method: "POST",
		headers: {
			"Content-Length": data.length,
			"Expect": "100-continue",
		},
	});
	request.flushHeaders();
	await once(request, "continue");
	request.end(data);
	const [answer] = await once(request, "response");
	let said = "";
	for await (const piece of answer)
		said += piece;
	assert.equal(said, report(data));
}

async function download() {
	const { data } = await ask("GET", "/bytes/104857600");
	assert.equal(sum(data), wanted);
}

const tests = {
	get, post, chunked, head, "keep-alive": keepAlive,
	continue: expectContinue, download,
};
for (const [name, test] of Object.entries(tests)) {
	try {
		await test();
		console.log("ok", name);
	} catch (error) {
		console.log("FAIL", name, String(error).replaceAll("\n", " "));
	}
}
await client.close();
