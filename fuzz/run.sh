#!/usr/bin/env bash
# Runs each fuzz target for a while and says what came of it: run.sh [SECONDS [TARGET…]]; 30 s and all of them otherwise.
# Exits with 1 where a target failed; the input is then in artifacts/TARGET.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-30}
(($# < 2)) || targets=("${@:2}")
[[ -v targets ]] || readarray -t targets < <(cargo fuzz list --fuzz-dir fuzz)
target_dir=${CARGO_TARGET_DIR:-$PWD/target}/fuzz
# No sanitizer: it would need a nightly toolchain, and the library has no unsafe code.
flags=(--fuzz-dir fuzz --sanitizer none --target-dir "$target_dir")
log=$(mktemp)
trap 'rm -f "$log"' EXIT

cargo fuzz build "${flags[@]}" >"$log" 2>&1 || { cat "$log"; exit 1; }
status=0
for target in "${targets[@]}"; do
    mkdir -p "fuzz/corpus/$target"
    # What is found goes into corpus/, which stays on this machine; seeds/ are read only.
    if cargo fuzz run "${flags[@]}" "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=16384 >"$log" 2>&1; then
        printf '%-13s %s\n' "$target" "$(sed -n 's/^Done \(.*\) runs in \(.*\) second(s)$/\1 runs in \2 s/p' "$log")"
    else
        printf '%-13s FAILED\n' "$target"
        grep -E -A 3 'panicked at|ERROR: libFuzzer|Test unit written|Reproduce with' "$log" || tail -n 40 "$log"
        status=1
    fi
done
exit "$status"
