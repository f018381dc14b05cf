#!/bin/bash
# Installs the Debian package in a root of its own, serves on SoftHSM there, upgrades, removes and purges it.
# usage (as root): tests/packaging/install_test.sh PACKAGE.deb ROOT      ROOT: a Debian 12, made with debootstrap where it is absent
# Ends with: N passed, N failed, N skipped
set -uo pipefail
deb=$(realpath "$1")
root=$2
[ -d "$root/etc" ] || debootstrap --variant=minbase bookworm "$root" >/dev/null || exit 2
passed=0
failed=0
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; umount "$root/proc" 2>/dev/null' EXIT
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc" || exit 2

inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive VAULT_ADDR=unix:/run/coffer/coffer.sock "$@"; }
as_coffer() { inside runuser -u coffer -- env VAULT_ADDR=unix:/run/coffer/coffer.sock "$@"; }
check() { # SENTENCE COMMAND...
  if "${@:2}" >"$root/tmp/check" 2>&1; then
    passed=$((passed + 1))
    echo "ok: $1"
  else
    failed=$((failed + 1))
    echo "FAILED: $1"
    cat "$root/tmp/check"
  fi
}
is() { [ "$1" = "$2" ] || { echo "$1 is not $2"; return 1; }; }
start() { # what systemd would: the runtime directory, the user
  rm -f "$root/tmp/server.out"
  inside install -d -o coffer -g coffer -m 0750 /run/coffer
  as_coffer coffer server -config=/etc/coffer/coffer.hcl >"$root/tmp/server.out" 2>"$root/tmp/server.err" &
  server=$!
  for _ in $(seq 300); do
    grep -qs "coffer is ready" "$root/tmp/server.out" && return 0
    kill -0 $server 2>/dev/null || break
    sleep 0.1
  done
  cat "$root/tmp/server.err"
  return 1
}
stop() {
  inside pkill -TERM -u coffer -x coffer
  wait $server
  server=
}

cp "$deb" "$root/tmp/coffer.deb"
inside apt-get update -qq >/dev/null 2>&1
check "installs with its dependencies" inside apt-get install -y -qq --no-install-recommends softhsm2 procps /tmp/coffer.deb
check "makes a user without a shell" inside sh -c 'getent passwd coffer | grep -q nologin'
check "keeps the data directory to its user" is "$(inside stat -c '%U %a' /var/lib/coffer)" "coffer 700"
check "keeps the configuration from others" is "$(inside stat -c '%G %a' /etc/coffer/coffer.hcl)" "coffer 640"
check "makes no key and no PIN" inside sh -c '[ -z "$(ls /var/lib/coffer/tokens)" ] && [ ! -e /etc/coffer/pin ]'
check "reads its own configuration" as_coffer coffer server -config=/etc/coffer/coffer.hcl -check
check "makes the token" as_coffer coffer hsm init
token=$(as_coffer coffer operator init -format=json | sed 's/.*:"\(.*\)".*/\1/')
check "starts and serves" start
check "mounts" as_coffer env VAULT_TOKEN="$token" coffer secrets enable transit
sealed=$(echo -n hello | as_coffer env VAULT_TOKEN="$token" coffer transit encrypt k)
stop
check "upgrades over itself" inside dpkg -i --force-confold /tmp/coffer.deb
check "starts on the same data" start
check "decrypts what it had encrypted" is "$(as_coffer env VAULT_TOKEN="$token" coffer transit decrypt k "$sealed")" hello
stop
before=$(inside find /var/lib/coffer -name '*.object' | sort | sha256sum)
check "is removed" inside apt-get remove -y -qq coffer
check "is purged" inside apt-get purge -y -qq coffer
check "leaves the token where it was" is "$(inside find /var/lib/coffer -name '*.object' | sort | sha256sum)" "$before"
check "leaves the database where it was" inside test -s /var/lib/coffer/coffer.db
check "leaves no program" inside sh -c '! command -v coffer'
echo "$passed passed, $failed failed, 0 skipped"
[ $failed -eq 0 ]
