# SPDX-License-Identifier: BSD-2-Clause
"""Chunked bodies, Expect, and what a server does with a body it ignores."""

from .table import (ANSWER, CHUNKED, END, HELLO, HOST, NEXT, V, after,
                    chunked, each_byte, get, post, request)

LAST = b"0\r\n\r\n"

# ------------------------------------------------------------------- chunks

V("chunk.none", "9112 7.1", chunked(LAST), "200: keep")
V("chunk.two", "9112 7.1", chunked(b"3\r\nhel\r\n2\r\nlo\r\n" + LAST),
  "200:hello keep")
V("chunk.hex", "9112 7.1", chunked(b"a\r\n0123456789\r\nA\r\n0123456789\r\n"
                                   + LAST), "200:01234567890123456789 keep")
V("chunk.zeros_in_front", "9112 7.1", chunked(b"0005\r\nhello\r\n000\r\n\r\n"),
  "200:hello keep")
V("chunk.data_looks_like_end", "9112 7.1",
  chunked(b"7\r\n0\r\n\r\nab\r\n" + LAST) + NEXT, "200:0ab 200 keep",
  smuggling=True)
V("chunk.then_request", "9112 7.1", chunked(HELLO) + NEXT,
  "200:hello 200 keep", smuggling=True)
V("chunk.each_byte", "9112 7.1",
  each_byte(chunked(b"3\r\nhel\r\n2;a=b\r\nlo\r\n0\r\nX: y\r\n\r\n")),
  "200:hello keep")
V("chunk.streamed", "9112 7.1",
  [chunked(b"3\r\nhel\r\n", b"/echo"), 0.02, b"2\r\nlo\r\n", 0.02, LAST],
  "200:hello keep")
for name, size in (
        ("empty", b""), ("minus", b"-5"), ("plus", b"+5"), ("hex_x", b"0x5"),
        ("x", b"5x"), ("h", b"5h"), ("g", b"g"), ("underscore", b"0_5"),
        ("point", b"5.0"), ("comma", b"5,"), ("quoted", b'"5"'),
        ("blank_in_front", b" 5"), ("tab_in_front", b"\t5"),
        ("blank_inside", b"0 5"), ("two", b"5 5"), ("nul", b"5\0"),
        ("nul_in_front", b"\x005"), ("vertical_tab", b"5\x0b"),
        ("latin1_blank", b"5\xa0"), ("utf8_digit", "\u0665".encode()),
        ("64_bit", b"10000000000000005"), ("63_bit", b"8000000000000005"),
        ("17_digits", b"fffffffffffffff05"),
        ("negative", b"ffffffffffffffff"), ("percent", b"%35")):
    V(f"chunk.size_{name}", "9112 7.1",
      chunked(size + b"\r\nhello\r\n" + LAST) + NEXT, "400 close",
      smuggling=True)
V("chunk.size_32_bit", "9112 7.1",
  chunked(b"100000005\r\nhello\r\n" + LAST) + NEXT, "413 close", "waits",
  "400 close", smuggling=True)
V("chunk.size_many_zeros", "9112 7.1",
  chunked(b"0" * 16 + b"5\r\nhello\r\n" + LAST), "400 close",
  "200:hello keep")
V("chunk.size_blank_behind", "9112 7.1",
  chunked(b"5 \r\nhello\r\n" + LAST) + NEXT, "400 close", smuggling=True)
V("chunk.size_tab_behind", "9112 7.1",
  chunked(b"5\t\r\nhello\r\n" + LAST) + NEXT, "400 close", smuggling=True)
for name, body in (
        ("size_lf", b"5\nhello\r\n0\r\n\r\n"),
        ("data_lf", b"5\r\nhello\n0\r\n\r\n"),
        ("last_lf", b"5\r\nhello\r\n0\n\r\n"),
        ("end_lf", b"5\r\nhello\r\n0\r\n\n"),
        ("all_lf", b"5\nhello\n0\n\n"),
        ("size_cr", b"5\rhello\r\n0\r\n\r\n"),
        ("size_cr_cr_lf", b"5\r\r\nhello\r\n0\r\n\r\n"),
        ("data_cr", b"5\r\nhello\r0\r\n\r\n"),
        ("data_cr_cr_lf", b"5\r\nhello\r\r\n0\r\n\r\n"),
        ("data_short", b"6\r\nhello\r\n0\r\n\r\n"),
        ("data_long", b"4\r\nhello\r\n0\r\n\r\n"),
        ("data_no_end", b"5\r\nhello0\r\n\r\n"),
        ("data_two_ends", b"5\r\nhello\r\n\r\n0\r\n\r\n"),
        ("data_any_two_bytes", b"5\r\nhelloXX0\r\n\r\n"),
        ("last_cr_x", b"5\r\nhello\r\n0\r\n\rX")):
    V(f"chunk.{name}", "9112 7.1", chunked(body) + NEXT, "400 close",
      smuggling=True)
