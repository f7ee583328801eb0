# SPDX-License-Identifier: BSD-2-Clause
"""Sends a vector to a server, and tells in one line what came of it.

Whether a connection was kept is found out by asking again: a probe follows
the last answer that is due, and a connection that answers it has been kept.
So nothing here depends on how long a server takes, unless it fails.
"""

import re
import select
import socket
import time

from vectors import ANSWER, END, After

PROBE_BODY = b"the-probe"
PROBE = (b"POST /whole HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n"
         b"Content-Length: %d\r\n\r\n%s" % (len(PROBE_BODY), PROBE_BODY))
SHOWN = 40
SILENCE = 0.3


class Answer:
    def __init__(self, status, body, head, cut, fields):
        self.status, self.body, self.head = status, body, head
        self.cut, self.fields = cut, fields

    def __str__(self):
        if self.status < 200:
            return str(self.status)
        text = f"{self.status}/head" if self.head else str(self.status)
        if self.cut:
            return text + ":cut"
        if self.status >= 300 or self.head:
            return text
        body = "".join(self.body.decode("utf-8", "replace").split())
        return f"{text}:{body if len(body) <= SHOWN else len(body)}"


def read_chunks(data):
    """The body and where it ends, or None if there is more to come."""
    at, body = 0, b""
    while True:
        end = data.find(b"\r\n", at)
        if end < 0:
            return None
        size = int(data[at:end].split(b";")[0], 16)
        at = end + 2
        if size == 0:
            end = data.find(b"\r\n\r\n", at - 2)
            return None if end < 0 else (body, end + 4)
        if len(data) < at + size + 2:
            return None
        body += data[at:at + size]
        at += size + 2


def read_answer(data, head, ended):
    """An answer and the rest; None if it is not all there; or "garbage"."""
    match = re.match(rb"HTTP/1\.[01] (\d{3})[^\r\n]*\r\n", data)
    end = data.find(b"\r\n\r\n")
    if end < 0 or not match:
        bad = not match and len(data) > 12 and not data.startswith(b"HTTP/1.")
        return "garbage" if bad or ended else None
    fields = {}
    for line in data[match.end():end + 2].split(b"\r\n")[:-1]:
        name, _, value = line.partition(b":")
        fields[name.lower().decode("latin-1")] = value.strip()
    status, rest = int(match[1]), data[end + 4:]
    if status < 200 or status in (204, 304) or head:
        return Answer(status, b"", head and status >= 200, False, fields), rest
    if b"chunked" in fields.get("transfer-encoding", b"").lower():
        found = read_chunks(rest)
    elif "content-length" in fields:
        size = int(fields["content-length"])
        found = (rest[:size], size) if len(rest) >= size else None
    else:
        found = (rest, len(rest)) if ended else None
    if found:
        return Answer(status, found[0], head, False, fields), rest[found[1]:]
    return (Answer(status, rest, head, True, fields), b"") if ended else None


def read_answers(data, heads, ended):
    answers, final = [], 0
    while data:
        found = read_answer(data, final in heads, ended)
        if found is None:
            break
        if found == "garbage":
            answers.append(Answer(999, data, False, False, {}))
            break
        answer, data = found
        answers.append(answer)
        final += answer.status >= 200
    return answers


class Exchange:
    def __init__(self, port, want, patience):
        self.patience = patience
        self.data, self.ended, self.half_closed = b"", False, False
        finals = [word for word in want.split() if word[0].isdigit()
                  and word != "100"]
        self.due = len(finals)
        self.heads = {i for i, word in enumerate(finals) if "/head" in word}
        self.closes = want.split()[-1] in ("close", "drop")
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)

    def read(self):
        try:
            piece = self.socket.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        self.data += piece
        self.ended |= not piece

    def send(self, data):
        """All of it, unless the server has closed or takes nothing."""
        deadline = time.monotonic() + self.patience
        view = memoryview(data)
        while view and not self.ended and time.monotonic() < deadline:
            readable, writable, _ = select.select(
                [self.socket], [self.socket], [], 0.2)
            if readable:
                self.read()
            if writable:
                try:
                    view = view[self.socket.send(view[:1 << 16]):]
                except BlockingIOError:
                    continue
                except OSError:
                    break

    def read_until(self, done, seconds):
        deadline = time.monotonic() + seconds
        while not self.ended and not done():
            left = deadline - time.monotonic()
            if left <= 0:
                return
            if select.select([self.socket], [], [], left)[0]:
                self.read()

    def answers(self):
        return read_answers(self.data, self.heads, self.ended)

    def finals(self):
        return sum(answer.status >= 200 for answer in self.answers())

    def play(self, piece):
        if isinstance(piece, bytes):
            self.send(piece)
        elif isinstance(piece, After):
            answers = self.answers()
            if answers and answers[-1].status == piece.status:
                self.send(piece.data)
        elif piece == ANSWER:
            seen = len(self.data)
            self.read_until(lambda: len(self.data) > seen, self.patience)
        elif piece == END:
            self.half_closed = True
            try:
                self.socket.shutdown(socket.SHUT_WR)
            except OSError:
                pass
        else:
            self.read_until(lambda: False, piece)

    def ending(self):
        """After all was sent: keep, close or waits."""
        if self.due == 0 and not self.closes:
            self.read_until(lambda: False, SILENCE)
        else:
            self.read_until(lambda: self.finals() >= self.due and self.due,
                            self.patience)
        if self.finals() >= self.due and self.due:
            if self.closes or self.half_closed:
                self.read_until(lambda: False, self.patience)
            if not self.ended and not self.half_closed:
                self.send(PROBE)
                self.read_until(
                    lambda: PROBE_BODY in self.data
                    and self.finals() > self.due, self.patience)
        return "close" if self.ended else "waits"


def exchange(port, vector, patience):
    """=> the answers, and keep, close or waits."""
    self = Exchange(port, vector.want, patience)
    with self.socket:
        for piece in vector.send:
            self.play(piece)
        ending = self.ending()
        answers = self.answers()
    if answers and answers[-1].body == PROBE_BODY:
        return answers[:-1], "keep"
    return answers, ending
