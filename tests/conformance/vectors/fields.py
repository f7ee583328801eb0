# SPDX-License-Identifier: BSD-2-Clause
"""Fields of the head, and which of them give the length of the body."""

from .table import CHUNKED, HELLO, HOST, NEXT, V, get, post, request

# --------------------------------------------------------------- field lines

V("field.no_blank", "9112 5", get(b"X:y\r\n"), "200 keep")
V("field.blanks_around", "9112 5", get(b"X: \t y \t \r\n"), "200 keep")
V("field.empty", "9112 5", get(b"X:\r\nY: \r\n"), "200 keep")
V("field.all_symbols", "9110 5.6.2", get(b"!#$%&'*+-.^_`|~9a: b\r\n"),
  "200 keep")
V("field.latin1_value", "9110 5.5", get(b"X: \xe4\xff\r\n"), "200 keep",
  "400 close")
V("field.utf8_value", "9110 5.5", get("X: \u00e4\r\n".encode()), "200 keep",
  "400 close")
V("field.colon_value", "9112 5", get(b"X: a:b\r\n"), "200 keep")
V("field.blank_before_colon", "9112 5.1", get(b"X : y\r\n") + NEXT,
  "400 close", smuggling=True)
V("field.tab_before_colon", "9112 5.1", get(b"X\t: y\r\n") + NEXT,
  "400 close", smuggling=True)
V("field.blank_in_name", "9112 5.1", get(b"X Y: z\r\n") + NEXT, "400 close")
V("field.no_name", "9112 5", get(b": y\r\n") + NEXT, "400 close")
V("field.no_colon", "9112 5", get(b"X\r\n") + NEXT, "400 close")
V("field.first_is_folded", "9112 2.2",
  request(b"GET /echo HTTP/1.1", b" X: y\r\n" + HOST) + NEXT, "400 close",
  "200 200 keep", smuggling=True)
V("field.first_is_folded_host", "9112 2.2",
  request(b"GET /echo HTTP/1.1", b" Host: b\r\n" + HOST) + NEXT, "400 close",
  "200 200 keep", smuggling=True)
for name, byte in (("nul", b"\0"), ("bell", b"\x07"), ("escape", b"\x1b"),
                   ("delete", b"\x7f"), ("bracket", b"["), ("at", b"@"),
                   ("slash", b"/"), ("quote", b'"'), ("latin1", b"\xe4"),
                   ("comma", b","), ("brace", b"{")):
    V(f"field.name_{name}", "9110 5.1", get(b"X" + byte + b"Y: z\r\n") + NEXT,
      "400 close")
# To be refused, or replaced by a blank; other controls may be retained.
for name, byte in (("nul", b"\0"), ("bell", b"\x07"), ("backspace", b"\x08"),
                   ("vertical_tab", b"\x0b"), ("form_feed", b"\x0c"),
                   ("escape", b"\x1b"), ("delete", b"\x7f")):
    V(f"field.value_{name}", "9110 5.5", get(b"X: y" + byte + b"z\r\n"),
      "400 close", "200 keep")
V("field.value_cr", "9112 2.2", get(b"X: y\rz\r\n"), "400 close", "200 keep",
  smuggling=True)
V("field.value_cr_at_end", "9112 2.2", get(b"X: y\r\r\n"), "400 close",
  "200 keep", smuggling=True)
V("field.cr_field", "9112 2.2",
  post(b"X: y\rTransfer-Encoding: chunked\r\nContent-Length: 5\r\n",
       b"hello") + NEXT, "400 close", "200:hello 200 keep", smuggling=True)
V("field.cr_after_colon", "9112 2.2",
  post(b"X:\rTransfer-Encoding: chunked\r\nContent-Length: 5\r\n",
       b"hello") + NEXT, "400 close", "200:hello 200 keep", smuggling=True)
V("field.lf_field", "9112 2.2", get(b"X: y\nZ: z\r\n"), "400 close",
  "200 keep", smuggling=True)
