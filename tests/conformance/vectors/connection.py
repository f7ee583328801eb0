# SPDX-License-Identifier: BSD-2-Clause
"""Connections: how long they last, requests in a row, limits, and ends."""

from .table import (CHUNKED, END, HELLO, HOST, NEXT, V, chunked, each_byte,
                    get, post, request)

# --------------------------------------------------------------- Connection

V("connection.default", "9112 9.3", get(), "200 keep")
V("connection.close", "9112 9.6", get(b"Connection: close\r\n"), "200 close")
V("connection.close_large", "9110 7.6.1", get(b"CONNECTION: CLOSE\r\n"),
  "200 close")
V("connection.close_in_list", "9110 7.6.1",
  get(b"Connection: te, close ,x\r\n"), "200 close")
V("connection.close_second_line", "9110 7.6.1",
  get(b"Connection: te\r\nConnection: close\r\n"), "200 close")
V("connection.close_and_keep", "9112 9.3",
  get(b"Connection: keep-alive, close\r\n"), "200 close")
V("connection.keep", "9112 9.3", get(b"Connection: keep-alive\r\n"),
  "200 keep")
V("connection.closer", "9110 7.6.1", get(b"Connection: closer\r\n"),
  "200 keep")
V("connection.empty", "9110 7.6.1", get(b"Connection:\r\n"), "200 keep")
V("connection.empty_members", "9110 5.6.1.2",
  get(b"Connection: ,, ,close,\r\n"), "200 close")
V("connection.names_host", "9110 7.6.1", get(b"Connection: host\r\n"),
  "200 keep", "400 close")
V("connection.names_length", "9110 7.6.1",
  post(b"Connection: content-length\r\nContent-Length: 5\r\n", b"hello")
  + NEXT, "200:hello 200 keep", "400 close", smuggling=True)
V("connection.proxy", "9112 C.2.2", get(b"Proxy-Connection: close\r\n"),
  "200 keep", "200 close")
V("connection.then_another", "9112 9.6",
  get(b"Connection: close\r\n") + NEXT, "200 close", smuggling=True)
V("connection.post_then_another", "9112 9.6",
  post(b"Connection: close\r\nContent-Length: 5\r\n", b"hello") + NEXT,
  "200:hello close", smuggling=True)
V("connection.upgrade_unknown", "9110 7.8",
  get(b"Connection: upgrade\r\nUpgrade: cow/1\r\n"), "200 keep")
V("connection.upgrade_h2c", "9110 7.8",
  get(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
      b"HTTP2-Settings: AAMAAABkAAQAAP__\r\n") + NEXT, "200 200 keep",
  smuggling=True)
V("connection.upgrade_body", "9110 7.8",
  post(b"Connection: upgrade\r\nUpgrade: cow\r\nContent-Length: 5\r\n",
       b"hello") + NEXT, "200:hello 200 keep", smuggling=True)

# --------------------------------------------------------------- pipelining

V("pipeline.two", "9112 9.3.2", get() + get(), "200 200 keep")
V("pipeline.16", "9112 9.3.2", get() * 16, "200 " * 16 + "keep")
V("pipeline.100", "9112 9.3.2", get() * 100, "200 " * 100 + "keep")
V("pipeline.bodies", "9112 9.3.2",
  post(b"Content-Length: 1\r\n", b"a") + chunked(b"1\r\nb\r\n0\r\n\r\n")
  + post(b"Content-Length: 1\r\n", b"c") + get(),
  "200:a 200:b 200:c 200: keep")
V("pipeline.mixed", "9112 9.3.2",
  get(target=b"/none") + get() + request(b"HEAD /plaintext HTTP/1.1")
  + get(target=b"/plaintext"),
  "404 200 200/head 200:Hello,World! keep")
V("pipeline.each_byte", "9112 9.3.2",
  each_byte(get() + post(b"Content-Length: 1\r\n", b"a")), "200 200:a keep")
V("pipeline.cut_in_head", "9112 9.3.2",
  [get() + get()[:20], 0.05, get()[20:]], "200 200 keep")
V("pipeline.bad_second", "9112 9.3.2",
  get() + get(b"X : y\r\n") + NEXT, "200 400 close", smuggling=True)
V("pipeline.bad_third", "9112 9.3.2",
  get() + post(b"Content-Length: 1\r\n", b"a") + b"\0\r\n\r\n",
  "200 200:a 400 close")
V("pipeline.no_host_second", "9112 9.3.2",
  get() + b"GET /echo HTTP/1.1\r\n\r\n", "200 400 close")
V("pipeline.bad_chunk_second", "9112 9.3.2",
  get() + chunked(b"x\r\n") + NEXT, "200 400 close", smuggling=True)
V("pipeline.large_head_second", "9112 9.3.2",
  get() + get(b"X: " + b"y" * 100000 + b"\r\n"), "200 431 close")
V("pipeline.unknown_method_second", "9112 9.3.2",
  get() + request(b"BREW /echo HTTP/1.1"), "200 501 close", "200 200 keep")
V("pipeline.body_then_garbage", "9112 9.3.2",
  post(b"Content-Length: 5\r\n", b"hello") + b"xyz\r\n\r\n",
  "200:hello 400 close", smuggling=True)

# -------------------------------------------------------------------- pieces

