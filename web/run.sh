#!/usr/bin/env bash
# The scripts of the server's pages: their types, and the pages in a real browser. Installs what it needs from npm, with
# the lock file. Exits with 3 and a reason where something cannot be had.
#
#   bash web/run.sh                      all of it
#   bash web/run.sh session.test.js      some of it
#   COUNTERSIGN=FILE bash web/run.sh     with this command, instead of the debug build
#   CHROMIUM=FILE bash web/run.sh        in this browser
set -euo pipefail
[[ -z ${COUNTERSIGN:-} ]] || COUNTERSIGN=$(realpath "$COUNTERSIGN")
cd "$(dirname "$0")"

lacks() {
    printf 'skipped: %s\n' "$1"
    exit 3
}
for command in node npm openssl; do
    command -v "$command" >/dev/null || lacks "$command not found"
done
node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' || lacks 'node is older than 20'
if [[ -z ${CHROMIUM:-} ]]; then
    CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || lacks 'chromium not found'
fi
export CHROMIUM
npm ci --silent || lacks 'npm could not install the packages of the lock file'

if [[ -z ${COUNTERSIGN:-} ]]; then
    (cd .. && cargo build --locked --quiet -p countersign-cli)
    COUNTERSIGN=$(cd .. && pwd)/target/debug/countersign
    [[ -z ${CARGO_TARGET_DIR:-} ]] || COUNTERSIGN=$CARGO_TARGET_DIR/debug/countersign
fi
export COUNTERSIGN

npx tsc --project tsconfig.json
if (($# == 0)); then
    set -- *.test.js
fi
exec node --test --test-reporter=spec --test-concurrency=1 --test-timeout=300000 "$@"
