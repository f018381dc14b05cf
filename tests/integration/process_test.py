#!/usr/bin/env python3
"""What a process gets from whoever starts it: limits, streams, directory, umask. usage: process_test.py COFFER [GROUP]"""
import json
import os
import resource
import signal
import socket
import subprocess
import time

from console_case import BINARY, Case
from program import run_tests

FILES = 512


class ProcessCase(Case):
    def setUp(self):
        super().setUp()
        self.good("hsm", "init")
        self.root_token = json.loads(self.good("operator", "init", "-format=json"))["root_token"]

    def begin(self, before, **more):
        """Starts a server on which `before` was called between fork and exec."""
        process = subprocess.Popen([BINARY, "server", "-config=" + self.path("coffer.hcl")], env=self.env(),
                                   preexec_fn=before, **more)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()

    def listening(self, process):
        for line in process.stdout:
            if line.startswith(b"listening on http"):
                address = line.split()[-1].decode()
            if line == b"coffer is ready\n":
                return address
        raise AssertionError("no start: " + process.stderr.read().decode())

    def healthy(self, address):
        return self.run_coffer("status", "-address=" + address)[0] == 0

    def wait_until(self, condition):
        until = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), until)
            time.sleep(0.01)

    def end_and_read(self, process):
        process.send_signal(signal.SIGTERM)
        self.said = process.communicate(timeout=60)[1].decode()

    def warned(self, before=None, **env):
        """A server's log, started so and ended."""
        process = subprocess.Popen([BINARY, "server", "-config=" + self.path("coffer.hcl")], env=self.env(**env), preexec_fn=before,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self.end, process)
        self.listening(process)
        self.end_and_read(process)
        return self.said


class ProcessTest(ProcessCase):
    def test_idle_connections_leave_the_descriptors_that_the_server_itself_needs(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))
        process = self.begin(limit, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        address = self.listening(process)
        host, port = address.removeprefix("http://").rsplit(":", 1)
        idle = [socket.create_connection((host, int(port)), timeout=10) for _ in range(FILES)]
        kept = [peer for peer in idle if self.answers(peer)]
        self.assertGreater(len(kept), FILES // 2)
        self.assertLess(len(kept), FILES - 64)
        open_files = len(os.listdir(f"/proc/{process.pid}/fd"))
        self.assertLess(open_files, FILES - 32, "what a module opens for a moment has room")
        for peer in idle:
            peer.close()
        self.wait_until(lambda: self.healthy(address))
        self.end_and_read(process)
        self.assertRegex(self.said, "fewer connections than max_connections.*" + str(FILES))

    def answers(self, peer):
        peer.settimeout(10)
        try:
            peer.sendall(b"GET /v1/sys/health HTTP/1.1\r\nHost: a\r\n\r\n")
            return peer.recv(12) == b"HTTP/1.1 200"
        except OSError:
            return False

    def test_a_limit_that_leaves_hardly_a_connection_is_refused_with_what_is_needed(self):
        process = self.begin(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100)),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        error = process.communicate(timeout=60)[1].decode()
        self.assertNotEqual(process.returncode, 0)
        self.assertRegex(error, r"the process may open 100 files and needs \d+: raise the limit")

    def test_closed_standard_streams_are_not_taken_by_files(self):
        def close():
            for stream in (0, 1, 2):
                os.close(stream)
        process = self.begin(close, close_fds=False)
        self.wait_until(lambda: self.healthy("unix:" + self.path("own.sock")))
        for stream in (0, 1, 2):
            self.assertEqual(os.readlink(f"/proc/{process.pid}/fd/{stream}"), "/dev/null")

    def test_a_limit_of_file_sizes_is_an_error_and_not_the_end(self):
        process = self.begin(None, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        env = {"VAULT_ADDR": self.listening(process), "VAULT_TOKEN": self.root_token}
        # The limit comes when the server runs: a sanitizer's run time writes a file before main().
        _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, hard))
        self.refused(2, "Code: 503. Errors:\n\n* storage is full", "write", "sys/mounts/transit", "type=transit", **env)
        self.assertIsNone(process.poll())
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        self.good("write", "sys/mounts/transit", "type=transit", **env)

    def test_a_directory_that_is_gone_does_not_matter(self):
        def leave():
            gone = self.path("gone")
            os.mkdir(gone)
            os.chdir(gone)
            os.rmdir(gone)
        process = self.begin(leave, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertTrue(self.healthy(self.listening(process)))

    def test_variables_that_steer_libraries_are_named(self):
        said = self.warned(OPENSSL_CONF="/dev/null", MALLOC_CONF="tcache:true", SOFTHSM2_CONF="/elsewhere")
        line = next(line for line in said.splitlines() if "the environment changes what libraries do" in line)
        for name in ("OPENSSL_CONF", "MALLOC_CONF", "SOFTHSM2_CONF"):
            self.assertIn(name, line)
        self.assertNotIn("tcache", line, "a value is nobody's business")
        inherited = [name for name in os.environ if name.startswith(("LD_", "GLIBC_TUNABLES", "MALLOC_", "OPENSSL_", "NSS_"))]
        if not inherited:
            self.assertNotIn("the environment changes", self.warned(SOFTHSM2_CONF=self.path("softhsm2.conf")))

    def test_nothing_is_open_to_others_whatever_the_umask(self):
        process = self.begin(lambda: os.umask(0), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.listening(process)
        for name in os.listdir(self.path("data")):
            self.assertEqual(os.stat(os.path.join(self.path("data"), name)).st_mode & 0o077, 0, name)


class MemoryLimitTest(ProcessCase):
    """Not for a sanitizer's build, which takes more address space than any limit would leave."""

    def test_a_limit_of_memory_below_what_the_settings_allow_is_said(self):
        limit = 300 * 1024 * 1024
        said = self.warned(lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)))
        line = next(line for line in said.splitlines() if "less memory than its settings allow" in line)
        self.assertIn(f'limit="{limit}" set_by="RLIMIT_DATA"', line)
        self.configure(more="limits {\n max_buffered_bytes = 67108864\n max_key_handles = 100\n}")
        self.assertNotIn("less memory", self.warned(lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))))


if __name__ == "__main__":
    run_tests()
