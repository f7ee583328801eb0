# SPDX-License-Identifier: BSD-2-Clause
"""The target of a request, and the Host beside it."""

from .table import HOST, NEXT, V, get, request

# -------------------------------------------------------------------- target

V("target.query", "9112 3.2.1", get(target=b"/echo?a=b&c=/d?e"), "200 keep")
V("target.empty_query", "9112 3.2.1", get(target=b"/echo?"), "200 keep")
V("target.symbols", "3986 3.3",
  get(target=b"/echo?-._~!$&'()*+,;=:@/?%20"), "200 keep")
V("target.escaped_letter", "3986 6.2.2.2", get(target=b"/%65cho"),
  "200 keep", "404 keep")
V("target.escaped_value", "3986 2.1", get(target=b"/users/%41%2fb"),
  "200:A/b keep")
V("target.utf8_escaped", "3986 2.5", get(target=b"/users/%c3%a4"),
  "200:\u00e4 keep")
V("target.not_found", "9110 15.5.5", get(target=b"/none"), "404 keep")
for name, target in (("percent_alone", b"/users/%"),
                     ("percent_one_digit", b"/users/%4"),
                     ("percent_no_hex", b"/users/%zz"),
                     ("percent_unicode", b"/users/%u0041"),
                     ("percent_query", b"/echo?a=%"),
                     ("percent_query_cut", b"/echo?a=%2")):
    V(f"target.{name}", "3986 2.1", get(target=target), "400 close",
      "200 keep", "400 keep")
V("target.fragment", "9112 3.2", get(target=b"/echo#a"), "400 close",
  "301 keep", "200 keep", "404 keep")
for name, byte in (("nul", b"\0"), ("control", b"\x01"), ("escape", b"\x1b"),
                   ("delete", b"\x7f")):
    V(f"target.{name}", "9112 3.2", get(target=b"/echo?" + byte) + NEXT,
      "400 close")
V("target.latin1", "9112 3.2", get(target=b"/echo?\xe4"), "400 close",
  "200 keep")
V("target.utf8", "9112 3.2", get(target="/echo?\u00e4".encode()),
  "400 close", "200 keep")
V("target.browser_symbols", "9112 3.2", get(target=b"/echo?[a|b]{c}^`\\"),
  "200 keep", "400 close", "301 keep")
V("target.cr", "9112 2.2", get(target=b"/echo?\rX: y"), "400 close")
V("target.lf", "9112 3", b"GET /echo?\nHost: a\r\n\r\n", "400 close")
for name, target in (("empty", b""), ("relative", b"echo"),
                     ("dots", b"../echo"), ("query_alone", b"?a"),
                     ("asterisk", b"*"), ("asterisk_path", b"*/echo"),
                     ("authority", b"a:80"), ("host_alone", b"a"),
                     ("port_alone", b":80"), ("backslash", b"\\echo")):
    V(f"target.{name}", "9112 3.2", get(target=target) + NEXT, "400 close")
V("target.asterisk_query", "9112 3.2.4",
  request(b"OPTIONS *?a HTTP/1.1"), "400 close")
V("target.asterisk_more", "9112 3.2.4",
  request(b"OPTIONS ** HTTP/1.1"), "400 close")
V("target.post_asterisk", "9112 3.2.4",
  request(b"POST * HTTP/1.1", HOST + b"Content-Length: 0\r\n"), "400 close")

# ------------------------------------------------------------- absolute form

for name, target in (
        ("plain", b"http://a/echo"), ("query", b"http://a/echo?b=c"),
        ("port", b"http://a:80/echo"), ("empty_port", b"http://a:/echo"),
        ("large_letters", b"HTTP://A/echo"), ("tls", b"https://a/echo")):
    V(f"absolute.{name}", "9112 3.2.2", get(target=target), "200 keep")
for name, authority in (("ipv4", b"127.0.0.1"), ("ipv6", b"[::1]")):
    V(f"absolute.{name}", "9112 3.2.2",
      request(b"GET http://" + authority + b"/echo HTTP/1.1",
              b"Host: " + authority + b"\r\n"), "200 keep")
V("absolute.other_host", "9112 3.2.2",
  request(b"GET http://b/host HTTP/1.1", b"Host: a\r\n"), "200:b keep",
  "400 close")
V("absolute.empty_host_field", "9112 3.2.2",
  request(b"GET http://b/host HTTP/1.1", b"Host:\r\n"), "200:b keep",
  "400 close")
V("absolute.no_path", "9112 3.2.2", get(target=b"http://a"), "404 keep")
V("absolute.no_path_query", "9112 3.2.2", get(target=b"http://a?b"),
  "404 keep")
V("absolute.no_host_field", "9112 3.2",
  request(b"GET http://a/echo HTTP/1.1", b""), "400 close")
V("absolute.1.0_no_host_field", "9112 3.2",
  request(b"GET http://a/echo HTTP/1.0", b""), "200 close")
V("absolute.bad_host_field", "9112 3.2",
  request(b"GET http://a/echo HTTP/1.1", b"Host: a b\r\n"), "400 close")
V("absolute.two_host_fields", "9112 3.2",
  request(b"GET http://a/echo HTTP/1.1", HOST + HOST), "400 close",
  smuggling=True)
