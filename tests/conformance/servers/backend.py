# SPDX-License-Identifier: BSD-2-Clause
"""What the proxies pass requests on to: tests/conformance/server.c again.

Takes what it is given and judges nothing, so that a verdict is the proxy's.
One request for each connection; the answer ends with the connection.
"""

import re
import socketserver
import sys
import urllib.parse


def chunks(file):
    body = b""
    while True:
        size = int(file.readline().split(b";")[0].strip() or b"0", 16)
        if size == 0:
            while file.readline().strip():
                pass
            return body
        body += file.read(size)
        file.readline()


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        words = self.rfile.readline().split()
        if len(words) < 2:
            return
        fields = {}
        while True:
            line = self.rfile.readline().strip()
            if not line:
                break
            name, _, value = line.partition(b":")
            fields[name.strip().lower()] = value.strip()
        if not words[1].endswith((b"/echo", b"/whole", b"/stream")):
            fields.pop(b"content-length", None)
            fields.pop(b"transfer-encoding", None)
        elif b"expect" in fields and words[-1] == b"HTTP/1.1":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            if b"transfer-encoding" in fields:
                body = chunks(self.rfile)
            else:
                body = self.rfile.read(int(fields.get(b"content-length", 0)))
        except ValueError:
            self.answer(words[0], 400, b"")
            return
        self.answer(words[0], *route(words[0], words[1], fields, body))

    def answer(self, method, status, body):
        head = (f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\n"
                "Connection: close\r\nAllow: GET, HEAD\r\n\r\n").encode()
        try:
            self.wfile.write(head + (b"" if method == b"HEAD" else body))
        except OSError:
            pass


def route(method, target, fields, body):
    match = re.match(rb"(?i)https?://([^/?]*)(.*)", target)
    authority = match[1] if match else fields.get(b"host", b"")
    path = (match[2] if match else target).split(b"?")[0]
    if path in (b"/echo", b"/whole", b"/stream"):
        return 200, body
    if path == b"/ignore":
        return 200, b"ignored"
    if path == b"/host":
        return 200, authority
    if path.startswith(b"/users/"):
        return 200, urllib.parse.unquote_to_bytes(path[7:])
    if path == b"*" and method == b"OPTIONS":
        return 200, b""
    if path != b"/plaintext":
        return 404, b"not found"
    if method not in (b"GET", b"HEAD"):
        return 405, b"not allowed"
    return 200, b"Hello, World!"


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 512


if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