V("chunk.bad_after_answer", "9112 8",
  [chunked(b"5\r\nhello\r\n", b"/echo"), 0.05, b"x\r\n\r\n", NEXT],
  "200:cut close", "400 close", smuggling=True)

# --------------------------------------------------------------- extensions

for name, ext in (("name", b";a"), ("value", b";a=b"), ("quoted", b';a="b"'),
                  ("quoted_text", b';a="b;c=d, e\t"'),
                  ("quoted_pair", b';a="\\"\\\\"'), ("two", b";a=b;c"),
                  ("symbols", b";!#$%&'*+.^_`|~=1")):
    V(f"ext.{name}", "9112 7.1.1",
      chunked(b"5" + ext + b"\r\nhello\r\n0" + ext + b"\r\n\r\n"),
      "200:hello keep")
V("ext.blank", "9112 7.1.1", chunked(b"5 ; a = b\r\nhello\r\n" + LAST),
  "200:hello keep", "400 close", smuggling=True)
V("ext.bad_blank_between", "9112 7.1.1",
  chunked(b"5;a b\r\nhello\r\n" + LAST) + NEXT, "400 close",
  smuggling=True)
V("ext.bad_blank_behind", "9112 7.1.1",
  chunked(b"5;a \r\nhello\r\n" + LAST) + NEXT, "400 close",
  smuggling=True)
# The quoted-string may hold text that is not ASCII.
V("ext.quoted_utf8", "9112 7.1.1",
  chunked('5;a="\u00e4"\r\nhello\r\n'.encode() + LAST), "200:hello keep",
  "400 close")
for name, ext in (
        ("lf", b";a\n"), ("lf_lf", b";a\nXX"), ("cr", b";a\rb"),
        ("cr_cr_lf", b";a\r"), ("nul", b";a\0"), ("control", b";a=\x01"),
        ("delete", b";a=\x7f"), ("no_name", b";"), ("no_name_value", b";=b"),
        ("no_value", b";a="), ("quote_open", b';a="b'),
        ("quoted_lf", b';a="\n"'), ("quoted_cr", b';a="\r"'),
        ("behind_quoted", b';a="b"c'), ("brackets", b";a[=b"),
        ("two_equals", b";a=b=c"), ("latin1", b";\xe4=b")):
    V(f"ext.bad_{name}", "9112 7.1.1",
      chunked(b"5" + ext + b"\r\nhello\r\n" + LAST) + NEXT, "400 close",
      smuggling=True)
V("ext.terminator_funky", "9112 7.1.1",
  chunked(b"5;\nxx\r\nhello\r\n" + LAST) + NEXT, "400 close",
  smuggling=True)
V("ext.endless", "9112 7.1.1",
  chunked(b"5;" + b"a" * 300000 + b"\r\nhello\r\n" + LAST), "400 close")
V("ext.endless_many", "9112 7.1.1",
  chunked(b"1;aaaaaaaa\r\nx\r\n" * 30000 + LAST), "400 close")

# ----------------------------------------------------------------- trailers

V("trailer.one", "9112 7.1.2", chunked(b"5\r\nhello\r\n0\r\nX: y\r\n\r\n"),
  "200:hello keep")
V("trailer.two", "9112 7.1.2",
  chunked(b"5\r\nhello\r\n0\r\nX: y\r\nZ:\r\n\r\n") + NEXT,
  "200:hello 200 keep", smuggling=True)
# A recipient may ignore or merge; none may take it for framing.
for name, field in (("length", b"Content-Length: 9\r\n"),
                    ("coding", CHUNKED), ("host", b"Host: b\r\n"),
                    ("connection", b"Connection: close\r\n"),
                    ("authorization", b"Authorization: x\r\n")):
    V(f"trailer.{name}", "9110 6.5.1",
      chunked(b"5\r\nhello\r\n0\r\n" + field + b"\r\n") + NEXT, "400 close",
      "200:hello 200 keep", smuggling=True)
for name, field in (
        ("no_colon", b"X\r\n"), ("no_name", b": y\r\n"),
        ("blank_colon", b"X : y\r\n"), ("first_fold", b" X: y\r\n"),
        ("nul_name", b"X\0: y\r\n"), ("latin1_name", b"\xe4: y\r\n"),
        ("request", b"GET /echo HTTP/1.1\r\n")):
    V(f"trailer.bad_{name}", "9112 7.1.2",
      chunked(b"5\r\nhello\r\n0\r\n" + field + b"\r\n") + NEXT, "400 close",
      smuggling=True)
for name, field in (
        ("fold", b"X: y\r\n z\r\n"), ("lf", b"X: y\n"), ("cr", b"X: y\rz\r\n"),
        ("nul", b"X: y\0z\r\n"), ("control", b"X: \x01\r\n")):
    V(f"trailer.bad_{name}", "9112 2.2",
      chunked(b"5\r\nhello\r\n0\r\n" + field + b"\r\n") + NEXT, "400 close",
      "200:hello 200 keep", smuggling=True)
