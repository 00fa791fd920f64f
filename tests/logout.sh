#!/usr/bin/env bash
# A server, a service of its own beside it that verifies its tokens without asking it about any, and a log-out: the seconds
# until both refuse the token. The service learns of it from the server's status list.
#
#   bash tests/logout.sh             the debug build
#   bash tests/logout.sh --release
#
# Exits with 3 and a reason where there is no curl.
set -euo pipefail
if ! command -v curl >/dev/null; then
    echo 'skipped: curl not found'
    exit 3
fi
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
profile=debug
[ "${1:-}" = --release ] && profile=release
# The whole workspace, as `cargo test --workspace` has built it.
cargo build --quiet --locked "$@" --workspace --bin countersign --example orders

work=$(mktemp -d)
pids=()
finish() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap finish EXIT

# The address that a program prints on its first lines.
address() {
    local file=$1 pattern=$2
    for _ in $(seq 200); do
        sed -n "s/$pattern/\1/p" "$file" | head -n 1 | grep . && return
        sleep 0.05
    done
    echo "nothing started: $(cat "$file")" >&2
    return 1
}

"$target/$profile/countersign" serve --data "$work/data" --listen 127.0.0.1:0 --audience orders-api \
    >"$work/server" 2>"$work/server.log" &
pids+=($!)
server=$(address "$work/server" '^  issuer *\(http.*\)$')
ISSUER=$server "$target/$profile/examples/orders" >"$work/orders" 2>"$work/orders.log" &
pids+=($!)
orders=$(address "$work/orders" '^\(http.*\)$')

json='content-type: application/json'
person='{"email":"ada@example.com","password":"lantern orbit quilt 42"}'
curl -sf -o /dev/null "$server/signup" -H "$json" -d "$person"
field() { sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/"; }
status() { curl -s -o /dev/null -w '%{http_code}' "$1" -H "authorization: Bearer $token"; }
now() { date +%s%3N; }

# Looks at an address until it answers 401, and tells how long that took.
until_refused() {
    local began=$1 url=$2
    while [ "$(status "$url")" != 401 ]; do
        [ $(($(now) - began)) -gt 30000 ] && { echo "not refused within 30 s: $url" >&2; exit 1; }
        sleep 0.02
    done
    echo $(($(now) - began))
}

worst=0
for round in 1 2 3; do
    token=$(curl -sf "$server/login" -H "$json" -d "$person" | field token)
    [ "$(status "$server/profile")" = 200 ]
    [ "$(status "$orders/orders")" = 200 ]
    # Log-outs come at another moment of the list's five seconds each time.
    sleep "$round.3"
    [ "$(status "$orders/orders")" = 200 ]
    curl -sf -o /dev/null -X POST "$server/logout" -H "authorization: Bearer $token"
    began=$(now)
    [ "$(status "$server/profile")" = 401 ]
    took=$(until_refused "$began" "$orders/orders")
    [ "$took" -gt "$worst" ] && worst=$took
    printf 'log-out %d: the server refuses at once, the service after %d.%03d s\n' "$round" $((took / 1000)) $((took % 1000))
done
printf 'longest %d.%03d s, stated 5 s and one fetch\n' $((worst / 1000)) $((worst % 1000))
[ "$worst" -le 6000 ]
