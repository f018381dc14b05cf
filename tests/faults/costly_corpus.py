"""Requests without a valid token that are well-formed and made to cost: each is (name, octets). What they are made of grows from a few
octets to several MiB, since a fault of growth shows where it is longest."""

SIZES = (30, 600, 4_000, 60_000)
LARGE = (1_000_000, 8_000_000)


def repeated(part, size):
    """Whole parts, at most `size` octets in all; `part` makes one of a number."""
    parts, octets, number = [], 0, 0
    while octets + len(made := part(number)) <= size:
        parts.append(made)
        octets += len(made)
        number += 1
    return b"".join(parts)


def bodies(size):
    """(name, body): JSON, and what is none."""
    inside = max(size - 12, 1)
    values = (b"hmac", b"sha2", b"sha256", b"elided", b"bytes")
    yield "alternating values", b"{" + repeated(lambda i: b'"k%d":"%s",' % (i, values[i % len(values)]), inside) + b'"z":0}'
    yield "alternating words", b"{" + repeated(lambda i: b'"k%d":%s,' % (i, (b"true", b"null", b"1e9", b"-0")[i % 4]), inside) + b'"z":0}'
    yield "many names", b"{" + repeated(lambda i: b'"n%d":0,' % i, inside) + b'"z":0}'
    yield "one name many times", b"{" + repeated(lambda i: b'"":0,', inside) + b'"":0}'
    yield "a parameter many times", b"{" + repeated(lambda i: b'"type":"x",', inside) + b'"type":"x"}'
    yield "a long name", b'{"' + b"n" * inside + b'":1}'
    yield "a long name of escapes", b'{"' + b"\\u0001" * (inside // 6) + b'":1}'
    yield "a long text", b'{"type":"' + b"t" * inside + b'"}'
    yield "a long text of escapes", b'{"type":"' + b"\\ud83d\\ude00" * (inside // 12) + b'"}'
    yield "a long number", b'{"n":' + b"9" * inside + b"}"
    yield "a long fraction", b'{"n":0.' + b"9" * inside + b"}"
    yield "many empty texts", b"[" + repeated(lambda i: b'"",', inside) + b'""]'
    yield "many empty objects", b"[" + repeated(lambda i: b"{},", inside) + b"{}]"
    yield "deep lists", b"[" * (inside // 2) + b"]" * (inside // 2)
    yield "deep objects", b'{"a":' * (inside // 6) + b"1" + b"}" * (inside // 6)
    yield "deep without an end", b"[" * inside
    yield "blanks", b" " * inside + b"{}"
    yield "no JSON", b"\xff" * inside
    yield "a text without an end", b'{"' + b"a" * inside


def queries(size):
    """(name, query): its names are parameters of a request that reads."""
    values = (b"hmac", b"sha2")
    yield "alternating values", repeated(lambda i: b"&k%d=%s" % (i, values[i % 2]), size)
    yield "many names", repeated(lambda i: b"&n%d" % i, size)
    yield "one name many times", repeated(lambda i: b"&n=%d" % (i % 7), size)
    yield "a long name", b"&" + b"n" * size
    yield "a long value", b"&n=" + b"v" * size
    yield "a long value of escapes", b"&n=" + b"%01" * (size // 3)
    yield "separators", b"&" * size


def paths(size):
    yield "a long segment", b"s" * size
    yield "many segments", b"s/" * (size // 2)
    yield "empty segments", b"/" * size
    yield "escapes", b"%01" * (size // 3)
    yield "quotes", b"%22" * (size // 3)
    yield "a mount's name many times", b"transit/" * (size // 8)


def fields(size):
    yield "a long token", b"X-Vault-Token: " + b"t" * size + b"\r\n"
    yield "a long bearer", b"Authorization: Bearer " + b"t" * size + b"\r\n"
    yield "a long namespace", b"X-Vault-Namespace: " + b"n" * size + b"\r\n"
    yield "a long type", b"Content-Type: " + b"c" * size + b"\r\n"
    yield "many fields", repeated(lambda i: b"F%d: x\r\n" % i, size)


OPEN_READS = (b"sys/internal/specs/openapi", b"sys/internal/ui/mounts/x", b"sys/internal/ui/mounts", b"sys/health", b"sys/seal-status",
              b"sys/init", b"sys/leader")
WRITES = ((b"PUT", b"sys/init"), (b"POST", b"sys/internal/ui/mounts/x"), (b"POST", b"transit/encrypt/k"), (b"PUT", b"sys/health"),
          (b"PATCH", b"transit/keys/k"))


def request(method, target, head=b"", body=b""):
    length = b"Content-Length: %d\r\n" % len(body) if body else b""
    return b"%s /v1/%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s%s\r\n%s" % (method, target, head, length, body)


def costly():
    for target in OPEN_READS:
        yield f"GET {target.decode()}", request(b"GET", target)
        yield f"HEAD {target.decode()}", request(b"HEAD", target)
    for size in SIZES:
        for target in OPEN_READS[:2]:
            for name, query in queries(size):
                yield f"GET {target.decode()}, query: {name}, {size}", request(b"GET", target + b"?a=preflight" + query)
        for name, path in paths(size):
            for before in (b"", b"sys/internal/ui/mounts/"):
                yield f"GET, path behind {before.decode()!r}: {name}, {size}", request(b"GET", before + path)
        for name, head in fields(size):
            for method in (b"GET", b"PATCH"):
                yield f"{method.decode()} sys/init, {name}, {size}", request(method, b"sys/init", head)
    for size in SIZES + LARGE:
        for method, target in WRITES if size in SIZES[1::2] else WRITES[:1]:
            for name, body in bodies(size):
                yield f"{method.decode()} {target.decode()}, body: {name}, {size}", request(method, target, b"", body)
        form = b"Content-Type: application/x-www-form-urlencoded\r\n"
        for name, body in queries(size):
            yield f"PUT sys/init, form: {name}, {size}", request(b"PUT", b"sys/init", form, body)
