#!/usr/bin/env bash
# Runs the tests of the library in a build in which another crate turned on features of serde_json, as any crate of a
# program may: what passes must not depend on them. Memory does (a number becomes a text, a map keeps its order), and the
# sources are elsewhere, so those tests are left out.
set -euo pipefail
cd "$(dirname "$0")"
export PROPTEST_DISABLE_FAILURE_PERSISTENCE=1
target_dir=${CARGO_TARGET_DIR:-$PWD/../../target}
status=0
for features in '' arbitrary_precision; do
    printf '==> preserve_order raw_value unbounded_depth %s\n' "$features"
    cargo test --locked --quiet --no-default-features --features "$features" --target-dir "$target_dir" -- \
        --skip threats::sources --skip threats::memory --skip threats::documents || status=1
done
exit "$status"
