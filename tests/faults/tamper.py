#!/usr/bin/env python3
"""Sends COUNT changed ciphertexts, signatures and MACs to a real server: none is accepted, and all
that are whole in form are refused in one text.

usage: tamper.py COUNT
"""
import base64
import random
import sys
import tempfile

from coffer_server import Server

BATCH = 500
KEYS = {"aes": {}, "derived": {"derived": True}, "rsa": {"type": "rsa-2048"},
        "ecdsa": {"type": "ecdsa-p256"}, "ed25519": {"type": "ed25519"},
        "cmac": {"type": "aes256-cmac"}, "hmac": {"type": "hmac"}}
MESSAGE = base64.b64encode(b"a message of some length").decode()
AAD = base64.b64encode(b"bound").decode()
CONTEXT = base64.b64encode(b"context").decode()


def split(text):
    _, version, payload = text.split(":")
    return int(version[1:]), base64.b64decode(payload)


def join(version, payload):
    return f"vault:v{version}:{base64.b64encode(payload).decode()}"


def change(source, text):
    """The text with a bit flipped, cut, lengthened, or of another version."""
    version, payload = split(text)
    payload = bytearray(payload)
    kind = source.choice(["flip", "flip", "flip", "cut", "longer", "version"])
    if kind == "flip":
        payload[source.randrange(len(payload))] ^= 1 << source.randrange(8)
    elif kind == "cut":
        del payload[source.randrange(len(payload)):]
    elif kind == "longer":
        payload += source.randbytes(source.randint(1, 40))
    else:
        version = 3 - version
    return join(version, bytes(payload))


def must(answer, *statuses):
    status, body = answer
    assert status in statuses, (status, body)
    return body["data"]


class Run:
    def __init__(self, server, source):
        self.server, self.source = server, source
        self.sent = self.accepted = 0
        self.texts = {}
        for name, body in KEYS.items():
            must(server.call("POST", f"transit/keys/{name}", body), 200)
            must(server.call("POST", f"transit/keys/{name}/rotate", {}), 200)
            must(server.call("POST", f"transit/keys/other-{name}", body), 200)

    def decrypt(self, key, extra):
        sealed = must(self.server.call("POST", f"transit/encrypt/{key}",
                                       {"plaintext": MESSAGE, **extra}), 200)["ciphertext"]
        items = []
        for _ in range(BATCH):
            item = {"ciphertext": sealed, **extra}
            choice = self.source.randrange(8)
            if choice == 0 and "associated_data" in extra:
                item["associated_data"] = base64.b64encode(self.source.randbytes(5)).decode()
            elif choice == 1 and "context" in extra:
                item["context"] = base64.b64encode(self.source.randbytes(7)).decode()
            else:
                item["ciphertext"] = change(self.source, sealed)
            items.append(item)
        target = key if self.source.randrange(10) else f"other-{key}"
        data = must(self.server.call("POST", f"transit/decrypt/{target}",
                                     {"batch_input": items}), 400)
        for result in data["batch_results"]:
            self.sent += 1
            if "error" not in result or result["plaintext"]:
                self.accepted += 1
                continue
            texts = self.texts.setdefault(key, {})
            texts[result["error"]] = texts.get(result["error"], 0) + 1

    def verify(self, key, kind):
        field = "signature" if kind == "sign" else kind
        proof = must(self.server.call("POST", f"transit/{kind}/{key}", {"input": MESSAGE}),
                     200)[field]
        items = []
        for _ in range(BATCH):
            if self.source.randrange(6):
                items.append({"input": MESSAGE, field: change(self.source, proof)})
            else:
                other = base64.b64encode(self.source.randbytes(9)).decode()
                items.append({"input": other, field: proof})
        target = key if self.source.randrange(10) else f"other-{key}"
        data = must(self.server.call("POST", f"transit/verify/{target}",
                                     {"batch_input": items}), 200)
        for result in data["batch_results"]:
            self.sent += 1
            if result["valid"]:
                self.accepted += 1


def main():
    count = int(sys.argv[1])
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    with tempfile.TemporaryDirectory() as data:
        server = Server(data)
        server.start()
        try:
            run = Run(server, random.Random(seed))
            rounds = [lambda: run.decrypt("aes", {"associated_data": AAD}),
                      lambda: run.decrypt("derived", {"context": CONTEXT}),
                      lambda: run.decrypt("rsa", {}),
                      lambda: run.verify("rsa", "sign"),
                      lambda: run.verify("ecdsa", "sign"),
                      lambda: run.verify("ed25519", "sign"),
                      lambda: run.verify("hmac", "hmac"),
                      lambda: run.verify("cmac", "cmac")]
            while run.sent < count:
                for each in rounds:
                    each()
        finally:
            assert server.stop() == 0
    form = {"invalid ciphertext length", "invalid ciphertext: version is too new"}
    for key, texts in run.texts.items():
        print(f"{key}: {texts}")
        assert len(set(texts) - form) == 1, "refusals tell faults apart"
    print(f"{run.sent} changed, {run.accepted} accepted")
    print(f"{run.sent - run.accepted} passed, {run.accepted} failed, 0 skipped")
    return 0 if run.accepted == 0 and run.sent >= count else 1


if __name__ == "__main__":
    sys.exit(main())