V("field.lf_end", "9112 2.2", b"GET /echo HTTP/1.1\r\n" + HOST + b"\n",
  "400 close", "200 keep", smuggling=True)
V("field.lf_all", "9112 2.2", b"GET /echo HTTP/1.1\nHost: a\n\n",
  "400 close", "200 keep", smuggling=True)
V("field.end_cr_x", "9112 2.2",
  b"GET /echo HTTP/1.1\r\n" + HOST + b"\rX\r\n\r\n" + NEXT, "400 close",
  smuggling=True)
V("field.end_cr_cr_lf", "9112 2.2",
  b"GET /echo HTTP/1.1\r\n" + HOST + b"\r\r\n" + NEXT, "400 close",
  smuggling=True)
V("field.fold", "9112 5.2", get(b"X: y\r\n z\r\n"), "400 close", "200 keep",
  smuggling=True)
V("field.fold_tab", "9112 5.2", get(b"X: y\r\n\tz\r\n"), "400 close",
  "200 keep", smuggling=True)
V("field.fold_blank_line", "9112 5.2", get(b"X: y\r\n \r\n"), "400 close",
  "200 keep", smuggling=True)
V("field.fold_length", "9112 5.2",
  post(b"Content-Length:\r\n 5\r\n", b"hello"), "400 close",
  "200:hello keep", smuggling=True)
V("field.fold_coding", "9112 5.2",
  post(b"Transfer-Encoding:\r\n chunked\r\n", HELLO), "400 close",
  "200:hello keep", smuggling=True)
V("field.fold_hides_length", "9112 5.2",
  post(b"X: y\r\n\tContent-Length: 5\r\n", b"") + NEXT, "400 close",
  "200 200 keep", smuggling=True)

# ------------------------------------------------------------ Content-Length

V("length.plain", "9112 6.3", post(b"Content-Length: 5\r\n", b"hello"),
  "200:hello keep")
V("length.zero", "9112 6.3", post(b"Content-Length: 0\r\n"), "200: keep")
V("length.none", "9112 6.3", post(b"") + NEXT, "200: 200 keep", "411 close",
  smuggling=True)
V("length.zeros_in_front", "9110 8.6",
  post(b"Content-Length: 00005\r\n", b"hello"), "200:hello keep")
V("length.small_letters", "9110 5.1",
  post(b"content-length: 5\r\n", b"hello"), "200:hello keep")
V("length.blanks", "9112 5", post(b"Content-Length: \t5 \t\r\n", b"hello"),
  "200:hello keep")
V("length.of_get", "9110 9.3.1",
  request(b"GET /echo HTTP/1.1", HOST + b"Content-Length: 5\r\n", b"hello")
  + NEXT, "200:hello 200 keep", "400 close", smuggling=True)
V("length.of_head", "9110 9.3.2",
  request(b"HEAD /echo HTTP/1.1", HOST + b"Content-Length: 5\r\n", b"hello")
  + NEXT, "200/head 200 keep", "400 close", smuggling=True)
V("length.of_delete", "9110 9.3.5",
  request(b"DELETE /echo HTTP/1.1", HOST + b"Content-Length: 5\r\n",
          b"hello") + NEXT, "200:hello 200 keep", "400 close",
  smuggling=True)
for name, value in (
        ("plus", b"+5"), ("minus", b"-5"), ("minus_zero", b"-0"),
        ("hex", b"0x5"), ("hex_digit", b"a"), ("exponent", b"5e0"),
        ("point", b"5.0"), ("blank_inside", b"0 5"), ("tab_inside", b"0\t5"),
        ("underscore", b"0_5"), ("quoted", b'"5"'), ("letter_behind", b"5x"),
        ("semicolon", b"5;"), ("empty", b""), ("text", b"five"),
        ("arabic", "\u0665".encode()), ("nul_behind", b"5\0"),
        ("list_differs", b"5, 6"), ("list_differs_zero", b"0, 5"),
        ("list_empty", b"5,"), ("list_first_empty", b",5"),
        ("64_bit", b"18446744073709551621"),
        ("32_bit_and_64", b"79228162514264337593543950341"),
        ("negative_64_bit", b"9223372036854775808")):
    V(f"length.{name}", "9112 6.3",
      post(b"Content-Length: " + value + b"\r\n", b"hello") + NEXT,
      "400 close", *(["200:hello 200 keep"] if "empty" == name[-5:]
                     and "list" in name else []), smuggling=True)
