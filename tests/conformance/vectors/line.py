# SPDX-License-Identifier: BSD-2-Clause
"""The request line: methods, forms of the target, versions."""

from .table import HOST, NEXT, V, get, post, request

# ------------------------------------------------------------------ methods

for method in b"GET", b"POST", b"PUT", b"DELETE", b"PATCH", b"OPTIONS":
    V(f"method.{method.decode().lower()}", "9110 9.3",
      request(method + b" /echo HTTP/1.1", HOST + b"Content-Length: 0\r\n"),
      "200: keep")
V("method.head", "9110 9.3.2", request(b"HEAD /plaintext HTTP/1.1"),
  "200/head keep")
V("method.head_of_echo", "9110 9.3.2", request(b"HEAD /echo HTTP/1.1"),
  "200/head keep")
V("method.head_not_found", "9110 9.3.2", request(b"HEAD /none HTTP/1.1"),
  "404/head keep")
V("method.head_then_get", "9110 9.3.2",
  request(b"HEAD /plaintext HTTP/1.1") + get(target=b"/plaintext"),
  "200/head 200:Hello,World! keep")
V("method.options_of_resource", "9110 9.3.7",
  request(b"OPTIONS /plaintext HTTP/1.1"), "204 keep", "200 keep",
  "405 keep")
V("method.options_asterisk", "9112 3.2.4", request(b"OPTIONS * HTTP/1.1"),
  "204 keep", "200 keep", "405 keep")
V("method.options_asterisk_body", "9112 3.2.4",
  request(b"OPTIONS * HTTP/1.1", HOST + b"Content-Length: 5\r\n", b"hello"),
  "204 keep", "200 keep", "405 keep")
V("method.options_absolute", "9112 3.2.4",
  request(b"OPTIONS http://a HTTP/1.1"), "404 keep", "204 keep", "200 keep",
  "405 keep")
V("method.trace", "9110 9.3.8", request(b"TRACE /echo HTTP/1.1"),
  "405 keep", "200 keep", "405 close", "501 close")
V("method.connect", "9112 3.2.3", request(b"CONNECT a:443 HTTP/1.1"),
  "501 close", "405 keep", "404 keep")
V("method.connect_path", "9112 3.2.3", request(b"CONNECT /echo HTTP/1.1"),
  "501 close", "405 keep")
V("method.connect_body", "9110 9.3.6",
  request(b"CONNECT a:80 HTTP/1.1", HOST + b"Content-Length: 5\r\n",
          b"hello") + NEXT, "501 close", "404 200 keep", smuggling=True)
V("method.not_of_resource", "9110 15.5.6",
  request(b"DELETE /plaintext HTTP/1.1"), "405 keep", "405 close")
V("method.unknown", "9110 9.1", request(b"BREW /echo HTTP/1.1"),
  "501 close", "200 keep", "501 keep")
V("method.unknown_like_get", "9110 9.1", request(b"GETT /echo HTTP/1.1"),
  "501 close", "200 keep", "501 keep")
V("method.small", "9110 9.1", request(b"get /echo HTTP/1.1"),
  "501 close", "200 keep", "501 keep")
V("method.mixed", "9110 9.1", request(b"Get /echo HTTP/1.1"),
  "501 close", "200 keep", "501 keep")
V("method.symbols", "9110 5.6.2", request(b"M-!#$%&'*+.^_`|~ /echo HTTP/1.1"),
  "501 close", "200 keep", "501 keep")
V("method.long", "9112 3", request(b"A" * 200 + b" /echo HTTP/1.1"),
  "501 close", "200 keep", "501 keep")
for name, method in (("none", b""), ("bracket", b"G(T"), ("brace", b"G{T"),
                     ("slash", b"GE/T"), ("quote", b'"GET"'),
                     ("nul", b"GE\0T"), ("delete", b"GET\x7f"),
                     ("utf8", "G\u00cbT".encode()), ("colon", b"GET:")):
    V(f"method.bad_{name}", "9110 9.1",
      request(method + b" /echo HTTP/1.1") + NEXT, "400 close")

# ------------------------------------------------------ blanks and line ends

for name, line in (
        ("two_after_method", b"GET  /echo HTTP/1.1"),
        ("two_after_target", b"GET /echo  HTTP/1.1"),
        ("tab_after_method", b"GET\t/echo HTTP/1.1"),
        ("tab_after_target", b"GET /echo\tHTTP/1.1"),
        ("at_end", b"GET /echo HTTP/1.1 "),
        ("tab_at_end", b"GET /echo HTTP/1.1\t"),
        ("in_front", b" GET /echo HTTP/1.1"),
        ("vertical_tab", b"GET\x0b/echo HTTP/1.1"),
        ("form_feed", b"GET /echo\x0cHTTP/1.1"),
        ("bare_cr", b"GET /echo\rHTTP/1.1")):
    V(f"blank.{name}", "9112 3", request(line), "400 close", "200 keep")
V("blank.in_target", "9112 3.2", request(b"GET /echo a HTTP/1.1"),
  "400 close", "301 keep")
V("blank.request_in_target", "9112 3.2",
  request(b"GET /echo HTTP/1.1 x: /echo HTTP/1.1") + NEXT, "400 close",
  smuggling=True)
