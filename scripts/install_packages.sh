#!/bin/bash
# Installs the Debian packages of the named groups of packages.txt, if any is missing.
# usage: scripts/install_packages.sh build|run|test...
set -euo pipefail
cd "$(dirname "$0")"

[ $# -gt 0 ] || { echo "usage: $0 build|run|test..." >&2; exit 2; }
for group in "$@"; do
  grep -q "^$group " packages.txt || { echo "no package group is called $group" >&2; exit 2; }
done

missing=()
while read -r group package command; do
  [[ " $* " == *" $group "* ]] || continue
  [ -n "$command" ] && command -v "$command" >/dev/null && continue
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done < <(grep -E '^[a-z]' packages.txt)
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