V("length.32_bit", "9112 6.3",
  post(b"Content-Length: 4294967301\r\n", b"hello") + NEXT, "413 close",
  smuggling=True)
V("length.list_equal", "9110 8.6",
  post(b"Content-Length: 5, 5\r\n", b"hello"), "400 close",
  "200:hello keep", smuggling=True)
V("length.two_equal", "9110 8.6",
  post(b"Content-Length: 5\r\nContent-Length: 5\r\n", b"hello"),
  "400 close", "200:hello keep", smuggling=True)
V("length.two_differ", "9112 6.3",
  post(b"Content-Length: 5\r\nContent-Length: 6\r\n", b"hello") + NEXT,
  "400 close", smuggling=True)
V("length.two_cases", "9112 6.3",
  post(b"Content-Length: 0\r\ncontent-length: 5\r\n", b"hello") + NEXT,
  "400 close", smuggling=True)
V("length.second_empty", "9112 6.3",
  post(b"Content-Length: 5\r\nContent-Length:\r\n", b"hello") + NEXT,
  "400 close", smuggling=True)
V("length.name_underscore", "9112 6.3",
  post(b"Content_Length: 5\r\n", b"") + NEXT, "200: 200 keep", "400 close",
  smuggling=True)
V("length.too_short", "9112 6.3",
  post(b"Content-Length: 5\r\n", b"hello" + NEXT), "200:hello 200 keep",
  smuggling=True)
V("length.too_long", "9112 6.3", post(b"Content-Length: 6\r\n", b"hello"),
  "waits")

# --------------------------------------------------------- Transfer-Encoding

V("coding.chunked", "9112 6.1", post(CHUNKED, HELLO), "200:hello keep")
V("coding.large_letters", "9112 7",
  post(b"TRANSFER-ENCODING: CHUNKED\r\n", HELLO), "200:hello keep")
V("coding.blanks", "9112 5", post(b"Transfer-Encoding:\t chunked \t\r\n",
                                  HELLO), "200:hello keep")
V("coding.of_get", "9110 9.3.1",
  request(b"GET /echo HTTP/1.1", HOST + CHUNKED, HELLO) + NEXT,
  "200:hello 200 keep", "400 close", smuggling=True)
V("coding.of_head", "9110 9.3.2",
  request(b"HEAD /echo HTTP/1.1", HOST + CHUNKED, HELLO) + NEXT,
  "200/head 200 keep", "400 close", smuggling=True)
for name, fields in (
        ("and_length", CHUNKED + b"Content-Length: 5\r\n"),
        ("and_length_first", b"Content-Length: 5\r\n" + CHUNKED),
        ("and_length_zero", CHUNKED + b"Content-Length: 0\r\n"),
        ("and_length_right", CHUNKED + b"Content-Length: 15\r\n")):
    V(f"coding.{name}", "9112 6.1", post(fields, HELLO) + NEXT, "400 close",
      "200:hello close", smuggling=True)
V("coding.and_bad_length", "9112 6.3",
  post(CHUNKED + b"Content-Length: x\r\n", HELLO) + NEXT, "400 close",
  "200:hello close", smuggling=True)
