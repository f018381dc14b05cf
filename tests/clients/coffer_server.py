"""A Coffer server of a test's own: the real program, a data directory, a free port."""

import os
import pathlib
import queue
import re
import signal
import subprocess
import threading

BINARY = os.environ.get("COFFER_BINARY", "build/release/coffer")
READY_SECONDS = 120  # a bound for a server that hangs; nothing is measured by it


class CofferServer:
    """Starts on construction, returns when the server says that it is ready."""

    def __init__(self, data, *flags):
        self.data = pathlib.Path(data)
        self.lines = queue.Queue()
        self.output = []
        self.url = None
        self.process = subprocess.Popen(
            [BINARY, "server", "-dev", "-dev-no-store-token", f"-data={self.data}", "-dev-root-token-id=root",
             "-dev-listen-address=127.0.0.1:0", *flags],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        threading.Thread(target=self._read, daemon=True).start()
        self._wait_until_ready()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def _wait_until_ready(self):
        while True:
            try:
                line = self.lines.get(timeout=READY_SECONDS)
            except queue.Empty:
                self.process.kill()
                line = None
            if line is None:
                raise RuntimeError("the server did not become ready:\n" + "\n".join(self.output))
            self.output.append(line)
            match = re.match(r"listening on (http://\S+)", line)
            if match:
                self.url = match[1]
            if line.startswith("coffer is ready"):
                return

    def stop(self):
        """SIGTERM, then its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=READY_SECONDS)

    def kill(self):
        self.process.kill()
        self.process.wait()
