# SPDX-License-Identifier: BSD-2-Clause
"""A vector: bytes for a server, and what RFC 9110 and 9112 want of it.

    V("length.plus", "9112 6.3", post(b"Content-Length: +5\r\n", b"hello"),
      "400 close", smuggling=True)

The name begins with the area. The bytes are one piece, or a list of pieces
and of what to do between them: a number is seconds to wait, ANSWER waits
for the server to say something, END closes our half of the connection, and
after(100, b"hello") is sent if a 100 has come.

An outcome is what the client sees, in one line:

    200:hello keep        an answer with that body, and the connection stays
    100 200 keep          with an interim answer in front
    200 200/head close    two answers, the second one to HEAD; then the end
    200:cut close         an answer that ends before its end, by a close
    200 drop              a close that the answer did not announce
    close                 nothing, and the end
    waits                 nothing, and the connection stays open

The first outcome is ours, to the letter. Those after it are others that the
RFCs allow, where they leave a choice (MAY, SHOULD, "either ... or").
"""

import collections

Vector = collections.namedtuple(
    "Vector", "name section send want also smuggling")

ANSWER = "answer"
END = "end"

HOST = b"Host: a\r\n"
# A request that must not be found inside of another, or behind a bad one.
NEXT = b"GET /echo?next HTTP/1.1\r\nHost: next\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
HELLO = b"5\r\nhello\r\n0\r\n\r\n"

vectors = []


class After(collections.namedtuple("After", "status data")):
    """Bytes for a server that has given an answer of that status."""


after = After


def V(name, section, send, want, *also, smuggling=False):
    pieces = send if isinstance(send, list) else [send]
    vectors.append(Vector(name, section, pieces, want, also, smuggling))


def request(line, fields=HOST, body=b""):
    """A request with a start line of the caller's own."""
    return line + b"\r\n" + fields + b"\r\n" + body


def get(fields=b"", target=b"/echo"):
    return request(b"GET " + target + b" HTTP/1.1", HOST + fields)


def post(fields, body=b"", target=b"/whole"):
    return request(b"POST " + target + b" HTTP/1.1", HOST + fields, body)


def chunked(body, target=b"/whole", fields=b""):
    return post(CHUNKED + fields, body, target)


def each_byte(data, pause=0.0005):
    pieces = []
    for i in range(len(data)):
        pieces += [data[i:i + 1], pause]
    return pieces[:-1]
