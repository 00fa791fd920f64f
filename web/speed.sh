#!/usr/bin/env bash
# How fast the inspector is in a real browser: builds the release command, drives it, and writes web/SPEED.md. Figures,
# and no test; on a machine that is busy they are those of a busy machine.
#
#   bash web/speed.sh
#   LOADS=100 PASTES=50 bash web/speed.sh     more of each
#   COUNTERSIGN=FILE bash web/speed.sh        with this command, instead of the release build
#   WRITE=no bash web/speed.sh                prints only
set -euo pipefail
[[ -z ${COUNTERSIGN:-} ]] || COUNTERSIGN=$(realpath "$COUNTERSIGN")
cd "$(dirname "$0")"
if [[ -z ${CHROMIUM:-} ]]; then
    CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
fi
export CHROMIUM
npm ci --silent
if [[ -z ${COUNTERSIGN:-} ]]; then
    (cd .. && cargo build --release --locked --quiet -p countersign-cli)
    COUNTERSIGN=${CARGO_TARGET_DIR:-$(cd .. && pwd)/target}/release/countersign
fi
export COUNTERSIGN
exec node speed.js
