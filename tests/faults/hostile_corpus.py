"""Requests that are malformed, or that two readers could read differently. Each is (name, octets)."""

REQUEST = b"%s %s HTTP/1.1\r\nHost: a\r\n%s\r\n%s"
BODY = b"12345"


def get(target=b"/x", fields=b""):
    return REQUEST % (b"GET", target, fields, b"")


def post(fields, body=BODY):
    return REQUEST % (b"POST", b"/x", fields, body)


def lengths():
    for value in (b"", b" ", b"+5", b"-5", b"5 ", b"5\t", b" 5", b"05", b"0x5", b"5abc", b"abc", b"5,5", b"5, 5", b"5;5", b"5.0", b"5e0",
                  b"\"5\"", b"5 5", b"5\x00", b"\x005", b"5\x0b", b"\xef\xbc\x95", b"9" * 18, b"9" * 19, b"9" * 30, b"18446744073709551621",
                  b"4294967301", b"-1", b"0", b"00", b"00000000000000000000005", b"%35", b"5%20", b"(5)", b"5#", b"1_0", b"\xb2", b"five",
                  b"5\r\n 5", b"5\r", b"5\n", b"0b101", b"\t5\t", b"5,", b",5", b"5 ,5", b"5\x7f", b"5/1", b"*"):
        yield f"length {value!r}", post(b"Content-Length: " + value + b"\r\n")
    for first, second in ((b"5", b"5"), (b"5", b"6"), (b"0", b"5"), (b"5", b"0"), (b"5", b""), (b"", b"5"), (b"5", b"abc")):
        yield f"lengths {first!r} {second!r}", post(b"Content-Length: " + first + b"\r\nContent-Length: " + second + b"\r\n")
    for name in (b"Content-Length ", b" Content-Length", b"Content-Length\t", b"\tContent-Length", b"Content_Length", b"Content-Length\x00",
                 b"Content\x00-Length", b"Content-Length\x0b", b"content-length", b"CONTENT-LENGTH", b"Content-Length:", b":Content-Length",
                 b"Content Length", b"Content-Length\r", b"Content-Length\xa0", b"\xa0Content-Length", b"Content-Length;", b"(Content-Length)"):
        yield f"length's name {name!r}", post(name + b": 5\r\n")
    for method in (b"GET", b"HEAD", b"DELETE", b"OPTIONS", b"LIST"):
        yield f"{method!r} with a body", REQUEST % (method, b"/x", b"Content-Length: 5\r\n", BODY)
        yield f"{method!r} with chunks", REQUEST % (method, b"/x", b"Transfer-Encoding: chunked\r\n", b"5\r\n12345\r\n0\r\n\r\n")


def codings():
    chunks = b"5\r\n12345\r\n0\r\n\r\n"
    for value in (b"chunked", b"Chunked", b"CHUNKED", b" chunked", b"chunked ", b"\tchunked", b"chunked\t", b"chunked\x0b", b"\x0bchunked", b"xchunked",
                  b"chunkedx", b"chunked,", b",chunked", b"chunked, chunked", b"identity", b"identity, chunked", b"chunked, identity", b"gzip",
                  b"gzip, chunked", b"chunked, gzip", b"deflate", b"compress", b"\"chunked\"", b"'chunked'", b"chunked;q=1", b"chunked; a=b", b"",
                  b"chunked\x00", b"chu\x00nked", b"cow", b"chunked\r\n\tchunked", b"\r\n chunked", b"chunked\xff", b"trailers", b"chunk", b"chunke",
                  b"\xc3\xa7hunked", b"%63hunked", b"chunked identity", b"[chunked]"):
        fields = b"Transfer-Encoding: " + value + b"\r\n"
        yield f"coding {value!r}", post(fields, chunks)
        yield f"coding {value!r} and a length", post(fields + b"Content-Length: 5\r\n", chunks)
        yield f"a length and coding {value!r}", post(b"Content-Length: 5\r\n" + fields, chunks)
    for name in (b"Transfer-Encoding ", b" Transfer-Encoding", b"Transfer-Encoding\t", b"Transfer_Encoding", b"Transfer-Encoding\x00", b"transfer-encoding",
                 b"Transfer-Encoding\x0b", b"Transfer Encoding", b"Transfer-Encodin", b"X\rTransfer-Encoding", b"X\nTransfer-Encoding", b"\xa0Transfer-Encoding"):
        yield f"coding's name {name!r}", post(name + b": chunked\r\nContent-Length: 5\r\n", chunks)
    for two in ((b"chunked", b"chunked"), (b"identity", b"chunked"), (b"chunked", b"identity"), (b"chunked", b"cow")):
        yield f"codings {two!r}", post(b"".join(b"Transfer-Encoding: " + one + b"\r\n" for one in two), chunks)
    yield "chunked in HTTP/1.0", b"POST /x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks


