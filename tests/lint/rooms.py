"""The rules of docs/architecture.md as data: rooms, their edges, and where foreign headers live.

layers.py reads these tables and nothing else decides. A new room or library is a line here, seen in
the review of the change that brings it.
"""

# The rooms that each room may include; every room may include base.
EDGES = {
    "base": [],
    "pkcs11": ["base"],
    "crypto": ["base"],
    "storage": ["base"],
    "http": ["base"],
    "hcl": ["base"],
    "metrics": ["base"],
    "keyring": ["pkcs11", "crypto", "storage", "base"],
    "barrier": ["keyring", "storage", "base"],
    "audit": ["crypto", "storage", "base"],
    "mounts": ["storage", "base"],
    "identity": ["storage", "base"],
    "leases": ["storage", "base"],
    "auth": ["crypto", "storage", "leases", "barrier", "hcl", "base"],
    "transit": ["keyring", "crypto", "base"],
    "kv": ["barrier", "storage", "base"],
    "database": ["barrier", "storage", "leases", "base"],
    "cli": ["base", "crypto", "hcl", "auth"],
}
EDGES["api"] = sorted(set(EDGES) - {"cli"})
EDGES["server"] = sorted(set(EDGES))

# Foreign headers (a prefix of what stands between the angle brackets) and the only files that may
# include them, as patterns of paths. '*' does not cross a '/'.
HOMES = {
    "pkcs11.h": ["pkcs11/src/*"],
    "p11-kit/": ["pkcs11/src/*"],
    "pistache/": ["src/http/*", "bench/pistache_hello.cc"],
    "openssl/": ["src/crypto/*", "src/base/secret_bytes.cc", "src/http/tls*"],
    "sqlite3.h": ["src/storage/*", "src/*/*_store.cc"],
    "SQLiteCpp/": ["src/storage/*", "src/*/*_store.cc"],
    "soci/": ["src/storage/*", "src/*/*_store.cc"],
    "nlohmann/json_fwd.hpp": [
        "src/audit/*.h", "src/auth/*decode*.h", "src/server/*/*.h", "src/cli/*.h",
    ],
    "nlohmann/": [
        "src/audit/*.cc", "src/auth/*decode*.cc", "src/server/*/*.cc",
        "src/cli/*.cc",
    ],
    "tl/expected.hpp": ["include/coffer/base/result.h"],
    "boost/json/": ["src/api/json_value.cc"],
    "argon2.h": ["src/crypto/*"],
    "CLI/": ["src/cli/*", "src/server/serve_command.cc", "src/server/console/*"],
    "curl/": ["src/cli/*"],
    "yaml.h": ["src/cli/*"],
    "prometheus/": ["src/metrics/*"],
    "systemd/": ["src/server/supervisor.cc"],
}

# Folders of a room that the rest of the room knows nothing of: the request pipeline knows no face.
FACES = ["src/api/vault/"]

# SQL text lives with the SQL libraries.
SQL_HOMES = ["src/storage/*", "src/*/*_store.cc"]

FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}

# Headers of the language, allowed everywhere, public headers included.
STANDARD = set("""
algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono
cinttypes climits clocale cmath codecvt compare complex concepts condition_variable coroutine csetjmp
csignal cstdarg cstddef cstdint cstdio cstdlib cstring ctime cuchar cwchar cwctype deque exception
execution filesystem format forward_list fstream functional future initializer_list iomanip ios iosfwd
iostream istream iterator latch limits list locale map memory memory_resource mutex new numbers numeric
optional ostream queue random ranges ratio regex scoped_allocator semaphore set shared_mutex
source_location span sstream stack stdexcept stop_token streambuf string string_view syncstream
system_error thread tuple type_traits typeindex typeinfo unordered_map unordered_set utility valarray
variant vector version
""".split())

# The operating system's and the C library's, allowed inside a room but not in its door.
SYSTEM = set("""
arpa/inet.h assert.h dirent.h dlfcn.h errno.h fcntl.h grp.h inttypes.h limits.h link.h malloc.h
net/if.h netdb.h netinet/in.h netinet/tcp.h poll.h pthread.h pwd.h sched.h signal.h spawn.h stdarg.h
stddef.h stdint.h stdio.h stdlib.h string.h strings.h syslog.h termios.h time.h unistd.h
""".split())
SYSTEM_PREFIXES = ("sys/", "linux/")

# The classes whose members lie in more than two sources; the numbers may only fall.
ALLOWED_SOURCES = {
    "audit::FileDevice": 3,
    "keyring::Pkcs11Token": 5,
    "pkcs11::Session": 3,
    "transit::Engine": 10,
}
