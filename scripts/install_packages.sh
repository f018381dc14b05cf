#!/bin/bash
# Installs the Debian packages of the named groups of packages.txt, if any is missing.
# usage: scripts/install_packages.sh build|run|test...
set -euo pipefail
cd "$(dirname "$0")"

[ $# -gt 0 ] || { echo "usage: $0 build|run|test..." >&2; exit 2; }
for group in "$@"; do
  grep -q "^$group " packages.txt || { echo "no package group is called $group" >&2; exit 2; }
done

missing=() to_unpack=()
while read -r group package command unpacked; do
  [[ " $* " == *" $group "* ]] || continue
  [ -n "$command" ] && command -v "$command" >/dev/null && continue
  if [ -n "$unpacked" ]; then
    [ -x "../build/unpacked/usr/bin/$command" ] || to_unpack+=("$package")
    continue
  fi
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done < <(grep -E '^[a-z]' packages.txt)

if [ ${#to_unpack[@]} -gt 0 ]; then
  echo "unpacking ${#to_unpack[@]} Debian packages: ${to_unpack[*]}"
  mkdir -p ../build/unpacked
  (
    cd ../build/unpacked
    apt-get -qq download "${to_unpack[@]}" </dev/null 2>/dev/null
    for archive in *.deb; do dpkg-deb -x "$archive" . && rm "$archive"; done
  )
fi
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "these packages are missing, and neither root nor sudo is there to install them: ${missing[*]}" >&2
    exit 1
  }
  as_root=(sudo)
fi
echo "installing ${#missing[@]} Debian packages: ${missing[*]}"
"${as_root[@]}" apt-get -qq update </dev/null
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get -qq -y --no-install-recommends install "${missing[@]}" </dev/null >/dev/null