def chunks():
    for size in (b"", b" 5", b"5 ", b"+5", b"-5", b"0x5", b"05", b"000000000000000000005", b"5;", b"5;a", b"5;a=b", b"5;a=\"b\"", b"5 ;a", b"5,", b"g",
                 b"5g", b"5\x00", b"ffffffffffffffff", b"fffffffffffffffff", b"7fffffffffffffff", b"100000000", b"\t5", b"5\t", b"5\x0b", b"A",
                 b"5\r\r", b"\n5", b"5;\x00", b"5;\n", b"5\xff", b"0 ", b"00", b"0;a=b", b"-0", b"5" + b" " * 100, b"5;" + b"a" * 200):
        yield f"chunk size {size!r}", post(b"Transfer-Encoding: chunked\r\n", size + b"\r\n12345\r\n0\r\n\r\n")
    for name, body in (
            ("line feeds only", b"5\n12345\n0\n\n"), ("a bare line feed behind the size", b"5\n12345\r\n0\r\n\r\n"),
            ("a bare line feed behind the data", b"5\r\n12345\n0\r\n\r\n"), ("a bare return behind the size", b"5\r12345\r\n0\r\n\r\n"),
            ("data too long", b"5\r\n123456\r\n0\r\n\r\n"), ("data too short", b"5\r\n1234\r\n0\r\n\r\n"), ("no line behind the data", b"5\r\n123450\r\n\r\n"),
            ("no last line", b"5\r\n12345\r\n0\r\n"), ("blanks behind the data", b"5\r\n12345  \r\n0\r\n\r\n"), ("two last chunks", b"0\r\n\r\n0\r\n\r\n"),
            ("a trailer", b"0\r\nX-T: 1\r\n\r\n"), ("a trailer that sets the length", b"0\r\nContent-Length: 50\r\n\r\n"),
            ("a trailer without a colon", b"0\r\nX\r\n\r\n"), ("a folded trailer", b"0\r\nX: 1\r\n 2\r\n\r\n"), ("NUL in a trailer", b"0\r\nX: \x00\r\n\r\n"),
            ("a trailer with a line feed only", b"0\r\nX: 1\n\r\n"), ("a request as a trailer", b"0\r\nGET /smuggled HTTP/1.1\r\n\r\n"),
            ("bad trailer name", b"0\r\nX Y: 1\r\n\r\n"), ("a negative chunk", b"-1\r\n\r\n0\r\n\r\n")):
        yield f"chunks: {name}", post(b"Transfer-Encoding: chunked\r\n", body)


def control_octets():
    for octet in [*range(0x20), 0x7F, 0x80, 0x85, 0xA0, 0xAD, 0xC2, 0xFE, 0xFF]:
        one = bytes([octet])
        yield f"octet {octet:#04x} in a name", get(fields=b"X-" + one + b"Y: 1\r\n")
        yield f"octet {octet:#04x} behind a name", get(fields=b"X" + one + b": 1\r\n")
        yield f"octet {octet:#04x} in a value", get(fields=b"X: a" + one + b"b\r\n")
        yield f"octet {octet:#04x} in the target", get(b"/x" + one + b"y")
        yield f"octet {octet:#04x} in the method", REQUEST % (b"GE" + one + b"T", b"/x", b"", b"")
        yield f"octet {octet:#04x} before the request", one + get()
        yield f"octet {octet:#04x} in the version", b"GET /x HTTP/1.1" + one + b"\r\nHost: a\r\n\r\n"
        yield f"octet {octet:#04x} in the host", b"GET /x HTTP/1.1\r\nHost: a" + one + b"b\r\n\r\n"