V("blank.only", "9112 3", b"  \r\n\r\n", "400 close")
V("line.lf_alone", "9112 2.2", b"GET /echo HTTP/1.1\n" + HOST + b"\r\n",
  "400 close", "200 keep")
V("line.cr_alone", "9112 2.2", b"GET /echo HTTP/1.1\r" + HOST + b"\r\n" + NEXT,
  "400 close", smuggling=True)
V("line.cr_cr_lf", "9112 2.2",
  b"GET /echo HTTP/1.1\r\r\n" + HOST + b"\r\n" + NEXT, "400 close",
  "200 200 keep", smuggling=True)
V("line.no_version", "9112 3", b"GET /echo\r\n" + HOST + b"\r\n", "400 close",
  "505 close")
V("line.simple_request", "9112 3", b"GET /echo\r\n", "400 close",
  "505 close", "200:cut close", "200 close")
V("line.method_alone", "9112 3", b"GET\r\n\r\n", "400 close")
V("line.target_missing", "9112 3", request(b"GET HTTP/1.1"), "400 close")
V("line.blank_first", "9112 2.2", b"\r\n" + get(), "200 keep")
V("line.two_blank_first", "9112 2.2", b"\r\n\r\n" + get(), "200 keep",
  "400 close")
V("line.lf_first", "9112 2.2", b"\n" + get(), "400 close", "200 keep")
V("line.cr_first", "9112 2.2", b"\r" + get(), "400 close")
V("line.blank_between", "9112 2.2", get() + b"\r\n" + get(), "200 200 keep")
V("line.crlf_after_post", "9112 2.2",
  post(b"Content-Length: 5\r\n", b"hello\r\n") + get(),
  "200:hello 200 keep")
V("line.tls_hello", "9112 3",
  bytes.fromhex("16030100750100007103036162636465666768696a6b6c6d6e6f70") +
  b"\0" * 60, "400 close", "close")
V("line.ssh", "9112 3", b"SSH-2.0-OpenSSH_9.2\r\n", "400 close", "close")
V("line.h2_preface", "9112 9.7",
  b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0",
  "505 close", "close", "999 close", "999 waits")
V("line.h2_preface_cut", "9112 9.7", [b"PRI * HTTP/2.0\r\n\r\n"],
  "505 close", "close", "waits")
V("line.h2_preface_later", "9112 9.7",
  get() + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "200 505 close", "200 close")

# ------------------------------------------------------------------ versions

for name, version in (("1.2", b"HTTP/1.2"), ("1.9", b"HTTP/1.9")):
    V(f"version.{name}", "9110 2.5", request(b"GET /echo " + version),
      "505 close", "200 keep")
for name, version in (("0.9", b"HTTP/0.9"), ("2.0", b"HTTP/2.0"),
                      ("3.0", b"HTTP/3.0"), ("9.9", b"HTTP/9.9")):
    V(f"version.{name}", "9110 15.6.6",
      request(b"GET /echo " + version) + NEXT, "505 close")
for name, version in (
        ("small", b"http/1.1"), ("mixed", b"Http/1.1"), ("two", b"HTTP/2"),
        ("minor_two_digits", b"HTTP/1.10"), ("minor_zero", b"HTTP/1.01"),
        ("major_zero", b"HTTP/01.1"), ("major_two_digits", b"HTTP/11.1"),
        ("comma", b"HTTP/1,1"), ("blank", b"HTTP/ 1.1"),
        ("blank_inside", b"HTTP /1.1"), ("no_minor", b"HTTP/1."),
        ("no_digits", b"HTTP/"), ("sign", b"HTTP/+1.1"),
        ("letter", b"HTTP/1.x"), ("backslash", b"HTTP\\1.1"),
        ("other", b"HTTPS/1.1"), ("icy", b"ICY/1.0"),
        ("more", b"HTTP/1.1x"), ("digits", b"HTTP/1.11111111111111")):
    V(f"version.{name}", "9112 2.3",
      request(b"GET /echo " + version) + NEXT, "400 close")
V("version.1.0", "9112 9.3", request(b"GET /echo HTTP/1.0"), "200 close")
V("version.1.0_no_host", "9112 3.2", request(b"GET /echo HTTP/1.0", b""),
  "200 close")
V("version.1.0_keep", "9112 9.3",
  request(b"GET /echo HTTP/1.0", HOST + b"Connection: keep-alive\r\n"),
  "200 keep", "200 close")
V("version.1.0_keep_close", "9112 9.3",
  request(b"GET /echo HTTP/1.0", HOST + b"Connection: keep-alive, close\r\n"),
  "200 close")
V("version.1.0_post", "9112 6.3",
  request(b"POST /whole HTTP/1.0", HOST + b"Content-Length: 5\r\n", b"hello"),
  "200:hello close")
V("version.1.0_then_another", "9112 9.3",
  request(b"GET /echo HTTP/1.0") + NEXT, "200 close")
V("version.1.0_no_chunks", "9112 7",
  request(b"POST /stream HTTP/1.0", HOST + b"Content-Length: 5\r\n",
          b"hello"), "200:hello close")