V("trailer.endless", "9112 7.1.2",
  chunked(b"5\r\nhello\r\n0\r\nX: " + b"y" * 300000 + b"\r\n\r\n"),
  "400 close")
V("trailer.endless_many", "9112 7.1.2",
  chunked(b"5\r\nhello\r\n0\r\n" + b"X: y\r\n" * 30000 + b"\r\n"),
  "400 close")

# ------------------------------------------------------------------- Expect

EXPECT = b"Expect: 100-continue\r\n"

V("expect.length", "9110 10.1.1",
  [post(EXPECT + b"Content-Length: 5\r\n"), ANSWER, b"hello"],
  "100 200:hello keep")
V("expect.chunked", "9110 10.1.1", [chunked(b"", fields=EXPECT), ANSWER, HELLO],
  "100 200:hello keep")
V("expect.large_letters", "9110 10.1.1",
  [post(b"EXPECT: 100-CONTINUE\r\nContent-Length: 5\r\n"), ANSWER, b"hello"],
  "100 200:hello keep")
V("expect.not_waiting", "9110 10.1.1",
  post(EXPECT + b"Content-Length: 5\r\n", b"hello"), "200:hello keep",
  "100 200:hello keep")
V("expect.no_body", "9110 10.1.1", get(EXPECT), "200 keep", "100 200 keep")
V("expect.length_zero", "9110 10.1.1",
  post(EXPECT + b"Content-Length: 0\r\n"), "200 keep", "100 200 keep")
V("expect.on_1.0", "9110 10.1.1",
  [request(b"POST /whole HTTP/1.0",
           HOST + EXPECT + b"Content-Length: 5\r\n"), 0.05, b"hello"],
  "200:hello close")
V("expect.unknown", "9110 10.1.1",
  post(b"Expect: cow\r\nContent-Length: 5\r\n", b"hello"), "417 close",
  "417 keep", "200:hello keep")
V("expect.list", "9110 10.1.1",
  post(b"Expect: 100-continue, cow\r\nContent-Length: 5\r\n", b"hello"),
  "417 close", "417 keep", "200:hello keep", "100 200:hello keep")
V("expect.empty", "9110 10.1.1",
  post(b"Expect:\r\nContent-Length: 5\r\n", b"hello"), "417 close",
  "417 keep", "200:hello keep")
V("expect.not_wanted", "9110 10.1.1",
  [post(EXPECT + b"Content-Length: 5\r\n", target=b"/ignore"), ANSWER,
   after(100, b"hello")],
  "200:ignored close", "200:ignored keep", "100 200:ignored keep")
V("expect.not_found", "9110 10.1.1",
  [post(EXPECT + b"Content-Length: 5\r\n", target=b"/none"), ANSWER,
   after(100, b"hello")], "404 close", "404 keep", "100 404 keep")
V("expect.too_large", "9110 10.1.1",
  [post(EXPECT + b"Content-Length: 2000000\r\n"), ANSWER,
   after(100, b"x" * 2000000)], "413 close", "100 413 close")
V("expect.bad_request", "9110 10.1.1",
  [post(EXPECT + b"Content-Length: x\r\n"), ANSWER, NEXT], "400 close",
  smuggling=True)

# ------------------------------------------------- bodies nobody looks at

V("unread.length", "9112 9.3",
  post(b"Content-Length: 5\r\n", b"hello", b"/ignore") + NEXT,
  "200:ignored 200 keep", "200:ignored close", smuggling=True)
V("unread.chunked", "9112 9.3",
  chunked(HELLO, b"/ignore") + NEXT, "200:ignored 200 keep",
  "200:ignored close", smuggling=True)
V("unread.chunked_bad", "9112 9.3",
  chunked(b"x\r\n\r\n", b"/ignore") + NEXT, "200:ignored drop", "400 close",
  smuggling=True)
V("unread.not_found", "9112 9.3",
  post(b"Content-Length: 5\r\n", b"hello", b"/none") + NEXT, "404 200 keep",
  "404 close", smuggling=True)
V("unread.not_allowed", "9112 9.3",
  post(b"Content-Length: 5\r\n", b"hello", b"/plaintext") + NEXT,
  "405 200 keep", "405 close", smuggling=True)
V("unread.large", "9112 9.3",
  [post(b"Content-Length: 1000000\r\n", b"x" * 1000000, b"/ignore"), NEXT],
  "200:ignored drop", "200:ignored 200 keep", smuggling=True)
V("unread.cut", "9112 8",
  [post(b"Content-Length: 50\r\n", b"hello", b"/whole"), END], "close",
  "400 close")
V("unread.cut_chunk", "9112 8", [chunked(b"5\r\nhel"), END], "close",
  "400 close")
V("unread.cut_chunks", "9112 8", [chunked(b"5\r\nhello\r\n"), END], "close",
  "400 close")
