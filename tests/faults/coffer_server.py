"""A real Coffer server for the fault runs: started, killed and asked over HTTP. Standard library only."""
import http.client
import json
import os
import subprocess
import time

PAUSE = 0.005  # between two questions: what is waited for tells nobody when it happens


def wait_for(condition, bound):
    """Seconds until `condition` held; None where it did not within `bound`. For what can only be asked for, such as health."""
    begin = time.monotonic()
    while not condition():
        if time.monotonic() - begin > bound:
            return None
        time.sleep(PAUSE)
    return time.monotonic() - begin


BINARY = os.path.realpath(os.environ.get("COFFER_BINARY", "build/release/coffer"))


class Server:
    def __init__(self, data, flags=(), environment=None):
        self.data = data
        self.flags = list(flags)
        self.environment = environment
        self.process = None
        self.port = None

    def start(self):
        """Returns when the server says that it is ready; raises with its words where it does not start."""
        self.process = subprocess.Popen(
            [BINARY, "server", "-dev", "-dev-no-store-token", f"-data={self.data}", "-dev-root-token-id=root",
             "-dev-listen-address=127.0.0.1:0", *self.flags], env=self.environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if line.startswith(("listening on http://", "listening on https://")):
                self.port = int(line.rsplit(":", 1)[1])
            if line.startswith("coffer is ready"):
                return
        raise RuntimeError("the server did not start: " + self.process.stderr.read()[-2000:])

    def kill(self):
        self.process.kill()
        self.process.communicate()

    def stop(self):
        self.process.terminate()
        self.process.communicate(timeout=30)
        return self.process.returncode

    def call(self, method, path, body=None, timeout=30):
        """(status, decoded body); an OSError or HTTPException where the server went away."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, "/v1/" + path, None if body is None else json.dumps(body),
                               {"X-Vault-Token": "root"})
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else {}
        finally:
            connection.close()
