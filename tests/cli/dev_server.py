"""A development server in a folder of its own, with `coffer` on the PATH of those who ask it. Standard library only."""
import os
import shutil
import subprocess
import tempfile


class DevServer:
    """with DevServer(binary, root_token) as server: its address, folder, and env() without a caller's variables."""

    def __init__(self, binary, root_token):
        self.binary, self.root_token = os.path.realpath(binary), root_token

    def __enter__(self):
        self.folder = tempfile.mkdtemp()
        os.symlink(self.binary, os.path.join(self.folder, "coffer"))
        self.process = subprocess.Popen(
            [self.binary, "server", "-dev", f"-data={self.folder}/data", f"-dev-root-token-id={self.root_token}",
             "-dev-listen-address=127.0.0.1:0", "-dev-no-store-token"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.process.stdout:
            if line.startswith("listening on http"):
                self.address = line.split()[-1]
            if line == "coffer is ready\n":
                return self
        self.__exit__()
        raise SystemExit("the development server did not start")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=60)
        self.process.stdout.close()
        shutil.rmtree(self.folder, True)

    def env(self, **more):
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("VAULT_", "COFFER_", "BAO_", "SOFTHSM2_"))}
        return {**clean, "PATH": self.folder + ":" + os.environ["PATH"], "VAULT_ADDR": self.address,
                "VAULT_TOKEN": self.root_token, **more}
