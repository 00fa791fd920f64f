#!/usr/bin/env bash
# Kills a real server in the middle of concurrent refreshes, again and again at random points, and starts it anew; every
# client goes on with what it has. Then, after one more crash, an older copy of the database is put in its place with
# `countersign restore`. Nobody may be logged out, no token may count twice, and what was taken back stays so.
#
#   bash tests/crash.sh              200 rounds of the debug build
#   bash tests/crash.sh 20           fewer
#   bash tests/crash.sh 200 --release
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-200}
shift || true
COUNTERSIGN_ROUNDS=$rounds cargo test --quiet --locked --workspace --test it "$@" -- \
    --ignored --exact crash::many_rounds --nocapture