def lines():
    for version in (b"HTTP/0.9", b"HTTP/1.2", b"HTTP/2.0", b"HTTP/1.10", b"HTTP/01.1", b"HTTP/1", b"HTTP/1.", b"HTTP/.1", b"http/1.1", b"HTTP /1.1", b"HTTP/ 1.1",
                    b"HTTP/1.1 ", b"HTTP/1,1", b"HTTP/+1.1", b"HTTP/1.1.1", b"HTTP/9.9", b"ICY/1.1", b"HTTP/1.1x", b"HTP/1.1", b"HTTP1.1", b"HTTP/a.b",
                    b"HTTP/4294967297.1", b"HTTP\\1.1", b"HTTPS/1.1"):
        yield f"version {version!r}", b"GET /x " + version + b"\r\nHost: a\r\n\r\n"
    for name, text in (
            ("HTTP/0.9", b"GET /x\r\n\r\n"), ("HTTP/0.9 with a blank", b"GET /x \r\n\r\n"), ("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
            ("two blanks before the target", b"GET  /x HTTP/1.1\r\nHost: a\r\n\r\n"), ("two blanks behind it", b"GET /x  HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("a tab for a blank", b"GET\t/x\tHTTP/1.1\r\nHost: a\r\n\r\n"), ("a leading blank", b" GET /x HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("a leading empty line", b"\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n"), ("two leading empty lines", b"\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("a leading line feed", b"\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n"), ("line feeds only", b"GET /x HTTP/1.1\nHost: a\n\n"),
            ("a line feed only behind the first line", b"GET /x HTTP/1.1\nHost: a\r\n\r\n"), ("a line feed only behind a field", b"GET /x HTTP/1.1\r\nHost: a\n\r\n"),
            ("a line feed only at the end", b"GET /x HTTP/1.1\r\nHost: a\r\n\n"), ("returns only", b"GET /x HTTP/1.1\rHost: a\r\r"),
            ("a bare return in a value", get(fields=b"X: a\rb\r\n")), ("a bare return before a name", get(fields=b"\rX: a\r\n")),
            ("return return line feed", b"GET /x HTTP/1.1\r\r\nHost: a\r\n\r\n"), ("no method", b" /x HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("lower case method", b"get /x HTTP/1.1\r\nHost: a\r\n\r\n"), ("CONNECT", b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"), ("TRACE", REQUEST % (b"TRACE", b"/x", b"", b"")),
            ("a made-up method", REQUEST % (b"FOO", b"/x", b"", b"")), ("a long method", REQUEST % (b"G" * 5000, b"/x", b"", b"")),
            ("a blank in the target", get(b"/x y")), ("a header in the first line", b"GET /x HTTP/1.1 Host: a\r\n\r\n"),
            ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64)), ("an SSH hello", b"SSH-2.0-x\r\n\r\n"), ("SMTP", b"EHLO a\r\n\r\n"),
            ("a PROXY header", b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n" + get()), ("nothing but a blank line", b"\r\n\r\n\r\n\r\n"),
            ("a response", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), ("a method and a colon", b"GET: /x HTTP/1.1\r\nHost: a\r\n\r\n")):
        yield f"line: {name}", text


def fields():
    for name, text in (
            ("a folded one", b"X: a\r\n b\r\n"), ("one folded by a tab", b"X: a\r\n\tb\r\n"), ("a first one that is folded", b" X: a\r\n"), ("no colon", b"X\r\n"),
            ("no name", b": a\r\n"), ("a blank before the colon", b"X : a\r\n"), ("a tab before the colon", b"X\t: a\r\n"), ("a blank in the name", b"X Y: a\r\n"),
            ("an empty value", b"X:\r\n"), ("no blank", b"X:a\r\n"), ("many blanks", b"X:   a   \r\n"), ("a name in brackets", b"(X): a\r\n"), ("a name with a slash", b"X/Y: a\r\n"),
            ("a name with an at", b"X@: a\r\n"), ("a name in quotes", b"\"X\": a\r\n"), ("a name of UTF-8", "Ä: a\r\n".encode()), ("a value of UTF-8", "X: ä\r\n".encode()),
            ("a long name", b"X" * 70000 + b": a\r\n"), ("a long value", b"X: " + b"a" * 70000 + b"\r\n"), ("many", b"X: a\r\n" * 5000), ("some", b"X: a\r\n" * 150),
            ("an injected line", b"X: a\r\nY: b\r\n"), ("a line feed in a value", b"X: a\nInjected: 1\r\n"), ("a value of control octets", b"X: \x1b[31m\r\n"),
            ("upgrade to h2c", b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"),
            ("upgrade to websocket", b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n"), ("connection: content-length", b"Connection: Content-Length\r\n"),
            ("an unknown expectation", b"Expect: 200-ok\r\n"), ("gzip", b"Content-Encoding: gzip\r\nContent-Length: 0\r\n"), ("br", b"Content-Encoding: br\r\nContent-Length: 0\r\n"),
            ("two content encodings", b"Content-Encoding: identity, gzip\r\nContent-Length: 0\r\n"), ("a trailer's announcement", b"Trailer: X\r\n"), ("te: trailers", b"TE: trailers\r\n"),
            ("keep-alive and close", b"Connection: keep-alive, close\r\n"), ("proxy-connection", b"Proxy-Connection: keep-alive\r\n"), ("a semicolon", b"X;Y: a\r\n"), ("an equals sign", b"X=Y: a\r\n"),
            ("a comma", b"X,Y: a\r\n"), ("a backslash", b"X\\Y: a\r\n"), ("braces", b"{X}: a\r\n"), ("a second request in a value", b"X: a\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n")):
        yield f"field: {name}", get(fields=text)
    for host in (b"", b" ", b"a b", b"a,b", b"a/b", b"a@b", b"a#b", b"a?b", b"a\\b", b"a:b", b"a:80:80", b"[::1]", b"[::1", b"::1", b"a:", b":80", b"a\"b", b"a<b", b"a..b", b".a", b"a;b", b"http://a",
                 b"a\x00b", b"%61", b"a'b", b"a^b", b"(a)", b"a\tb", b"-", b"a:99999"):
        yield f"host {host!r}", b"GET /x HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"
    for name, text in (("none", b""), ("two", b"Host: a\r\nHost: a\r\n"), ("two that differ", b"Host: a\r\nHost: b\r\n"), ("folded", b"Host: a\r\n b\r\n"),
                       ("before a blank", b"Host : a\r\n"), ("after a blank", b" Host: a\r\n")):
        yield f"host: {name}", b"GET /x HTTP/1.1\r\n" + text + b"\r\n"
    yield "host: none in HTTP/1.0", b"GET /x HTTP/1.0\r\n\r\n"


def targets():
    for target in (b"x", b"", b"*", b"http://a/x", b"https://a/x", b"http://b/x", b"HTTP://a/x", b"//a/x", b"///x", b"/x//y", b"/x/./y", b"/x/../y", b"/../x", b"/..", b"/.", b"/x/..", b"/x/.", b"/./x",
                   b"/x/%2e/y", b"/x/%2e%2e/y", b"/%2e%2e/x", b"/x/%2E%2E/y", b"/x/.%2e/y", b"/x/%2e./y", b"/x%2fy", b"/x%2Fy", b"/x%5cy", b"/x\\y", b"/x\\..\\y", b"/x/%252e%252e/y", b"/%252e",
                   b"/x%00y", b"/x%0ay", b"/x%0d%0aInjected:%201", b"/x%09y", b"/x%7fy", b"/x%", b"/x%2", b"/x%zz", b"/x%2g", b"/x%u0041", b"/x%c0%ae%c0%ae/y", b"/x%c0%af", b"/x%e0%80%af", b"/x%ff",
                   b"/x%ed%a0%80", b"/x%f4%90%80%80", b"/x%c3%a9", b"/x%c3", b"/x#y", b"/x?y#z", b"#", b"?", b"/?", b"/x?", b"/x??", b"/x?a=%00", b"/x?a=%", b"/x?a=%zz", b"/x?a=%ff", b"/x?a=../..",
                   b"/x;a=b", b"/x;/../y", b"/x;", b"/x/..;/y", b"/..;/x", b"/x+y", b"/x%20y", b"/x%2b", b"/x:80", b"/x@b", b"@a/x", b"/x|y", b"/x<y>", b"/x\"y", b"/x^y", b"/x`y", b"/x{y}", b"/x[y]", b"/x~",
                   b"/" + b"a" * 9000, b"/" + b"a" * 70000, b"/" + b"a/" * 3000, b"/x?" + b"a" * 9000, b"a:80", b"a/x", b"./x", b"../x", b"/%2f%2fa/x", b"/x/%20", b"/%20/x", b"/x%0b", b"/x%1f", b"/x%c2%80", b"/x%e2%80%8b"):
        yield f"target {target[:40]!r}", get(target)


def corpus():
    cases = []
    for part in (lengths, codings, chunks, control_octets, lines, fields, targets):
        cases.extend(part())
    return cases


if __name__ == "__main__":
    print(len(corpus()))