for name, value in (
        ("identity", b"identity"), ("gzip", b"gzip"),
        ("chunked_first", b"chunked, gzip"),
        ("chunked_identity", b"chunked, identity"),
        ("chunked_twice", b"chunked, chunked"), ("prefix", b"xchunked"),
        ("suffix", b"chunkedx"), ("short", b"chunke"), ("cow", b"cow"),
        ("quoted", b'"chunked"'), ("single_quoted", b"'chunked'"),
        ("blank_inside", b"chun ked"), ("blank_list", b"gzip chunked"),
        ("semicolon", b"chunked;"), ("parameter", b"chunked;a=b"),
        ("colon", b": chunked"), ("empty", b""), ("comma", b","),
        ("slash", b"chunked/1"), ("vertical_tab", b"\x0bchunked"),
        ("form_feed", b"chunked\x0c"), ("nul", b"chunked\0"),
        ("control", b"\x01chunked"), ("delete", b"chunked\x7f"),
        ("latin1_blank", b"\xa0chunked"), ("latin1_y", b"chunked\xff"),
        ("point", b"chunked.")):
    V(f"coding.{name}", "9112 6.1",
      post(b"Transfer-Encoding: " + value + b"\r\n", HELLO) + NEXT,
      "400 close", smuggling=True)
for name, value in (("gzip_chunked", b"gzip, chunked"),
                    ("identity_chunked", b"identity, chunked"),
                    ("cow_chunked", b"cow, chunked")):
    V(f"coding.{name}", "9112 6.1",
      post(b"Transfer-Encoding: " + value + b"\r\n", HELLO) + NEXT,
      "501 close", smuggling=True)
V("coding.comma_behind", "9110 5.6.1.2",
  post(b"Transfer-Encoding: chunked,\r\n", HELLO) + NEXT, "400 close",
  "200:hello 200 keep", smuggling=True)
V("coding.comma_in_front", "9110 5.6.1.2",
  post(b"Transfer-Encoding: , chunked\r\n", HELLO) + NEXT, "400 close",
  "200:hello 200 keep", smuggling=True)
V("coding.two_lines", "9112 6.1", post(CHUNKED + CHUNKED, HELLO) + NEXT,
  "400 close", smuggling=True)
V("coding.two_lines_gzip", "9112 6.1",
  post(b"Transfer-Encoding: gzip\r\n" + CHUNKED, HELLO) + NEXT, "501 close",
  smuggling=True)
V("coding.two_lines_identity", "9112 6.1",
  post(CHUNKED + b"Transfer-Encoding: identity\r\n", HELLO) + NEXT,
  "400 close", smuggling=True)
V("coding.two_lines_empty", "9112 6.1",
  post(CHUNKED + b"Transfer-Encoding:\r\n", HELLO) + NEXT, "400 close",
  "200:hello 200 keep", smuggling=True)
V("coding.blank_before_colon", "9112 5.1",
  post(b"Transfer-Encoding : chunked\r\n", HELLO) + NEXT, "400 close",
  smuggling=True)
V("coding.name_underscore", "9112 6.1",
  post(b"Transfer_Encoding: chunked\r\nContent-Length: 5\r\n", b"hello")
  + NEXT, "200:hello 200 keep", "400 close", smuggling=True)
V("coding.on_1.0", "9112 6.1",
  request(b"POST /whole HTTP/1.0", HOST + CHUNKED, HELLO) + NEXT,
  "400 close", "200:hello close", smuggling=True)
V("coding.on_1.0_keep", "9112 6.1",
  request(b"POST /whole HTTP/1.0",
          HOST + b"Connection: keep-alive\r\n" + CHUNKED, HELLO) + NEXT,
  "400 close", "200:hello close", smuggling=True)
V("coding.on_1.0_and_length", "9112 6.1",
  request(b"POST /whole HTTP/1.0",
          HOST + b"Content-Length: 5\r\n" + CHUNKED, HELLO) + NEXT,
  "400 close", "200:hello close", smuggling=True)
V("coding.te_is_no_framing", "9110 10.1.4",
  post(b"TE: chunked\r\nConnection: TE\r\nContent-Length: 5\r\n", b"hello"),
  "200:hello keep")
V("coding.content_encoding", "9110 8.4",
  post(b"Content-Encoding: chunked\r\nContent-Length: 5\r\n", b"hello"),
  "200:hello keep", "415 keep", "415 close")
