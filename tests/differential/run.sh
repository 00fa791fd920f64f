#!/usr/bin/env bash
# The same 2,000 tokens through Countersign and its peers, and 1,000 tokens of each peer through Countersign.
# Prints the splits with their reasons; exits with 1 where one is not listed in splits.json. See README.md.
set -euo pipefail
cd "$(dirname "$0")"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
target=${CARGO_TARGET_DIR:-$(cd ../.. && pwd)/target}/differential
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

needs() { # needs PEER: what it lacks, or nothing
    case $1 in
        jose)
            command -v node >/dev/null || echo 'node not found'
            command -v npm >/dev/null || echo 'npm not found'
            node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null || echo 'node is older than 20'
            ;;
        joserfc | pyjwt)
            python3 -c 'import ensurepip, venv' 2>/dev/null || echo 'python3-venv not found'
            ;;
    esac
}

prepare() {
    case $1 in
        jose) (cd peers/jose && npm ci --silent) ;;
        joserfc | pyjwt)
            python3 -m venv "peers/$1/.venv" &&
                "peers/$1/.venv/bin/pip" install --quiet -r "peers/$1/requirements.txt"
            ;;
    esac
}

peer() { # peer PEER verify|sign
    case $1 in
        jose) node peers/jose/peer.js "$2" ;;
        joserfc | pyjwt) "peers/$1/.venv/bin/python" -W ignore "peers/$1/peer.py" "$2" ;;
        jsonwebtoken) "$target/debug/peer-jsonwebtoken" "$2" ;;
    esac
}

cargo build --quiet --locked --workspace --target-dir "$target"
differential=$target/debug/differential
"$differential" generate "$scratch"

status=0 ran=()
for name in pyjwt joserfc jose jsonwebtoken; do
    lacks=$(needs "$name")
    if [[ -n $lacks ]]; then
        printf '%-13s skipped: %s\n' "$name" "${lacks%%$'\n'*}"
        continue
    fi
    prepare "$name" || { printf '%-13s FAILED: could not be installed\n' "$name"; status=1; continue; }
    peer "$name" sign <"$scratch/keys.jsonl" >"$scratch/$name.signed.jsonl" || status=1
    "$differential" verify "$scratch" "$name" || status=1
    peer "$name" verify <"$scratch/tokens.jsonl" >"$scratch/$name.verified.jsonl" || { status=1; continue; }
    ran+=("$name")
done

echo
"$differential" compare "$scratch" splits.json "${ran[@]}" || status=1
exit "$status"
