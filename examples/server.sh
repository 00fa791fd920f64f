# Sourced by the scripts beside it: finds or builds the command, starts and stops a server of its own.
# Everything lives in one folder that is removed at the end; every server listens on loopback, on a free port.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
scratch=$(mktemp -d)
server_pid=
trap 'stop_server; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

# The built command: COUNTERSIGN names it, else it is built as the README says.
if [[ -z ${COUNTERSIGN:-} ]]; then
    (cd "$root" && cargo build --quiet --release -p countersign-cli)
    COUNTERSIGN=${CARGO_TARGET_DIR:-$root/target}/release/countersign
fi

# The environment of whoever calls must not configure this server.
while read -r name; do unset "$name"; done < <(compgen -e COUNTERSIGN_)

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# start_server [FLAG…]: sets $server_pid and $url. It listens on $listen; its data folder is $scratch/data.
listen=127.0.0.1:0
start_server() {
    local log=$scratch/server.log
    : >"$log"
    "$COUNTERSIGN" serve --listen "$listen" --data "$scratch/data" "$@" >"$log" 2>&1 </dev/null &
    server_pid=$!
    for _ in {1..200}; do
        url=$(sed -n 's/^  issuer *//p' "$log")
        [[ -n $url ]] && return
        kill -0 "$server_pid" 2>/dev/null || break
        sleep 0.05
    done
    cat "$log" >&2
    die "the server did not start"
}

stop_server() {
    [[ -n $server_pid ]] || return 0
    kill -TERM "$server_pid" 2>/dev/null || true
    wait "$server_pid" 2>/dev/null || true
    server_pid=
}