for name, target in (
        ("no_host", b"http:///echo"), ("port_alone", b"http://:80/echo"),
        ("user", b"http://u@a/echo"), ("password", b"http://u:p@a/echo"),
        ("bad_port", b"http://a:b/echo"),
        ("open_bracket", b"http://[::1/echo"),
        ("bad_ipv6", b"http://[:::1]/echo"),
        ("one_slash", b"http:/a/echo"), ("no_slash", b"http:a/echo"),
        ("empty", b"http://"), ("no_scheme", b"://a/echo"),
        ("backslash", b"http://a\\b/echo"),
        ("two_ports", b"http://a:80:80/echo")):
    V(f"absolute.{name}", "9110 4.2", get(target=target) + NEXT, "400 close")
V("absolute.large_port", "3986 3.2.3", get(target=b"http://a:65536/echo"),
  "400 close", "200 keep")
V("absolute.ftp", "9112 3.2.2", get(target=b"ftp://a/echo"), "400 close",
  "200 keep", "404 keep")

# ---------------------------------------------------------------------- Host

def host(value):
    return request(b"GET /echo HTTP/1.1", b"Host:" + value + b"\r\n")


for name, value in (
        ("plain", b" a"), ("port", b" a:8080"), ("empty_port", b" a:"),
        ("empty", b""), ("no_blank", b"a"), ("tabs", b"\ta\t"),
        ("dots", b" www.example.com"), ("dot_at_end", b" example.com."),
        ("ipv4", b" 127.0.0.1:80"), ("ipv6", b" [::1]"),
        ("ipv6_port", b" [2001:db8::1]:443"),
        ("ipv6_ipv4", b" [::ffff:1.2.3.4]"), ("underscore", b" a_b"),
        ("sub_delims", b" a!$&'()*+,;=b"), ("escaped", b" a%20b"),
        ("large_letters", b" EXAMPLE.COM"), ("punycode", b" xn--bcher-kva")):
    V(f"host.{name}", "3986 3.2.2", host(value),
      "200 keep", *(["400 close"] if name in ("empty", "sub_delims",
                                              "escaped") else []))
V("host.ipv_future", "3986 3.2.2", host(b" [v1.a:b]"), "200 keep")
for name, value in (
        ("blank", b" a b"), ("tab", b" a\tb"), ("slash", b" a/b"),
        ("path", b" a/"), ("query", b" a?b"), ("fragment", b" a#b"),
        ("user", b" u@a"), ("backslash", b" a\\b"), ("list", b" a, b"),
        ("url", b" http://a"), ("quote", b' "a"'), ("angle", b" <a>"),
        ("caret", b" a^b"), ("pipe", b" a|b"), ("brace", b" {a}"),
        ("grave", b" a`b"), ("percent", b" a%"), ("percent_one", b" a%2"),
        ("percent_hex", b" a%zz"), ("port_letters", b" a:b"),
        ("port_sign", b" a:-1"),
        ("port_blank", b" a: 80"), ("two_ports", b" a:80:80"),
        ("port_alone", b" :80"), ("ipv6_open", b" [::1"),
        ("ipv6_bare", b" ::1"), ("ipv6_bad", b" [:::1]"),
        ("ipv6_empty", b" []"), ("ipv6_more", b" [::1]a"),
        ("ipv6_zone", b" [fe80::1%eth0]"),
        ("ipv6_long", b" [1:2:3:4:5:6:7:8:9]"),
        ("utf8", " b\u00fccher".encode()), ("latin1", b" b\xfccher"),
        ("nul", b" a\0b"), ("control", b" a\x01b"), ("delete", b" a\x7fb")):
    V(f"host.bad_{name}", "9112 3.2", host(value) + NEXT, "400 close")
for name, value in (("large", b" a:65536"),
                    ("overflow", b" a:18446744073709551696")):
    V(f"host.port_{name}", "3986 3.2.3", host(value), "400 close",
      "200 keep")
V("host.none", "9112 3.2", request(b"GET /echo HTTP/1.1", b"X: y\r\n"),
  "400 close")
V("host.no_fields", "9112 3.2", b"GET /echo HTTP/1.1\r\n\r\n", "400 close")
V("host.two", "9112 3.2",
  request(b"GET /echo HTTP/1.1", b"Host: a\r\nHost: b\r\n"), "400 close",
  smuggling=True)
V("host.two_equal", "9112 3.2",
  request(b"GET /echo HTTP/1.1", HOST + b"X: y\r\n" + HOST), "400 close",
  smuggling=True)
V("host.two_cases", "9112 3.2",
  request(b"GET /echo HTTP/1.1", b"Host: a\r\nHOST: a\r\n"), "400 close",
  smuggling=True)
V("host.second_empty", "9112 3.2",
  request(b"GET /echo HTTP/1.1", b"Host: a\r\nHost:\r\n"), "400 close",
  smuggling=True)
V("host.two_on_1.0", "9112 3.2",
  request(b"GET /echo HTTP/1.0", b"Host: a\r\nHost: b\r\n"), "400 close",
  smuggling=True)
V("host.bad_on_1.0", "9112 3.2",
  request(b"GET /echo HTTP/1.0", b"Host: a/b\r\n"), "400 close")
V("host.folded", "9112 5.2",
  request(b"GET /echo HTTP/1.1", b"Host:\r\n a\r\n"), "400 close",
  "200 keep")