V("pieces.head", "9112 2.2", each_byte(get(b"X: y\r\n")), "200 keep")
V("pieces.bad", "9112 2.2", each_byte(get(b"X : y\r\n")), "400 close")
V("pieces.line_end", "9112 2.2",
  [get()[:-1], 0.05, get()[-1:]], "200 keep")
V("pieces.between_ends", "9112 2.2", [get()[:-2], 0.05, get()[-2:]],
  "200 keep")
V("pieces.body", "9112 6.3",
  [post(b"Content-Length: 5\r\n"), 0.05, b"hel", 0.05, b"lo"],
  "200:hello keep")
V("pieces.chunk_end", "9112 7.1",
  [chunked(HELLO[:-1]), 0.05, HELLO[-1:] + NEXT], "200:hello 200 keep")
V("pieces.lf_late", "9112 2.2",
  [get()[:-2] + b"\n", 0.05, NEXT], "400 close", "200 200 keep")

# ---------------------------------------------------------------------- ends

V("end.nothing", "9112 9.6", [END], "close", "400 close")
V("end.blank_line", "9112 2.2", [b"\r\n", END], "close", "400 close")
V("end.after_request", "9112 9.6", [get(), END], "200 close")
V("end.after_post", "9112 9.6",
  [post(b"Content-Length: 5\r\n", b"hello"), END], "200:hello close")
V("end.after_chunks", "9112 9.6", [chunked(HELLO), END], "200:hello close")
V("end.after_two", "9112 9.6", [get() + get(), END], "200 200 close")
V("end.in_line", "9112 8", [b"GET /echo HT", END], "close", "400 close")
V("end.in_head", "9112 8", [get()[:-2], END], "close", "400 close")
V("end.after_close", "9112 9.6", [get(b"Connection: close\r\n"), END],
  "200 close")
V("end.second_cut", "9112 8", [get() + get()[:-3], END], "200 close",
  "200 400 close")
V("end.half_line_waits", "9112 8", b"GET /echo HTTP/1.1\r\nHost: a\r\n",
  "waits")

# -------------------------------------------------------------------- limits

V("limit.target_4000", "9112 3", get(target=b"/echo?" + b"a" * 3994),
  "200 keep")
V("limit.target_8000", "9112 3", get(target=b"/echo?" + b"a" * 7994),
  "200 keep")
V("limit.target_9000", "9110 15.5.15", get(target=b"/echo?" + b"a" * 8994),
  "414 close", "200 keep")
V("limit.target_100000", "9110 15.5.15",
  get(target=b"/echo?" + b"a" * 100000) + NEXT, "414 close")
V("limit.target_endless", "9110 15.5.15", b"GET /" + b"a" * 300000,
  "414 close")
V("limit.method_endless", "9112 3", b"A" * 300000, "431 close")
V("limit.head_12000", "9110 5.4",
  get((b"X: " + b"y" * 995 + b"\r\n") * 12), "200 keep", "431 close")
V("limit.head_20000", "9110 5.4",
  get((b"X: " + b"y" * 995 + b"\r\n") * 20) + NEXT, "431 close",
  "200 200 keep")
V("limit.head_endless", "6585 5",
  get((b"X: " + b"y" * 995 + b"\r\n") * 300), "431 close")
V("limit.name_endless", "6585 5",
  request(b"GET /echo HTTP/1.1", HOST + b"X" * 300000), "431 close")
V("limit.value_endless", "6585 5",
  request(b"GET /echo HTTP/1.1", HOST + b"X: " + b"y" * 300000), "431 close")
V("limit.fields_90", "9110 5.4", get(b"X: y\r\n" * 90), "200 keep")
V("limit.fields_200", "6585 5", get(b"X: y\r\n" * 200) + NEXT, "431 close",
  "200 200 keep")
V("limit.fields_20000", "6585 5", get(b"X: y\r\n" * 20000), "431 close")
V("limit.blank_lines", "9112 2.2", b"\r\n" * 100 + get(), "400 close",
  "200 keep")
V("limit.blank_lines_endless", "9112 2.2", b"\r\n" * 100000, "400 close",
  "close", "waits")
V("limit.blank_lines_trickle", "9112 2.2", each_byte(b"\r\n" * 30),
  "400 close", "close", "waits")
V("limit.body", "9110 15.5.14",
  post(b"Content-Length: 1048576\r\n", b"x" * 1048576), "200:1048576 keep")
V("limit.body_over", "9110 15.5.14",
  post(b"Content-Length: 1048577\r\n", b"x" * 1048577), "413 close")
V("limit.body_chunked", "9110 15.5.14",
  chunked((b"8000\r\n" + b"x" * 32768 + b"\r\n") * 32 + b"0\r\n\r\n"),
  "200:1048576 keep")
V("limit.body_over_chunked", "9110 15.5.14",
  chunked(b"10000\r\n" + b"x" * 65536 + b"\r\n"
          + (b"8000\r\n" + b"x" * 32768 + b"\r\n") * 40 + b"0\r\n\r\n"),
  "413 close", "200:1376256 keep")
V("limit.body_announced", "9110 15.5.14",
  post(b"Content-Length: 9223372036854775807\r\n", b"hello") + NEXT,
  "413 close", smuggling=True)
V("limit.chunk_announced", "9110 15.5.14",
  chunked(b"7fffffffffffffff\r\nhello") + NEXT, "413 close", "waits",
  "400 close", smuggling=True)
