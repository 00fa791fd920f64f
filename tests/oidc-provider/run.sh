#!/usr/bin/env bash
# Starts an OpenID provider that is not ours on a port of this machine, and lets `Protect::issuer` accept and refuse its
# tokens through one rotation of its keys, and the inspector verify one. Exits with 3 and a reason where that cannot be had.
set -euo pipefail
[[ -z ${COUNTERSIGN:-} ]] || COUNTERSIGN=$(realpath "$COUNTERSIGN")
cd "$(dirname "$0")"
test=foreign_issuer::accepts_the_tokens_of_another_provider_through_a_rotation_of_its_keys

lacks() {
    printf 'skipped: %s\n' "$1"
    exit 3
}
command -v node >/dev/null || lacks 'node not found'
command -v npm >/dev/null || lacks 'npm not found'
node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || lacks 'node is older than 20'

scratch=$(mktemp -d) provider=
stop() {
    [[ -z $provider ]] || { kill "$provider" && wait "$provider"; } 2>/dev/null || true
    rm -rf "$scratch"
}
trap stop EXIT

npm ci --silent
exec 3< <(exec node provider.js 2>"$scratch/stderr")
provider=$!
issuer=
while read -r -t 60 line <&3; do
    if [[ $line == http://* ]]; then
        issuer=$line
        break
    fi
done
if [[ -z $issuer ]]; then
    echo 'the provider did not start:'
    cat "$scratch/stderr"
    exit 1
fi

if [[ -z ${COUNTERSIGN:-} ]]; then
    (cd ../.. && cargo build --locked --quiet -p countersign-cli)
    COUNTERSIGN=${CARGO_TARGET_DIR:-$(cd ../.. && pwd)/target}/debug/countersign
fi
node inspector.js "$COUNTERSIGN" "$issuer"

cd ../..
COUNTERSIGN_FOREIGN_ISSUER=$issuer cargo test --workspace --locked --quiet --test it -- --ignored --exact "$test" --format pretty |
    tee "$scratch/stdout" || { cat "$scratch/stderr"; exit 1; }
# A name that is no test's runs nothing, and that is no success.
grep -qxF "test $test ... ok" "$scratch/stdout"
