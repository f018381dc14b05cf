#!/bin/bash
# Installs an earlier version of the Debian package in a root of its own, serves on SoftHSM there, upgrades to the package at hand with
# a database of an earlier schema, refuses a newer one, removes and purges it. The earlier version is the package itself, renamed.
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
start() { # as systemd would
  rm -f "$root/tmp/server.out"
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

earlier() { # FILE: the package with a lower version, and with another default in its configuration
  local tree
  tree=$(mktemp -d)
  dpkg-deb -R "$deb" "$tree"
  sed -i 's/^Version: .*/Version: 0.0.1/' "$tree/DEBIAN/control"
  echo "# of version 0.0.1" >>"$tree/etc/coffer/softhsm2.conf"
  dpkg-deb -b "$tree" "$1" >/dev/null
  rm -rf "$tree"
}
sql() { # the host's, on the database of a server that is stopped
  python3 -c 'import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.executescript(sys.argv[2])
database.commit()' "$root/var/lib/coffer/coffer.db" "$1"
}
refuses_newer() { # the sentence, and nothing written
  local before after
  before=$(sha256sum <"$root/var/lib/coffer/coffer.db")
  ! start >"$root/tmp/refusal" || { stop; return 1; }
  wait $server
  server=
  after=$(sha256sum <"$root/var/lib/coffer/coffer.db")
  grep "written by a newer coffer" "$root/tmp/refusal" && is "$after" "$before"
}

as_mallory() { inside runuser -u mallory -- "$@"; }
changes_nothing() { # whoever can put a configuration there has the server load his module and give it the PIN
  local before
  before=$(inside sha256sum /etc/coffer/coffer.hcl /etc/coffer/softhsm2.conf)
  as_mallory cat /etc/coffer/coffer.hcl >/dev/null || return 1
  ! as_mallory mv /etc/coffer/coffer.hcl /etc/coffer/aside || return 1
  ! as_mallory sh -c 'echo >/etc/coffer/other.hcl' || return 1
  ! as_mallory sh -c 'echo >>/etc/coffer/softhsm2.conf' || return 1
  ! as_mallory ls /etc/coffer/private /var/lib/coffer || return 1
  is "$(inside sha256sum /etc/coffer/coffer.hcl /etc/coffer/softhsm2.conf)" "$before"
}
refuses_open() { # PATH MODE: neither a start nor a command goes on while others can write there
  local mode sentence
  mode=$(inside stat -c %a "$1")
  inside chmod "$2" "$1"
  start >"$root/tmp/refusal" && { stop; inside chmod "$mode" "$1"; return 1; }
  wait $server
  server=
  as_coffer coffer hsm list >>"$root/tmp/refusal" 2>&1 && { inside chmod "$mode" "$1"; return 1; }
  inside chmod "$mode" "$1"
  sentence="can write $1: chmod"
  is "$(grep -c "$sentence" "$root/tmp/refusal")" 2 || { cat "$root/tmp/refusal"; return 1; }
}

cp "$deb" "$root/tmp/coffer.deb"
earlier "$root/tmp/earlier.deb"
inside apt-get update -qq >/dev/null 2>&1
check "installs with its dependencies" inside apt-get install -y -qq --no-install-recommends softhsm2 procps /tmp/earlier.deb
check "makes a user without a shell" inside sh -c 'getent passwd coffer | grep -q nologin'
check "keeps the data directory to its user" is "$(inside stat -c '%U %a' /var/lib/coffer)" "coffer 700"
check "keeps the configuration from others" is "$(inside stat -c '%U %G %a' /etc/coffer/coffer.hcl)" "root coffer 640"
check "lets the group read the configuration only" is "$(inside stat -c '%U %G %a' /etc/coffer)" "root coffer 750"
check "makes the directory of its socket" is "$(inside stat -c '%U %G %a' /run/coffer)" "coffer coffer 750"
check "keeps the PINs to its user" is "$(inside stat -c '%U %a' /etc/coffer/private)" "coffer 700"
check "makes no key and no PIN" inside sh -c '[ -z "$(ls /var/lib/coffer/tokens /etc/coffer/private | grep -v :)" ]'
inside useradd --no-create-home --groups coffer mallory
check "lets no member of its group change what it loads" changes_nothing
check "makes the token" as_coffer coffer hsm init
check "finds nothing in its own configuration that a start would refuse" as_coffer coffer server -config=/etc/coffer/coffer.hcl -check
token=$(as_coffer coffer operator init -format=json | sed 's/.*:"\(.*\)".*/\1/')
check "starts and serves" start
check "mounts" as_coffer env VAULT_TOKEN="$token" coffer secrets enable transit
sealed=$(echo -n hello | as_coffer env VAULT_TOKEN="$token" coffer transit encrypt k)
stop
for place in /etc/coffer /etc/coffer/coffer.hcl /etc/coffer/softhsm2.conf /var/lib/coffer /var/lib/coffer/tokens; do
  check "refuses to start while everybody can write $place" refuses_open $place 0777
done
check "refuses to start while its group can write /etc/coffer" refuses_open /etc/coffer 0770
check "has its links between pages whole" inside test -s /usr/share/doc/coffer/docs/operations.md -a -s /usr/share/doc/coffer/docs/ops/coffer-alerts.yml
echo 'cluster_name = "of the operator"' >>"$root/etc/coffer/coffer.hcl"
inside sh -c 'mkdir -p /etc/systemd/system/multi-user.target.wants && ln -s /lib/systemd/system/coffer.service /etc/systemd/system/multi-user.target.wants/'
check "upgrades" inside apt-get install -y -qq --no-install-recommends /tmp/coffer.deb
check "keeps the configuration that was changed" inside grep -q "of the operator" /etc/coffer/coffer.hcl
check "renews the one that was not" inside sh -c '! grep -q "of version 0.0.1" /etc/coffer/softhsm2.conf'
check "keeps the modes" is "$(inside stat -c '%G %a' /etc/coffer/coffer.hcl)" "coffer 640"
check "starts on the database of the former version" start
check "decrypts what it had encrypted" is "$(as_coffer env VAULT_TOKEN="$token" coffer transit decrypt k "$sealed")" hello
stop
sql "INSERT INTO schema_migrations VALUES ('keyring', 99, '2030-01-01T00:00:00Z')"
check "refuses a database of a newer schema, untouched" refuses_newer
sql "DELETE FROM schema_migrations WHERE step = 99"
check "starts again without it" start
stop
rm "$root/etc/coffer/softhsm2.conf"
check "is configured without a file that the operator removed" inside dpkg-reconfigure coffer
before=$(inside find /var/lib/coffer -name '*.object' | sort | sha256sum)
check "is removed" inside apt-get remove -y -qq coffer
check "is purged" inside apt-get purge -y -qq coffer
check "leaves the token where it was" is "$(inside find /var/lib/coffer -name '*.object' | sort | sha256sum)" "$before"
check "leaves the database where it was" inside test -s /var/lib/coffer/coffer.db
check "leaves nothing enabled" inside sh -c '[ ! -L /etc/systemd/system/multi-user.target.wants/coffer.service ]'
check "leaves no program" inside sh -c '! command -v coffer'
echo "$passed passed, $failed failed, 0 skipped"
[ $failed -eq 0 ]
