#!/bin/bash
# Runs hvac, node-vault, vault-java-driver, OpenBao's Go client, go-kms-wrapping's transit wrapper and tink-go-hcvault, as their registries
# give them out, against the real server.
# usage: tests/clients/run.sh [BINARY]      default build/release/coffer
# Ends with: N passed, N failed, N skipped
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2

COFFER_BINARY=$(realpath "${1:-${COFFER_BINARY:-build/release/coffer}}")
export COFFER_BINARY
unset VAULT_ADDR VAULT_TOKEN VAULT_NAMESPACE COFFER_ADDR COFFER_TOKEN
[ -x "$COFFER_BINARY" ] || { echo "there is no server at $COFFER_BINARY: build it first" >&2; exit 2; }

# An environment is made anew when what is pinned changes.
venv=build/clients-venv
if ! cmp -s tests/clients/requirements.txt "$venv/installed"; then
  rm -rf "$venv"
  python3 -m venv "$venv" &&
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/clients/requirements.txt &&
    cp tests/clients/requirements.txt "$venv/installed" || exit 1
fi
node=build/clients-node
if ! cmp -s tests/clients/package-lock.json "$node/installed"; then
  rm -rf "$node" && mkdir -p "$node" &&
    cp tests/clients/package.json tests/clients/package-lock.json "$node" &&
    npm --prefix "$node" ci --silent --no-audit --no-fund --ignore-scripts &&
    cp tests/clients/package-lock.json "$node/installed" || exit 1
fi
java=build/clients-java
if ! cmp -s tests/clients/java/pom.xml "$java/installed"; then
  rm -rf "$java" && mkdir -p "$java" &&
    mvn --quiet --batch-mode --strict-checksums -f tests/clients/java/pom.xml dependency:copy-dependencies \
      -DoutputDirectory="$PWD/$java" &&
    cp tests/clients/java/pom.xml "$java/installed" || exit 1
fi

status=0
"$venv/bin/python" -m pytest -q -p no:cacheprovider --junitxml=build/clients-hvac.xml tests/clients ||
  status=1
NODE_PATH=$PWD/$node/node_modules node --test-reporter=tap tests/clients/node_vault.test.js \
  >build/clients-node.tap || status=1
cat build/clients-node.tap
java -cp "$java/*" tests/clients/java/VaultJavaDriverTest.java >build/clients-java.tap || status=1
grep -q '^ok ' build/clients-java.tap || echo 'not ok 1 - no test ran' >>build/clients-java.tap
cat build/clients-java.tap
# The Go clients; go.sum pins them.
(cd tests/clients/go && go test -count=1 -v ./...) >build/clients-go.log 2>&1 || status=1
sed -nE 's/^--- PASS: ([^ ]+).*/ok 1 - \1/p; s/^--- FAIL: ([^ ]+).*/not ok 1 - \1/p; s/^--- SKIP: ([^ ]+).*/ok 1 - \1 # SKIP/p' \
  build/clients-go.log >build/clients-go.tap
grep -q '^ok ' build/clients-go.tap || { cat build/clients-go.log; echo 'not ok 1 - clients' >>build/clients-go.tap; status=1; }
cat build/clients-go.tap
python3 scripts/tally.py reports build/clients-hvac.xml build/clients-node.tap build/clients-java.tap build/clients-go.tap || status=1
exit $status
