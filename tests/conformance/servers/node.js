// SPDX-License-Identifier: BSD-2-Clause
//
// What tests/conformance/server.c answers, by node's http module as it comes.
// Also the backend of the proxies.

'use strict';

const http = require('http');

const LIMIT = 1 << 20;

function answer(res, status, body, fields) {
	res.writeHead(status, {
		'Content-Length': Buffer.byteLength(body),
		...fields,
	});
	res.end(body);
}

function whole(req, res, then) {
	const pieces = [];
	let size = 0;

	req.on('data', (piece) => {
		size += piece.length;
		if (size <= LIMIT) {
			pieces.push(piece);
		} else if (!res.headersSent) {
			answer(res, 413, 'too large', { Connection: 'close' });
		}
	});
	req.on('end', () => {
		if (!res.headersSent)
			then(Buffer.concat(pieces));
	});
}

function route(req, res) {
	const absolute = /^https?:\/\/([^/?]*)([^?]*)/i.exec(req.url);
	const authority = absolute ? absolute[1] : req.headers.host || '';
	const path = absolute ? absolute[2] || '/' : req.url.split('?')[0];

	if (Number(req.headers['content-length']) > LIMIT)
		return answer(res, 413, 'too large', { Connection: 'close' });
	if (req.method === 'OPTIONS' && req.url === '*')
		return answer(res, 200, '');
	if (path === '/echo' || path === '/whole')
		return whole(req, res, (body) => answer(res, 200, body));
	if (path === '/stream')
		return whole(req, res, (body) => res.end(body));
	if (path === '/ignore')
		return answer(res, 200, 'ignored');
	if (path === '/host')
		return answer(res, 200, authority);
	if (path.startsWith('/users/')) {
		try {
			return answer(res, 200, decodeURIComponent(path.slice(7)));
		} catch (error) {
			return answer(res, 400, 'bad escape');
		}
	}
	if (path !== '/plaintext')
		return answer(res, 404, 'not found');
	if (req.method !== 'GET' && req.method !== 'HEAD')
		return answer(res, 405, 'not allowed', { Allow: 'GET, HEAD' });
	return answer(res, 200, 'Hello, World!');
}

http.createServer(route).listen(Number(process.argv[2]), '127.0.0.1');
